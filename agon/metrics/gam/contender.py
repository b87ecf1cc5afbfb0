"""What a battle is fought with: real samples by what they are for, and each game with its critic and its samples."""

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
from agon.metrics.gam.critic import Critic, Statistics, critic_of
from agon.metrics.gam.outcome import Side
from agon.metrics.gam.rates import ErrorRate
from agon.networks.layers import evaluation_mode

Range = tuple[float, float]
Generate = Callable[[Tensor], Tensor]
Samples = Float[Tensor, "n ..."]
HELD = 1000  # real samples that are set apart from the test, at most
SHARE = 5  # and no more than one in as many
CHUNK = 256  # samples that are generated at a time


def mapped(x: Samples, source: Range, target: Range) -> Samples:
    """Samples from one range in another, by the affine map of their ends; equal ranges leave them as they are.

    >>> mapped(torch.tensor([-1.0, 0.0, 1.0]), (-1.0, 1.0), (0.0, 1.0))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if source == target:
        return x
    (low, high), (least, greatest) = source, target
    return (x - low) * ((greatest - least) / (high - low)) + least


class RealSamples(NamedTuple):
    """Real samples, by what they are for; None where there are none."""

    test: Tensor | None
    held: Tensor | None
    train: Tensor | None

    @property
    def tested(self) -> Tensor:
        assert self.test is not None  # a battle has a test
        return self.test

    def mapped(self, source: Range, target: Range) -> "RealSamples":
        return RealSamples(*(None if x is None else mapped(x, source, target) for x in self))


class Contender(NamedTuple):
    """A game in a battle.

    Attributes:
        name: of the game.
        critic: made ready.
        real: samples in its range.
        shown: its own, those that are judged.
        range: of both.
        wrong: its critic's outcomes on the test.
    """

    name: str
    critic: Critic
    real: RealSamples
    shown: Tensor
    range: Range
    wrong: Float64[np.ndarray, " n"]


def set_apart(test: Tensor, held: Tensor | None, train: Tensor | None, needed: bool, seed: int) -> RealSamples:
    """The test, of which a part is set apart if it is needed and not given."""
    for x in (test, held, train):
        if x is not None:
            checked(x, test)
    if held is not None or not needed:
        return RealSamples(test, held if needed else None, train)
    spare = min(HELD, len(test) // SHARE)
    if not spare:
        raise DataError(
            f"a battle: expected at least {SHARE} test samples, of which some are held out, got {len(test)}"
        )
    order = torch.randperm(len(test), generator=generator("battle held out", seed)).to(test.device)
    return RealSamples(test[order[spare:]], test[order[:spare]], train)


@torch.no_grad()
def made(game: Game, latent: Latent, generate: Generate, n: int, spare: int, seed: int) -> Tensor:
    """n samples and as many more as are held out, made in evaluation mode; on the CPU."""
    if n < 1:
        raise SettingError(f"n of a battle: expected at least 1 sample, got {n}")
    if not game.makers:
        raise DataError(
            f"a battle: expected a game that generates, got a {type(game).__name__}, which generates nothing"
        )
    weight = next(game.parameters())
    latents = latent.sample(n + spare, game.latent_shape, generator("battle", seed))
    with evaluation_mode(game):
        return torch.cat([generate(part.to(weight)).float().cpu() for part in torch.split(latents, CHUNK)])


def checked(x: Tensor, like: Tensor, spare: int = 0) -> Tensor:
    """Samples that can be judged: of the shape of others, finite, more than are held out."""
    if x.shape[1:] != like.shape[1:] or len(x) <= spare:
        raise DataError(
            f"a battle: expected more than {spare} samples of shape {tuple(like.shape[1:])}, got {len(x)} of "
            f"{tuple(x.shape[1:])}; train both games on the same data"
        )
    lost = int((~x.isfinite().flatten(1).all(1)).sum())
    if lost:
        raise DataError(f"a battle: expected finite samples, got {lost} of {len(x)} that are not")
    return x


def contender(
    name: str, game: Game, real: RealSamples, own: Tensor, bounds: Range, statistics: Statistics, calibrate: bool
) -> Contender:
    shown = len(own) - (0 if real.held is None else len(real.held))
    critic = critic_of(game, real.held, own[shown:], statistics, calibrate)
    return Contender(name, critic, real, own[:shown], bounds, critic.wrong(real.tested, real=True))


def side(mine: Contender, other: Contender) -> Side:
    """How the one's critic judged."""
    ask, train = mine.critic.wrong, mine.real.train
    return Side(
        name=mine.name,
        test=rate(mine.wrong),
        foreign=rate(ask(mapped(other.shown, other.range, mine.range), real=False)),
        own=rate(ask(mine.shown, real=False)),
        train=None if train is None else rate(ask(train, real=True)),
        threshold=mine.critic.threshold,
        protocol=mine.critic.protocol,
    )


def rate(wrong: Float64[np.ndarray, " n"]) -> ErrorRate:
    return ErrorRate(float(wrong.sum()), len(wrong))
