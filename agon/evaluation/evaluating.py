"""Evaluate a run, whose scores are appended to it, or a training while it goes on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from agon import __version__
from agon.classifiers import accuracy_of, settled
from agon.errors import AgonError, DataError, SettingError
from agon.evaluation.estimates import announce
from agon.evaluation.evidence import EvaluationContext, Measurement, evidence_of
from agon.evaluation.extractors import ExtractorSpec
from agon.evaluation.recorded import folder_for_scores, keep_once, key, recorded, stamped
from agon.evaluation.requirements import refuse_inapplicable
from agon.evaluation.table import METRICS, asked, referred
from agon.experiment import Experiment
from agon.games import Classification
from agon.metrics import Score, Statistics
from agon.runs import Run
from agon.samples.making import load
from agon.terminal.waiting import stage, waiting, waiting_beside_training
from agon.training import Training
from agon.training.allocation import keep_freed_memory

N = 10_000
T = TypeVar("T")
EMPTY: Mapping[str, Measurement] = MappingProxyType({})


class IncompleteError(DataError):
    """Some of several metrics failed; the others succeeded.

    Attributes:
        scores: of the metrics that succeeded, which are recorded in the run.
        measured: metric -> its measurement, for samples that belong to no run.
    """

    def __init__(
        self,
        scores: Sequence[Score],
        failed: Sequence[AgonError],
        measured: Mapping[str, Measurement] = EMPTY,
    ) -> None:
        changes = [change for error in failed for change in error.changes]
        super().__init__("; ".join(str(error) for error in failed), *changes)
        self.scores, self.measured = scores, measured


def evaluate(
    run: Run | Path | str,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    trust: bool = False,
    experiment: Experiment | None = None,
    data: Any = None,
    step: int | None = None,
    out: Path | None = None,
    show: bool = True,
    reference: Statistics | None = None,
    validation: bool = False,
) -> list[Score]:
    """Score n samples of a run, and append the scores to its metrics.jsonl.

    Samples and features are computed once for all metrics. A second call with the same step, seed, n and
    extractor returns the recorded scores.

    Args:
        run: a run with a checkpoint, or its directory.
        metrics: names in METRICS; by default those that the data allow and that answer soon. A classifier has
            only one score, its accuracy on the whole test split.
        n: number of generated samples, and largest number of real ones.
        seed: seed of the latents.
        extractor: extractor of the features, for the metrics that compare features.
        trust: whether classes from outside agon may be imported.
        experiment: the experiment of the run, if its classes cannot be imported.
        data: the data that were handed over in Python when the run was begun, again.
        step: the step of a checkpoint that the run has kept; by default the last one.
        out: a folder for the scores; the run itself is then only read.
        show: whether to say on standard error what takes longer than a few seconds, and how long it will take.
        reference: statistics of real features (`agon.metrics.read_statistics`), for the metric "fid" alone.
        validation: whether to compare with validation images, of data that keep some out of training
            (`Images.validation`), in the place of training images: for choices among settings.

    Raises:
        SettingError: a metric is unknown, or does not apply to the run.
        DataError: samples are not finite or too few, or the data lack what a metric needs.
        IncompleteError: some of several metrics failed like this.
        RunError: there is no checkpoint, or another process writes the run's scores. A training may go on meanwhile:
            the newest whole checkpoint is read.
    """
    run = Run.of(run)
    place = run if out is None else folder_for_scores(out)
    with waiting(show):
        with stage(f"opening {run.path}"):
            training = load(run, trust=trust, experiment=experiment, data=data, step=step)
        how: dict[str, Any] = {"reference": reference, "validation": validation}
        return score(training, place, metrics=metrics, n=n, seed=seed, extractor=extractor, **how)


def score(
    training: Training,
    run: Run | None,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    reference: Statistics | None = None,
    validation: bool = False,
) -> list[Score]:
    """Score a loaded run as `evaluate` does; the scores are recorded in `run`, or nowhere."""
    keep_freed_memory()  # a search of latents passes the generator thousands of times
    if isinstance(training.game, Classification):
        if metrics:
            raise SettingError("a classifier generates nothing; leave --metrics out for its accuracy")
        return _accuracy(training, run)
    options: dict[str, Any] = {"n": n, "seed": seed, "extractor": extractor}
    options |= {"reference": reference, "validation": validation}
    if run is not None:
        return measured(training, run, metrics=metrics, **options)
    with _context(training, metrics, **options) as (context, names):
        by_metric = {name: METRICS[name](context) for name in names}
        return [
            one
            for name, result in by_metric.items()
            for one in stamped(result, key(name, context, step=training.step)).scores
        ]


def measured(
    training: Training,
    run: Run,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    reference: Statistics | None = None,
    validation: bool = False,
) -> list[Score]:
    """Evaluate a training in this process as `evaluate` does, without changing it."""
    with _context(training, metrics, n, seed, extractor, reference, validation) as (context, names):
        announce(context, [name for name in names if not _known(context, name, run, training.step)])
        return scored(context, names, run, training.step)


@contextmanager
def _context(
    training: Training,
    metrics: Sequence[str],
    n: int,
    seed: int,
    extractor: ExtractorSpec,
    reference: Statistics | None,
    validation: bool,
) -> Iterator[tuple[EvaluationContext, list[str]]]:
    """Within the context, what the metrics of a training measure, and their names."""
    conditional = training.game.generated_classes > 0
    names = referred(metrics) if reference else asked(metrics, training.experiment.data, conditional)
    with evidence_of(training, n, seed, extractor, validation=validation) as context:
        context.reference = reference
        yield context, names


def scored(context: EvaluationContext, names: Sequence[str], run: Run, step: int) -> list[Score]:
    """Return the scores of these metrics at a step, recorded or computed now; raises as `evaluate` does."""
    by_metric, failed = succeeded_and_failed(names, lambda name: _recorded_or_measured(context, name, run, step))
    scores = [score for scores in by_metric.values() for score in scores]
    if failed and len(failed) < len(names):
        raise IncompleteError(scores, failed)
    if failed:
        raise failed[0]
    return scores


def succeeded_and_failed(names: Sequence[str], measure: Callable[[str], T]) -> tuple[dict[str, T], list[AgonError]]:
    """Return the results of the metrics that succeeded, by name, and the errors of the others."""
    by_metric: dict[str, T] = {}
    failed: list[AgonError] = []
    for name in names:
        try:
            with stage(name):
                by_metric[name] = measure(name)
        except AgonError as error:
            failed.append(error)
    return by_metric, failed


def _recorded_or_measured(context: EvaluationContext, name: str, run: Run, step: int) -> list[Score]:
    passport = key(name, context, step=step)
    scores = recorded(run, passport)
    if scores:
        return scores
    with run.scoring():  # refused before minutes are spent
        pass
    return keep_once(stamped(METRICS[name](context), passport), run, passport)


def _known(context: EvaluationContext, name: str, run: Run, step: int) -> bool:
    """Whether a metric needs no computation: its scores are on record, or what it needs is missing."""
    try:
        return bool(recorded(run, key(name, context, step=step)))
    except AgonError:
        return True


def _accuracy(training: Training, run: Run | None) -> list[Score]:
    """Return the accuracy, a classifier's only score, which does not depend on n and seed."""
    passport = {"metric": "accuracy", "step": training.step, "version": __version__}
    scores = recorded(run, passport) if run else []
    if scores:
        return scores
    assert isinstance(training.game, Classification)
    training.refuse_other_data()
    source = training.experiment.data
    accuracy = accuracy_of(settled(training.game, training.average, source), source)
    measurement = stamped(Measurement([accuracy]), passport)
    return keep_once(measurement, run, passport) if run else list(measurement.scores)


