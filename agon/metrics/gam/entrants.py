"""The two sides of a battle: each game with its critic and samples, and real samples grouped by their use."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from agon.data.order import generator
from agon.errors import DataError, SettingError
from agon.games import Game
from agon.latents import Latent
from agon.metrics.auroc import auroc
from agon.metrics.gam.critic import BattleCritic, Statistics, critic_of
from agon.metrics.gam.outcome import Judgement
from agon.metrics.gam.rates import ErrorRate
from agon.networks.layers import evaluation_mode
from agon.terminal.waiting import tracked

Range = tuple[float, float]
MakeSamples = Callable[[Tensor], Tensor]
HELD = 1000  # the most real samples held out from the test
SHARE = 5  # hold out at most one test sample in so many
CHUNK = 256  # samples generated at a time


def mapped(x: Float[Tensor, "n ..."], source: Range, target: Range) -> Float[Tensor, "n ..."]:
    """Map samples from one range to another by the affine map of the ends; equal ranges change nothing.

    >>> mapped(torch.tensor([-1.0, 0.0, 1.0]), (-1.0, 1.0), (0.0, 1.0))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if source == target:
        return x
    (low, high), (least, greatest) = source, target
    return (x - low) * ((greatest - least) / (high - low)) + least


class RealSamples(NamedTuple):
    """Real samples by their use, `train` those that one game was trained on; None if there are none."""

    test: Float[Tensor, "n ..."] | None
    held: Float[Tensor, "h ..."] | None
    train: Float[Tensor, "t ..."] | None = None

    @property
    def tested(self) -> Float[Tensor, "n ..."]:
        """The test samples, which every battle has."""
        assert self.test is not None  # a battle has a test
        return self.test

    def beside(self, train: Float[Tensor, "t ..."] | None, source: Range, target: Range) -> "RealSamples":
        """The same samples beside those that a game was trained on, in another range."""
        return RealSamples(*(None if x is None else mapped(x, source, target) for x in (self.test, self.held, train)))


class Entrant(NamedTuple):
    """A game in a battle.

    Attributes:
        name: the game's name.
        critic: its critic, ready to judge.
        real: real samples in the game's range.
        samples: its generated samples that are judged.
        range: (least, greatest) value of both.
        scores: its critic's realness of each test sample.
    """

    name: str
    critic: BattleCritic
    real: RealSamples
    samples: Float[Tensor, "m ..."]
    range: Range
    scores: Float64[np.ndarray, " n"]

    @property
    def wrong(self) -> Float64[np.ndarray, " n"]:
        """For each test sample 1 if its critic errs, 0 if not, 1/2 exactly at the threshold."""
        return self.critic.wrong(self.scores, real=True)

    def scores_of(self, opponent: "Entrant") -> Float64[np.ndarray, " m"]:
        """Its critic's realness of the opponent's samples."""
        return self.critic.realness(mapped(opponent.samples, opponent.range, self.range))


def set_apart(
    test: Float[Tensor, "n ..."],
    held: Float[Tensor, "h ..."] | None,
    needed: bool,
    seed: int,
) -> RealSamples:
    """Group the real samples; hold out a part of the test if held-out samples are needed and not given."""
    for x in (test, held):
        if x is not None:
            checked(x, test)
    if held is not None or not needed:
        return RealSamples(test, held if needed else None)
    spare = min(HELD, len(test) // SHARE)
    if not spare:
        raise DataError(
            f"a battle: expected at least {SHARE} test samples, of which some are held out, got {len(test)}"
        )
    order = torch.randperm(len(test), generator=generator("battle held out", seed)).to(test.device)
    return RealSamples(test[order[spare:]], test[order[:spare]])


@torch.no_grad()
def generated_samples(
    game: Game, latent: Latent, generate: MakeSamples, n: int, spare: int, seed: int
) -> Float[Tensor, "n ..."]:
    """Generate n + `spare` samples in evaluation mode, and return them on the CPU."""
    if n < 1:
        raise SettingError(f"n of a battle: expected at least 1 sample, got {n}")
    if not game.generating_players:
        raise DataError(
            f"a battle: expected a game that generates, got a {type(game).__name__}, which generates nothing"
        )
    weight = next(game.parameters())
    latents = latent.sample(n + spare, game.latent_shape, generator("battle", seed))
    parts = tracked(torch.split(latents, CHUNK), "generated samples", len(latents), len)
    with evaluation_mode(game):
        return torch.cat([generate(part.to(weight)).float().cpu() for part in parts])


def checked(x: Float[Tensor, "n ..."], like: Float[Tensor, "m ..."], spare: int = 0) -> Float[Tensor, "n ..."]:
    """Return the samples if they can be judged: the shape of `like`, finite, and more than `spare`."""
    if x.shape[1:] != like.shape[1:] or len(x) <= spare:
        raise DataError(
            f"a battle: expected more than {spare} samples of shape {tuple(like.shape[1:])}, got {len(x)} of "
            f"{tuple(x.shape[1:])}; train both games on the same data"
        )
    non_finite = int((~x.isfinite().flatten(1).all(1)).sum())
    if non_finite:
        raise DataError(f"a battle: expected finite samples, got {non_finite} of {len(x)} that are not")
    return x


def entrant(
    name: str,
    game: Game,
    real: RealSamples,
    samples: Float[Tensor, "n ..."],
    bounds: Range,
    statistics: Statistics,
    calibrate: bool,
) -> Entrant:
    """Prepare a game for a battle: its critic, its judged samples (without the held-out ones) and its test errors."""
    judged = len(samples) - (0 if real.held is None else len(real.held))
    critic = critic_of(game, real.held, samples[judged:], statistics, calibrate)
    return Entrant(name, critic, real, samples[:judged], bounds, critic.realness(real.tested))


def judgement(judge: Entrant, foreign: Float64[np.ndarray, " m"]) -> Judgement:
    """The error rates of one entrant's critic, from its realness of the opponent's samples."""
    critic = judge.critic
    train = None if judge.real.train is None else critic.realness(judge.real.train)
    return Judgement(
        name=judge.name,
        test=rate(judge.wrong),
        foreign=rate(critic.wrong(foreign, real=False)),
        own=rate(critic.wrong(critic.realness(judge.samples), real=False)),
        train=None if train is None else rate(critic.wrong(train, real=True)),
        threshold=judge.critic.threshold,
        protocol=judge.critic.protocol,
        seen=None if train is None else auroc(train, judge.scores),
    )


def rate(wrong: Float64[np.ndarray, " n"]) -> ErrorRate:
    """The error rate from the outcomes of n samples: 1 wrong, 0 right, 1/2 at the threshold."""
    return ErrorRate(float(wrong.sum()), len(wrong))
