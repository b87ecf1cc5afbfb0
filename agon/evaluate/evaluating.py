"""A run, or a folder of samples -> scores; a run's are appended to it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from agon import __version__
from agon.classifiers import accuracy_of, settled
from agon.data import Source
from agon.evaluate.evidence import Evidence, Measured, Painter
from agon.evaluate.extractors import COORDINATES, Choice, Coordinates
from agon.evaluate.recorded import keep, key, recorded, stamped
from agon.evaluate.table import METRICS, asked
from agon.games import Classification
from agon.metrics import Score
from agon.metrics.extractors import Extractor
from agon.runs import Run
from agon.samples import CHUNK, as_compared, read_samples
from agon.sampling import latents, load
from agon.training import Training

N = 10_000


def evaluate(
    run: Run,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: Choice = Choice(),  # noqa: B008 - frozen
    trust: bool = False,
) -> list[Score]:
    """Scores of n samples of a run, appended to its metrics.jsonl, once.

    Samples and their features are made once for all metrics. Asking again with the same step, seed, n and
    extractor gives the recorded scores.

    Args:
        run: with a checkpoint.
        metrics: names in METRICS; by default what the data allow without anybody's weights. A classifier has one
            score, its accuracy on the whole test split.
        n: how many samples, and at most as many real ones.
        seed: of the latents.
        extractor: of features, for the metrics that compare them.
        trust: whether classes that are not agon's may be imported.

    Raises:
        SettingError: an unknown metric, or one that the run cannot have.
        DataError: samples that are not finite, too few of them, or data without what a metric needs.
    """
    training = load(run, trust=trust)
    if isinstance(training.game, Classification):
        return _accuracy(training, run)
    return measured(training, run, metrics=metrics, n=n, seed=seed, extractor=extractor)


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
    wanted = {name: key(name, n, seed, extractor, training.step) for name in asked(metrics, training.experiment.data)}
    scores = {name: recorded(run, passport) for name, passport in wanted.items()}
    with evidence_of(training, n, seed, extractor) as evidence:
        for name, known in scores.items():
            if not known:
                scores[name] = keep(stamped(METRICS[name](evidence), wanted[name]), run)
    return [score for each in scores.values() for score in each]


def evaluate_samples(
    path: Path,
    source: Source | None = None,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    extractor: Choice = Choice(),  # noqa: B008 - frozen
    values: tuple[float, float] | None = None,
) -> dict[str, Measured]:
    """Metric -> what it gives for the first n samples of a folder or a file of any other program.

    Args:
        path: see `agon.samples.read_samples`.
        source: of real samples, for the metrics that compare.
        metrics: names in METRICS; by default what the data allow.
        n: how many of the samples, and at most as many real ones.
        extractor: of features.
        values: (low, high) of pixels that are no bytes.

    Raises:
        SettingError: an unknown metric, or one that needs a generator or real samples.
        DataError: samples that cannot be read, too few, or of another size than the real ones.
    """

    def draw() -> Tensor:
        return read_samples(path, values)[:n]

    evidence = _evidence(draw, source, n, extractor)
    return {name: stamped(METRICS[name](evidence), key(name, n, 0, extractor)) for name in asked(metrics, source)}


@contextmanager
def evidence_of(training: Training, n: int, seed: int, extractor: Choice) -> Iterator[Evidence]:
    """The evidence of a training as it is; within it, the averaged weights play."""
    source = training.experiment.data
    with training.painting() as paint:

        @torch.no_grad()
        def draw() -> Tensor:
            parts = torch.split(latents(training, n, seed), CHUNK)
            return torch.cat([as_compared(paint(part).float().cpu(), source) for part in parts])

        painter = Painter(training.experiment, training.game, paint)
        yield _evidence(draw, source, n, extractor, painter, seed)


def _evidence(
    draw: Callable[[], Tensor],
    source: Source | None,
    n: int,
    choice: Choice,
    painter: Painter | None = None,
    seed: int = 0,
) -> Evidence:
    points = source is not None and len(source.shape) != 3

    def choose() -> Extractor:
        return Coordinates() if points else choice.make(source)

    return Evidence(draw, source, n, choose, COORDINATES if points else choice.kind, painter, seed)


def _accuracy(training: Training, run: Run) -> list[Score]:
    """A classifier's one score, whatever n and seed are."""
    passport = {"metric": "accuracy", "step": training.step, "version": __version__}
    known = recorded(run, passport)
    if known:
        return known
    assert isinstance(training.game, Classification)
    source = training.experiment.data
    found = Measured([accuracy_of(settled(training.game, training.average, source), source)])
    return keep(stamped(found, passport), run)