class EvaluationCallback:
    """Computes metrics of a training, as the function of a `training.Callback`, without changing the training.

    Real samples, their features and the extractor are made at the first call, and kept.

    Args:
        metrics: names in METRICS.
        n: number of samples in each evaluation.
        extractor: extractor of the features.
        validation: whether to compare with validation images, as of `evaluate`.
    """

    def __init__(
        self,
        metrics: Sequence[str],
        n: int,
        extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
        *,
        validation: bool = False,
    ) -> None:
        self.metrics, self.n, self.extractor, self.validation = metrics, n, extractor, validation
        self._previous: EvaluationContext | None = None

    def check(self, training: Training) -> None:
        """Raise what a metric would end with, before anything is trained; see `refuse_inapplicable`."""
        with evidence_of(training, self.n, 0, self.extractor, validation=self.validation) as context:
            for metric in asked(self.metrics, training.experiment.data):
                refuse_inapplicable(metric, context)

    def __call__(self, training: Training, run: Run) -> list[Score]:
        """Record the scores at this step in the run, and return them."""
        with evidence_of(training, self.n, 0, self.extractor, validation=self.validation) as context:
            if self._previous is not None:
                context.remember(self._previous)
            self._previous = context
            with waiting_beside_training():
                return scored(context, asked(self.metrics, training.experiment.data), run, training.step)
