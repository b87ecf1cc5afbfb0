"""A game's critic as a battle asks it: realness that depends on the sample alone, and where the decision turns."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from agon.averaging import restate
from agon.errors import Change, DataError, SettingError
from agon.games import Game, modules_of

Statistics = Literal["running", "reestimated", "batch"]
DEFAULT: Statistics = "reestimated"
Samples = Float[Tensor, "n ..."]
RUNNING, BATCH = (Change("statistics", kind, f"--statistics {kind}") for kind in ("running", "batch"))
BLOCK = 256  # samples that pass a critic at a time
ESTIMATED = 250  # samples of a batch by which statistics are estimated anew
OWN = 100  # samples of a batch that is normalised by its own statistics


class Threshold(NamedTuple):
    """Where a critic's decision turns: realness above it is real, below it generated, at it half of each.

    Attributes:
        value: in the units of realness.
        n: how many held-out samples it was calibrated on, real and generated ones together; None where the
            objective's boundary was taken.
        error: the mean of the two error rates on those samples; None without them.
    """

    value: float
    n: int | None = None
    error: float | None = None


def calibrated(real: Float64[np.ndarray, " n"], fake: Float64[np.ndarray, " m"]) -> Threshold:
    """The threshold t that minimises [P(real <= t) + P(fake > t)] / 2 over held-out samples.

    Candidates lie half way between neighbouring values, and, half of their whole span away, below and above them all:
    a critic that is wrong more often than right is best not listened to. Of several that are equally good, the middle
    one is taken.

    Args:
        real: realness of real samples, finite, at least 1.
        fake: realness of generated samples, finite, at least 1.

    >>> calibrated(np.array([2.0, 3.0]), np.array([0.0, 1.0]))
    Threshold(value=1.5, n=4, error=0.0)
    """
    n = len(real) + len(fake)
    values = np.unique(np.concatenate([real, fake]))
    if len(values) == 1:  # nothing to tell apart: half of all are wrong
        return Threshold(float(values[0]), n, 0.5)
    reach = (values[-1] - values[0]) / 2
    candidates = np.concatenate([[values[0] - reach], values[:-1] + np.diff(values) / 2, [values[-1] + reach]])
    below = np.concatenate([[-np.inf], values])  # the greatest value that each candidate is above
    missed = np.searchsorted(np.sort(real), below, side="right") / len(real)
    passed = 1 - np.searchsorted(np.sort(fake), below, side="right") / len(fake)
    errors = (missed + passed) / 2
    best = np.flatnonzero(errors <= errors.min() + 1e-12)
    place = best[len(best) // 2]
    return Threshold(float(candidates[place]), n, float(errors[place]))


@dataclass(frozen=True)
class Critic:
    """What judges in a battle.

    Attributes:
        game: a copy, whose realness is asked.
        threshold: of its decision.
        block: samples that pass at a time.
        protocol: how its statistics and its threshold came about, in words.
    """

    game: Game
    threshold: Threshold
    block: int | None
    protocol: str

    def wrong(self, x: Samples, *, real: bool) -> Float64[np.ndarray, " n"]:
        """1 where it takes a real sample for generated, or a generated one for real; 1/2 at exactly the threshold.

        Args:
            x: samples in the range of the game's own.
            real: whether they are.
        """
        found = realness(self.game, x, self.block)
        above = np.heaviside(found - self.threshold.value, 0.5)
        return 1 - above if real else above


def critic_of(
    game: Game, real: Samples | None, fake: Samples | None, statistics: Statistics, calibrate: bool
) -> Critic:
    """The critic of a game, made ready on held-out samples; the game itself is not touched.

    Args:
        game: with a realness.
        real: held-out real samples; None where `needs_held` is false.
        fake: as many of the game's own.
        statistics: by which batch normalisation normalises, as in `battle`.
        calibrate: whether the threshold is calibrated where the game has a boundary, too.
    """
    play = copy.deepcopy(game).eval().requires_grad_(False)
    layers, told = normalisations(play), "running statistics"
    block: int | None = BLOCK
    if not layers:
        told = "no batch normalisation"
    elif statistics == "reestimated":
        _reestimate(play, layers, _given(real), _given(fake))
        told = f"statistics of {len(_given(real))} held-out real and as many own samples"
    elif statistics == "batch":
        for layer in layers:
            layer.train()
        block, told = None, f"statistics of each batch of {OWN}"
    if game.boundary is not None and not calibrate:
        return Critic(play, Threshold(game.boundary), block, f"{told}, boundary {game.boundary:g}")
    threshold = calibrated(realness(play, _given(real), block), realness(play, _given(fake), block))
    return Critic(play, threshold, block, f"{told}, calibrated on {threshold.n} held-out samples")


def _given(held: Tensor | None) -> Tensor:
    assert held is not None  # who asks for a critic has asked `needs_held` first
    return held


def _reestimate(play: Game, layers: Sequence[nn.Module], real: Tensor, fake: Tensor) -> None:
    """The plain mean of the statistics of batches that are all real or all generated, half and half."""
    parts = [part for pair in zip(_parts(real, ESTIMATED), _parts(fake, ESTIMATED), strict=True) for part in pair]
    passes = iter(parts)
    restate(layers, lambda: _ask(play, next(passes)), len(parts))
    play.eval()


def needs_held(game: Game, statistics: str, calibrate: bool) -> bool:
    """Whether its critic must see held-out samples first.

    Raises:
        SettingError: there are no such statistics.
    """
    if statistics not in get_args(Statistics):
        known = ", ".join(get_args(Statistics))
        raise SettingError(f"statistics of a battle: expected one of {known}; got '{statistics}'")
    if statistics != "batch" and any(layer.running_mean is None for layer in normalisations(game)):
        raise SettingError(
            f"statistics of a battle: {statistics} needs batch normalisation that keeps them, got a critic with "
            f"track_running_stats=False; ask with {BATCH}, and know that a verdict depends on the batches",
            BATCH,
        )
    return game.boundary is None or calibrate or (statistics == "reestimated" and bool(normalisations(game)))


def judges(game: Game) -> bool:
    """Whether anybody in the game says how real a sample is."""
    return type(game).realness is not Game.realness


def normalisations(game: Game) -> list[nn.Module]:
    """The layers of batch normalisation that judge; those that generate have statistics of their own."""
    made = {id(m) for player in game.makers for _, module in modules_of(game, player) for m in module.modules()}
    return [m for m in game.modules() if isinstance(m, _BatchNorm) and id(m) not in made]


@torch.no_grad()
def realness(game: Game, x: Samples, block: int | None = BLOCK) -> Float64[np.ndarray, " n"]:
    """How real a game finds each sample, on the device and in the precision of its parameters.

    Args:
        game: with a realness, in the mode in which it is to be asked.
        x: samples in the range of its own, at least 1.
        block: samples that pass at a time; None for batches of nearly equal size that may normalise themselves.

    Raises:
        DataError: no samples, a realness that is not finite, or none at all.
    """
    if not len(x):
        raise DataError("a critic: expected at least 1 sample, got none")
    parts = _parts(x, OWN) if block is None else torch.split(x, block)
    found = torch.cat([_ask(game, part).double().cpu() for part in parts])
    lost = int((~found.isfinite()).sum())
    if lost:
        raise DataError(f"a critic: expected finite realness, got {lost} of {len(x)} that are not; is training broken?")
    return found.numpy()


def _ask(game: Game, x: Tensor) -> Tensor:
    found = game.realness(x.to(next(game.parameters())))
    if found is None:
        raise DataError(
            f"a battle: expected a game with a critic, got a {type(game).__name__}, in which nobody judges; "
            "let another game's critic judge its samples (one_sided, agon battle RUN --against)"
        )
    return found


def _parts(x: Tensor, size: int) -> Iterator[Tensor]:
    """Nearly equal parts of about `size`: no remainder of a single sample, which has no variance."""
    if len(x) < 2:
        raise DataError(
            f"a critic with batch normalisation: expected at least 2 samples of a kind to normalise by, got {len(x)}; "
            f"give more test samples, of which a fifth is held out, or ask with {RUNNING}",
            RUNNING,
        )
    yield from x.tensor_split(max(1, math.ceil(len(x) / size)))
