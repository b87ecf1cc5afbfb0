"""A run, or a folder of samples -> scores; a run's are appended to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import torch
from torch import Tensor

from agon import __version__
from agon.classifiers import accuracy_of, settled
from agon.data import Source
from agon.data.points import Toy
from agon.errors import AgonError, DataError, SettingError
from agon.evaluate.evidence import Evidence, Measured, Painter
from agon.evaluate.extractors import Choice
from agon.evaluate.recorded import folder_for_scores, keep_once, key, recorded, stamped
from agon.evaluate.table import METRICS, asked
from agon.games import Classification
from agon.metrics import Score
from agon.runs import Run
from agon.samples.making import latents, load
from agon.samples.reading import CHUNK, as_compared, checked, chosen, read_samples
from agon.training import Training
from agon.training.randomness import derived

N = 10_000
T = TypeVar("T")
EMPTY: Mapping[str, Measured] = MappingProxyType({})


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
        measured: Mapping[str, Measured] = EMPTY,
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
    extractor: Choice = Choice(),  # noqa: B008 - frozen
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
    extractor: Choice = Choice(),  # noqa: B008 - frozen
) -> list[Score]:
    """As `evaluate`, of a training in this process, which goes on afterwards as if nothing had been asked."""
    names = asked(metrics, training.experiment.data)
    with evidence_of(training, n, seed, extractor) as evidence:
        return scored(evidence, names, run, training.step)


def scored(evidence: Evidence, names: Sequence[str], run: Run, step: int) -> list[Score]:
    """The scores of these metrics at a step, recorded or taken now; raises as `evaluate` does."""
    taken, failed = _each(names, lambda name: _taken(evidence, name, run, step))
    scores = [score for scores in taken.values() for score in scores]
    if failed and len(failed) < len(names):
        raise IncompleteError(scores, failed)
    if failed:
        raise failed[0]
    return scores


def _each(names: Sequence[str], take: Callable[[str], T]) -> tuple[dict[str, T], list[AgonError]]:
    """What was taken, by its name, and what went wrong with the others."""
    taken: dict[str, T] = {}
    failed: list[AgonError] = []
    for name in names:
        try:
            taken[name] = take(name)
        except AgonError as error:
            failed.append(error)
    return taken, failed


def _taken(evidence: Evidence, name: str, run: Run, step: int) -> list[Score]:
    """The scores, recorded or taken now."""
    passport = key(name, evidence, step=step)
    known = recorded(run, passport)
    if known:
        return known
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
    extractor: Choice = Choice(),  # noqa: B008 - frozen
    values: tuple[float, float] | None = None,
    compared: Source | None = None,
) -> dict[str, Measured]:
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

    evidence = Evidence(draw, source, checked(n), extractor, seed=seed, compared=compared)
    names = asked(metrics, source)

    def taken(name: str) -> Measured:
        return stamped(METRICS[name](evidence), key(name, evidence, samples=str(path)))

    measured, failed = _each(names, taken)
    if failed and measured:
        raise IncompleteError([], failed, measured)
    if failed:
        raise failed[0]
    return measured


@contextmanager
def evidence_of(training: Training, n: int, seed: int, extractor: Choice) -> Iterator[Evidence]:
    """The evidence of a training as it is; within it, the averaged weights play."""
    experiment = training.experiment
    source = experiment.data
    own = derived(experiment.seed, "data") if isinstance(source, Toy) else 0  # a toy's points come from the seed
    with training.painting() as paint:
        painter = Painter(experiment, training.game, paint)
        drawing, check = _drawing(training, paint, n, seed), training.refuse_other_data
        yield Evidence(drawing, source, checked(n), extractor, painter, seed, own, check=check)


def _drawing(training: Training, paint: Callable[[Tensor], Tensor], n: int, seed: int) -> Callable[[], Tensor]:
    @torch.no_grad()
    def draw() -> Tensor:
        parts = torch.split(latents(training, n, seed), CHUNK)
        return torch.cat([as_compared(paint(part).float().cpu(), training.experiment.data) for part in parts])

    return draw


def _accuracy(training: Training, run: Run) -> list[Score]:
    """A classifier's one score, whatever n and seed are."""
    passport = {"metric": "accuracy", "step": training.step, "version": __version__}
    known = recorded(run, passport)
    if known:
        return known
    assert isinstance(training.game, Classification)
    training.refuse_other_data()
    source = training.experiment.data
    found = Measured([accuracy_of(settled(training.game, training.average, source), source)])
    return keep_once(stamped(found, passport), run, passport)
