"""A run, or a folder of samples -> scores; a run's are appended to it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from torch import Tensor

from agon import __version__
from agon.classifiers import accuracy_of, settled
from agon.data import Source
from agon.errors import AgonError, DataError, SettingError
from agon.evaluation.evidence import EvaluationContext, Measurement, evidence_of
from agon.evaluation.extractors import ExtractorSpec
from agon.evaluation.recorded import folder_for_scores, keep_once, key, recorded, stamped
from agon.evaluation.table import METRICS, asked
from agon.games import Classification
from agon.metrics import Score
from agon.runs import Run
from agon.samples.making import load
from agon.samples.reading import checked, chosen, read_samples
from agon.training import Training

N = 10_000
T = TypeVar("T")
EMPTY: Mapping[str, Measurement] = MappingProxyType({})


class IncompleteError(DataError):
    """Some of several metrics could not be taken; the others are there.

    Attributes:
        scores: those that could, of a run, in which they are recorded.
        measured: metric -> what it gives, of samples that belong to no run.
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
    run: Run,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    trust: bool = False,
    out: Path | None = None,
) -> list[Score]:
    """Scores of n samples of a run, appended to its metrics.jsonl, once.

    Samples and their features are made once for all metrics. Asking again with the same step, seed, n and
    extractor gives the recorded scores.

    Args:
        run: with a checkpoint.
        metrics: names in METRICS; by default what the data allow without anybody's weights. A classifier has one
            score, its accuracy on the whole test split, and is asked for no other.
        n: how many samples, and at most as many real ones.
        seed: of the latents.
        extractor: of features, for the metrics that compare them.
        trust: whether classes that are not agon's may be imported.
        out: a folder for the scores in the place of the run, which then is only read.

    Raises:
        SettingError: an unknown metric, or one that the run cannot have.
        DataError: samples that are not finite, too few of them, or data without what a metric needs.
        IncompleteError: one of these, for some of several metrics.
        RunError: no checkpoint, or another process writes the run's scores. One that trains it does not disturb: the
            newest whole checkpoint is read.
    """
    place = run if out is None else folder_for_scores(out)
    training = load(run, trust=trust)
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
    """As `evaluate`, of a training in this process, which goes on afterwards as if nothing had been asked."""
    names = asked(metrics, training.experiment.data)
    with evidence_of(training, n, seed, extractor) as evidence:
        return scored(evidence, names, run, training.step)


def scored(evidence: EvaluationContext, names: Sequence[str], run: Run, step: int) -> list[Score]:
    """The scores of these metrics at a step, recorded or taken now; raises as `evaluate` does."""
    by_metric, failed = _each(names, lambda name: _recorded_or_measured(evidence, name, run, step))
    scores = [score for scores in by_metric.values() for score in scores]
    if failed and len(failed) < len(names):
        raise IncompleteError(scores, failed)
    if failed:
        raise failed[0]
    return scores


def _each(names: Sequence[str], measure: Callable[[str], T]) -> tuple[dict[str, T], list[AgonError]]:
    """What was measured, by its metric, and what went wrong with the others."""
    by_metric: dict[str, T] = {}
    failed: list[AgonError] = []
    for name in names:
        try:
            by_metric[name] = measure(name)
        except AgonError as error:
            failed.append(error)
    return by_metric, failed


def _recorded_or_measured(evidence: EvaluationContext, name: str, run: Run, step: int) -> list[Score]:
    passport = key(name, evidence, step=step)
    scores = recorded(run, passport)
    if scores:
        return scores
    with run.scoring():  # refused before minutes are spent
        pass
    return keep_once(stamped(METRICS[name](evidence), passport), run, passport)


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
    """Metric -> what it gives for the samples of a folder or a file of any other program.

    Args:
        path: see `agon.samples.reading.read_samples`.
        source: of real samples, for the metrics that compare.
        metrics: names in METRICS; by default what the data allow.
        n: how many of the samples, at random where there are more, and at most as many real ones.
        seed: of their choice.
        extractor: of features.
        values: (low, high) of pixels that are no bytes.
        compared: the source of the real samples that distances are taken to, where it is another one than `source`,
            of which classifiers are trained and neighbours looked for: the same without a part that is held out.

    Raises:
        SettingError: an unknown metric, or one that needs a generator or real samples.
        DataError: samples that cannot be read, too few, or of another size than the real ones.
        IncompleteError: one of these, for some of several metrics.
    """

    def draw() -> Tensor:
        return chosen(read_samples(path, values), n, seed)

    evidence = EvaluationContext(draw, source, checked(n), extractor, seed=seed, compared=compared)
    names = asked(metrics, source)

    def measure(name: str) -> Measurement:
        return stamped(METRICS[name](evidence), key(name, evidence, samples=str(path)))

    by_metric, failed = _each(names, measure)
    if failed and by_metric:
        raise IncompleteError([], failed, by_metric)
    if failed:
        raise failed[0]
    return by_metric


def _accuracy(training: Training, run: Run) -> list[Score]:
    """A classifier's one score, whatever n and seed are."""
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
    """The `look` of a `training.Callback`: takes metrics of a training, and leaves it as it was.

    Real samples, their features and the extractor are made at the first look, and kept.

    Args:
        metrics: names in METRICS.
        n: samples at each look.
        extractor: of features.
    """

    def __init__(self, metrics: Sequence[str], n: int, extractor: ExtractorSpec = ExtractorSpec()) -> None:  # noqa: B008 - frozen
        self.metrics, self.n, self.extractor = metrics, n, extractor
        self._kept: EvaluationContext | None = None

    def __call__(self, training: Training, run: Run) -> list[Score]:
        """The scores at this step, recorded in the run."""
        with evidence_of(training, self.n, 0, self.extractor) as evidence:
            if self._kept is not None:
                evidence.remember(self._kept)
            self._kept = evidence
            return scored(evidence, asked(self.metrics, training.experiment.data), run, training.step)
