"""Evaluate a run, whose scores are appended to it, or a folder of samples."""

from collections.abc import Callable, Mapping, Sequence
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
from agon.metrics import Score
from agon.runs import Run
from agon.samples.making import load
from agon.samples.reading import chosen, read_samples
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
    out: Path | None = None,
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
        out: a folder for the scores; the run itself is then only read.

    Raises:
        SettingError: a metric is unknown, or does not apply to the run.
        DataError: samples are not finite or too few, or the data lack what a metric needs.
        IncompleteError: some of several metrics failed like this.
        RunError: there is no checkpoint, or another process writes the run's scores. A training may go on meanwhile:
            the newest whole checkpoint is read.
    """
    run = Run.of(run)
    place = run if out is None else folder_for_scores(out)
    training = load(run, trust=trust, experiment=experiment, data=data)
    if not isinstance(training.game, Classification):
        return measured(training, place, metrics=metrics, n=n, seed=seed, extractor=extractor)
    if metrics:
        raise SettingError(f"{run.path} is a classifier, which generates nothing; leave --metrics out for its accuracy")
    return _accuracy(training, place)


def measured(
    training: Training,
    run: Run,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
) -> list[Score]:
    """Evaluate a training in this process as `evaluate` does, without changing it."""
    names = asked(metrics, training.experiment.data, training.game.generated_classes > 0)
    with evidence_of(training, n, seed, extractor) as context:
        return scored(context, names, run, training.step)


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

    Raises:
        SettingError: a metric is unknown, or needs a generator or real samples.
        DataError: samples cannot be read, are too few, or differ in size from the real ones.
        IncompleteError: some of several metrics failed like this.
    """

    def draw() -> Tensor:
        samples = chosen(read_samples(path, values), n, seed)
        return samples if source is None or samples.dtype is torch.uint8 else source.scaled(samples).float()

    context = EvaluationContext(draw, source, check_samples(n), extractor, seed=seed, compared=compared)
    names = asked(metrics, source)

    def measure(name: str) -> Measurement:
        return stamped(METRICS[name](context), key(name, context, samples=str(path)))

    by_metric, failed = _by_metric(names, measure)
    if failed and by_metric:
        raise IncompleteError([], failed, by_metric)
    if failed:
        raise failed[0]
    return by_metric


def _accuracy(training: Training, run: Run) -> list[Score]:
    """Return the accuracy, a classifier's only score, which does not depend on n and seed."""
    passport = {"metric": "accuracy", "step": training.step, "version": __version__}
    scores = recorded(run, passport)
    if scores:
        return scores
    assert isinstance(training.game, Classification)
    training.refuse_other_data()
    source = training.experiment.data
    accuracy = accuracy_of(settled(training.game, training.average, source), source)
    return keep_once(stamped(Measurement([accuracy]), passport), run, passport)


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
            return scored(context, asked(self.metrics, training.experiment.data), run, training.step)
