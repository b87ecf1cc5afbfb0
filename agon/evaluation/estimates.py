"""Say beforehand how long an evaluation will take, if that is long: measured with a few samples."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from agon.errors import AgonError
from agon.evaluation.evidence import EvaluationContext, Painter
from agon.evaluation.table import OF_FEATURES
from agon.metrics.extractors import extract
from agon.samples.reading import as_compared
from agon.terminal.progress import duration
from agon.terminal.waiting import is_shown, note
from agon.training.randomness import preserve_global_streams, stream

FEW = 16  # samples that are timed
ROWS = 256  # of the kernel that is timed
LEAST = 1_000  # samples, under which nothing is estimated
LONG = 30.0  # seconds, from which an evaluation is called long
SHARE = 5  # a shorter evaluation has a fifth of the samples
SUBSETS, SUBSET = 100, 1_000  # of the kernel distance

Clock = Callable[[], float]


class Costs(NamedTuple):
    """What an evaluation costs, in seconds.

    Attributes:
        sample: to generate one sample.
        features: to compute the features of one image; 0 if none are needed.
        pair: to compare two images' features by the kernel; 0 without the kernel distance.
    """

    sample: float
    features: float = 0.0
    pair: float = 0.0

    def seconds(self, n: int, real: int) -> float:
        """The time for n generated and so many real samples.

        >>> Costs(sample=0.01, features=0.02).seconds(100, 50)
        4.0
        """
        pairs = min(SUBSETS * 3 * min(SUBSET, n, real) ** 2, (n + real) ** 2)
        return n * self.sample + (n + real) * self.features + pairs * self.pair


def announce(context: EvaluationContext, names: Sequence[str], clock: Clock = time.perf_counter) -> None:
    """Say how long the samples of these metrics will take, and that fewer take less, if that is long and is shown.

    The classifier of a set's classes is not counted: it is trained once, and says itself how long that takes.

    Args:
        context: what the metrics will measure.
        names: the metrics that have no recorded scores.
        clock: in seconds.
    """
    if not names or context.painter is None or context.n < LEAST or not is_shown():
        return
    try:
        line = sentence(costs(context, context.painter, names, clock), context)
    except AgonError:  # the metric itself will say what is wrong
        return
    if line:
        note(line)


def sentence(cost: Costs, context: EvaluationContext) -> str:
    """How long that will take, and a number of samples that take less; nothing if it is not long."""
    stored = context.data.count() if context.source is not None else 0
    fewer = max(LEAST, context.n // SHARE)
    total, less = (cost.seconds(n, n if stored is None else min(n, stored)) for n in (context.n, fewer))
    if total < LONG:
        return ""
    what = "and their features " if cost.features else ""
    shorter = f"; --n {fewer} makes that about {duration(less)}" if fewer < context.n else ""
    return f"{context.n:,} samples {what}will take about {duration(total)} here{shorter}"


@torch.no_grad()
def costs(context: EvaluationContext, painter: Painter, names: Sequence[str], clock: Clock) -> Costs:
    """Measure with a few samples, without changing a random stream; the first pass warms up.

    Raises:
        AgonError: samples are not finite, or there is no extractor.
    """
    rng, game = stream(0, "estimate"), painter.game
    with preserve_global_streams():
        z = painter.experiment.latent.sample(FEW, game.latent_shape, rng)
        z = z.to(next(game.parameters()))
        label = torch.zeros(FEW, dtype=torch.int64, device=z.device) if game.generated_classes else None
        sample, samples = _timed(lambda: painter.paint(z, label).float().cpu(), clock)
        if not context.images or not set(names) & set(OF_FEATURES) or context.spec.name == "classifier":
            return Costs(sample / FEW)
        images = as_compared(samples, painter.experiment.data)
        each, features = _timed(lambda: extract(context.extractor, images).features.double().cpu(), clock)
        many = features.repeat(ROWS // FEW, 1)  # with a few rows, most of the time is that of the calls
        kernel = _timed(lambda: (many @ many.T / many.shape[1] + 1) ** 3, clock)[0] if "kid" in names else 0.0
    return Costs(sample / FEW, each / FEW, kernel / ROWS**2)


def _timed(compute: Callable[[], Tensor], clock: Clock) -> tuple[float, Tensor]:
    """The seconds of the second call, and its result."""
    compute()
    begun = clock()
    result = compute()
    return clock() - begun, result
