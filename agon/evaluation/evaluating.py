"""Evaluate a run, whose scores are appended to it, or a folder of samples."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import torch
from torch import Tensor

from agon import __version__
from agon.arguments import check_samples
from agon.classifiers import accuracy_of, settled
from agon.data import Source
from agon.errors import AgonError, DataError, SettingError
from agon.evaluation.evidence import EvaluationContext, Measurement, evidence_of
from agon.evaluation.extractors import ExtractorSpec
from agon.evaluation.recorded import folder_for_scores, keep_once, key, recorded, stamped
from agon.evaluation.table import METRICS, asked
from agon.experiment import Experiment
from agon.games import Classification
from agon.metrics import Score, Statistics, write_statistics
from agon.runs import Run
from agon.samples.making import load
from agon.samples.reading import chosen, read_samples
from agon.terminal.progress import Progress
from agon.terminal.waiting import stage, waiting
from agon.training import Training

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
        return score(training, place, metrics=metrics, n=n, seed=seed, extractor=extractor, reference=reference)


def score(
    training: Training,
    run: Run | None,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    reference: Statistics | None = None,
) -> list[Score]:
    """Score a loaded run as `evaluate` does; the scores are recorded in `run`, or nowhere."""
    if isinstance(training.game, Classification):
        if metrics:
            raise SettingError("a classifier generates nothing; leave --metrics out for its accuracy")
        return _accuracy(training, run)
    options: dict[str, Any] = {"n": n, "seed": seed, "extractor": extractor, "reference": reference}
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
) -> list[Score]:
    """Evaluate a training in this process as `evaluate` does, without changing it."""
    with _context(training, metrics, n, seed, extractor, reference) as (context, names):
        return scored(context, names, run, training.step)


@contextmanager
def _context(
    training: Training,
    metrics: Sequence[str],
    n: int,
    seed: int,
    extractor: ExtractorSpec,
    reference: Statistics | None,
) -> Iterator[tuple[EvaluationContext, list[str]]]:
    """Within the context, what the metrics of a training measure, and their names."""
    conditional = training.game.generated_classes > 0
    names = _referred(metrics) if reference else asked(metrics, training.experiment.data, conditional)
    with evidence_of(training, n, seed, extractor) as context:
        context.reference = reference
        yield context, names


def scored(context: EvaluationContext, names: Sequence[str], run: Run, step: int) -> list[Score]:
    """Return the scores of these metrics at a step, recorded or computed now; raises as `evaluate` does."""
    by_metric, failed = _by_metric(names, lambda name: _recorded_or_measured(context, name, run, step))
    scores = [score for scores in by_metric.values() for score in scores]
    if failed and len(failed) < len(names):
        raise IncompleteError(scores, failed)
    if failed:
        raise failed[0]
    return scores


def _by_metric(names: Sequence[str], measure: Callable[[str], T]) -> tuple[dict[str, T], list[AgonError]]:
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


def evaluate_samples(
    path: Path,
    source: Source | None = None,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    values: tuple[float, float] | None = None,
    compared: Source | None = None,
    show: bool = True,
    reference: Statistics | None = None,
) -> dict[str, Measurement]:
    """Return metric -> its measurement of samples in a folder or a file, made by any program.

    Args:
        path: see `agon.samples.reading.read_samples`.
        source: source of the real samples, for the metrics that compare.
        metrics: names in METRICS; by default those that the data allow.
        n: number of samples, chosen at random out of more, and largest number of real ones.
        seed: seed of the choice.
        extractor: extractor of the features.
        values: (low, high) of pixels that are not bytes.
        compared: source of the real samples that samples are compared with, if it differs from `source`, on which
            classifiers are trained and in which neighbours are searched: the same source with nothing held out.
        show: whether to say on standard error what takes longer than a few seconds, and how long it will take.
        reference: statistics of real features, for the metric "fid" alone.

    Raises:
        SettingError: a metric is unknown, or needs a generator or real samples.
        DataError: samples cannot be read, are too few, or differ in size from the real ones.
        IncompleteError: some of several metrics failed like this.
    """

    def draw() -> Tensor:
        samples = chosen(read_samples(path, values), n, seed)
        return samples if source is None or samples.dtype is torch.uint8 else source.scaled(samples).float()

    context = EvaluationContext(
        draw, source, check_samples(n), extractor, seed=seed, compared=compared, reference=reference
    )
    names = _referred(metrics) if reference else asked(metrics, source)

    def measure(name: str) -> Measurement:
        return stamped(METRICS[name](context), key(name, context, samples=str(path)))

    with waiting(show):
        by_metric, failed = _by_metric(names, measure)
    if failed and by_metric:
        raise IncompleteError([], failed, by_metric)
    if failed:
        raise failed[0]
    return by_metric


def _referred(metrics: Sequence[str]) -> list[str]:
    """Return the metrics that statistics of real features suffice for."""
    others = [name for name in metrics if name != "fid"]
    if others:
        raise SettingError(
            f"--metrics {','.join(others)}: expected real samples, got their statistics, which allow fid alone; name "
            "the samples with --data"
        )
    return ["fid"]


def statistics_of(
    path: Path, out: Path, *, extractor: ExtractorSpec, n: int = N, values: tuple[float, float] | None = None
) -> None:
    """Write the statistics of the features of samples to a file, which `evaluate` takes as a reference.

    Args:
        path: real samples; see `agon.samples.reading.read_samples`.
        out: the .npz file.
        extractor: extractor of the features.
        n: largest number of samples, chosen at random out of more.
        values: (low, high) of pixels that are not bytes.

    Raises:
        DataError: samples cannot be read, are too few, or the file cannot be written.
    """
    with waiting(), stage("statistics"):
        context = EvaluationContext(lambda: chosen(read_samples(path, values), n, 0), None, check_samples(n), extractor)
        write_statistics(out, context.fake_features.features, context.extractor, context.kind)


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
    """

    def __init__(self, metrics: Sequence[str], n: int, extractor: ExtractorSpec = ExtractorSpec()) -> None:  # noqa: B008 - frozen
        self.metrics, self.n, self.extractor = metrics, n, extractor
        self._previous: EvaluationContext | None = None

    def __call__(self, training: Training, run: Run) -> list[Score]:
        """Record the scores at this step in the run, and return them."""
        with evidence_of(training, self.n, 0, self.extractor) as context:
            if self._previous is not None:
                context.remember(self._previous)
            self._previous = context
            display = Progress.current()
            with waiting(display is not None and display.show):
                return scored(context, asked(self.metrics, training.experiment.data), run, training.step)
