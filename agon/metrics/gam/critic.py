"""A game's critic in a battle: realness that depends on the sample alone, and the threshold of its decision."""

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
from agon.terminal.waiting import tracked

Statistics = Literal["running", "reestimated", "batch"]
DEFAULT: Statistics = "reestimated"
RUNNING, BATCH = (Change("statistics", kind, f"--statistics {kind}") for kind in ("running", "batch"))
BLOCK = 256  # samples that pass a critic at a time
ESTIMATED = 250  # samples of a batch that re-estimates statistics
OWN = 100  # samples of a batch that is normalised by its own statistics


class Threshold(NamedTuple):
    """A critic's threshold: realness above it means real, below it generated, and exactly at it half of each.

    Attributes:
        value: in units of realness.
        n: the number of held-out samples, real and generated together, that it was calibrated on; None if it is the
            objective's boundary.
        error: the mean of the two error rates on those samples; None without calibration.
    """

    value: float
    n: int | None = None
    error: float | None = None


def calibrated(real: Float64[np.ndarray, " n"], fake: Float64[np.ndarray, " m"]) -> Threshold:
    """The threshold t that minimises [P(real <= t) + P(fake > t)] / 2 over held-out samples.

    Candidates lie half way between neighbouring values, and half of the whole span below the least and above the
    greatest value: a critic that is wrong more often than right is best ignored. Of several equally good candidates,
    the function returns the middle one.

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
    margin = (values[-1] - values[0]) / 2
    candidates = np.concatenate([[values[0] - margin], values[:-1] + np.diff(values) / 2, [values[-1] + margin]])
    below = np.concatenate([[-np.inf], values])  # the greatest value that each candidate is above
    missed = np.searchsorted(np.sort(real), below, side="right") / len(real)
    passed = 1 - np.searchsorted(np.sort(fake), below, side="right") / len(fake)
    errors = (missed + passed) / 2
    best = np.flatnonzero(errors <= errors.min() + 1e-12)
    index = best[len(best) // 2]
    return Threshold(float(candidates[index]), n, float(errors[index]))


@dataclass(frozen=True)
class Judge:
    """A critic whose realness of a sample depends on the sample alone, or with "batch" on its batch.

    Attributes:
        game: a copy of the game that provides the realness.
        block: the number of samples that pass at a time; None for batches that normalise themselves.
        statistics: how its statistics were found, in words.
    """

    game: Game
    block: int | None
    statistics: str

    def realness(self, x: Float[Tensor, "n ..."]) -> Float64[np.ndarray, " n"]:
        """How real it finds each sample, in the game's range."""
        return realness(self.game, x, self.block)


@dataclass(frozen=True)
class BattleCritic:
    """A critic that is ready to judge in a battle.

    Attributes:
        judge: the critic.
        threshold: the threshold of its decision.
        protocol: how its statistics and its threshold were found, in words.
    """

    judge: Judge
    threshold: Threshold
    protocol: str

    def realness(self, x: Float[Tensor, "n ..."]) -> Float64[np.ndarray, " n"]:
        """How real it finds each sample, in the game's range."""
        return self.judge.realness(x)

    def wrong(self, scores: Float64[np.ndarray, " n"], *, real: bool) -> Float64[np.ndarray, " n"]:
        """1 for each sample that it gets wrong, 0 for each that it gets right, 1/2 exactly at the threshold.

        Args:
            scores: its realness of the samples.
            real: whether the samples are real.
        """
        above = np.heaviside(scores - self.threshold.value, 0.5)
        return 1 - above if real else above


def critic_of(
    game: Game,
    real: Float[Tensor, "n ..."] | None,
    fake: Float[Tensor, "n ..."] | None,
    statistics: Statistics,
    calibrate: bool,
) -> BattleCritic:
    """Prepare a game's critic on held-out samples; the game itself remains unchanged.

    Args:
        game: a game with a realness.
        real: held-out real samples; None if `needs_held` is false.
        fake: as many samples of the game's own.
        statistics: how batch normalisation normalises, as in `battle`.
        calibrate: whether to calibrate the threshold even if the game has a boundary.
    """
    judge = judge_of(game, real, fake, statistics)
    if game.boundary is not None and not calibrate:
        return BattleCritic(judge, Threshold(game.boundary), f"{judge.statistics}, boundary {game.boundary:g}")
    threshold = calibrated(judge.realness(_required(real)), judge.realness(_required(fake)))
    return BattleCritic(judge, threshold, f"{judge.statistics}, calibrated on {threshold.n} held-out samples")


def judge_of(
    game: Game, real: Float[Tensor, "n ..."] | None, fake: Float[Tensor, "n ..."] | None, statistics: Statistics
) -> Judge:
    """Copy a game's critic and find its statistics; the game itself remains unchanged.

    Args:
        game: a game with a realness.
        real: held-out real samples; None if `reestimates` is false.
        fake: as many samples of the game's own.
        statistics: how batch normalisation normalises, as in `battle`.
    """
    judge = copy.deepcopy(game).eval().requires_grad_(False)
    layers = normalisations(judge)
    if not layers:
        return Judge(judge, BLOCK, "no batch normalisation")
    if statistics == "reestimated":
        _reestimate(judge, layers, _required(real), _required(fake))
        return Judge(judge, BLOCK, f"statistics of {len(_required(real))} held-out real and as many own samples")
    if statistics == "batch":
        for layer in layers:
            layer.train()
        return Judge(judge, None, f"statistics of each batch of {OWN}")
    return Judge(judge, BLOCK, "running statistics")


def _required(held: Tensor | None) -> Tensor:
    assert held is not None  # who asks for a critic has asked `needs_held` or `reestimates` first
    return held


def _reestimate(judge: Game, layers: Sequence[nn.Module], real: Tensor, fake: Tensor) -> None:
    """Set the statistics to their plain mean over batches, half of them all real, half all generated."""
    parts = [part for pair in zip(_parts(real, ESTIMATED), _parts(fake, ESTIMATED), strict=True) for part in pair]
    passes = iter(parts)
    restate(layers, lambda: _realness_of_part(judge, next(passes)), len(parts))
    judge.eval()


def needs_held(game: Game, statistics: str, calibrate: bool) -> bool:
    """Whether a game's critic needs held-out samples before it can judge.

    Raises:
        DataError: the critic judges samples by their labels.
        SettingError: `statistics` is unknown, or the critic does not keep them.
    """
    if game.judged_classes:
        raise DataError(
            "a battle: expected critics that judge samples alone, got one that judges them by their labels, which the "
            "other side's samples need not have; compare such runs by agon evaluate --metrics class-accuracy,intra-kid"
        )
    if statistics not in get_args(Statistics):
        known = ", ".join(get_args(Statistics))
        raise SettingError(f"statistics of a battle: expected one of {known}; got '{statistics}'")
    if statistics != "batch" and any(layer.running_mean is None for layer in normalisations(game)):
        raise SettingError(
            f"statistics of a battle: {statistics} needs batch normalisation that keeps them, got a critic with "
            f"track_running_stats=False; ask with {BATCH}, and know that a verdict depends on the batches",
            BATCH,
        )
    return game.boundary is None or calibrate or reestimates(game, statistics)


def reestimates(game: Game, statistics: str) -> bool:
    """Whether a game's critic needs held-out samples for its statistics."""
    return statistics == "reestimated" and bool(normalisations(game))


def judges(game: Game) -> bool:
    """Whether the game defines a realness, so that it can judge samples."""
    return type(game).realness is not Game.realness


def normalisations(game: Game) -> list[nn.Module]:
    """The batch normalisation layers of the players that judge, without those of the players that generate."""
    generating = {
        id(m) for player in game.generating_players for _, module in modules_of(game, player) for m in module.modules()
    }
    return [m for m in game.modules() if isinstance(m, _BatchNorm) and id(m) not in generating]


@torch.no_grad()
def realness(game: Game, x: Float[Tensor, "n ..."], block: int | None = BLOCK) -> Float64[np.ndarray, " n"]:
    """How real a game finds each sample, on the device and in the precision of its parameters.

    Args:
        game: a game with a realness, in the mode in which it shall judge.
        x: at least 1 sample, in the game's range.
        block: the number of samples that pass at a time; None for batches of nearly equal size that may normalise
            themselves.

    Raises:
        DataError: there are no samples, realness is not finite, or the game has none.
    """
    if not len(x):
        raise DataError("a critic: expected at least 1 sample, got none")
    parts = tuple(_parts(x, OWN)) if block is None else torch.split(x, block)
    judged = tracked(parts, "samples before a critic", len(x), len) if len(parts) > 1 else parts
    scores = torch.cat([_realness_of_part(game, part).double().cpu() for part in judged])
    non_finite = int((~scores.isfinite()).sum())
    if non_finite:
        raise DataError(
            f"a critic: expected finite realness, got {non_finite} of {len(x)} that are not; is training broken?"
        )
    return scores.numpy()


def _realness_of_part(game: Game, x: Tensor) -> Tensor:
    scores = game.realness(x.to(next(game.parameters())))
    if scores is None:
        raise DataError(
            f"a battle: expected a game with a critic, got a {type(game).__name__}, in which nobody judges; "
            "let another game's critic judge its samples (one_sided, agon battle RUN --against)"
        )
    return scores


def _parts(x: Tensor, size: int) -> Iterator[Tensor]:
    """Split samples into nearly equal parts of about `size`; none is a single sample, which has no variance."""
    if len(x) < 2:
        raise DataError(
            f"a critic with batch normalisation: expected at least 2 samples of a kind to normalise by, got {len(x)}; "
            f"give more test samples, of which a fifth is held out, or ask with {RUNNING}",
            RUNNING,
        )
    yield from x.tensor_split(max(1, math.ceil(len(x) / size)))
