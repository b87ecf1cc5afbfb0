"""What every game is: named players, and their losses on one batch."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from agon.data.source import Source
from agon.errors import SettingError


class Batch(NamedTuple):
    """One draw; all randomness is made before the game is played.

    Attributes:
        real: "n c h w" or "n d", in the source's range.
        latent: "n *latent_shape".
        noise: what else the losses need, by name.
        label: "n" class numbers, or None.
    """

    real: Float[Tensor, "n ..."]
    latent: Float[Tensor, "n ..."]
    noise: Mapping[str, Tensor]
    label: Int[Tensor, " n"] | None = None


class Losses(NamedTuple):
    """What one pass through a game gives.

    Attributes:
        players: a scalar to be minimised for each player that was asked for.
        seen: detached scalars for the log, by name ("logit/real").
    """

    players: dict[str, Float[Tensor, ""]]
    seen: dict[str, Float[Tensor, ""]]


class Game(nn.Module, ABC):
    """A differentiable game. `forward` is `losses`, so `torch.func.functional_call` can play it.

    Attributes:
        players: each player's name -> the submodules whose parameters it moves.
        generating_players: the players whose networks `generate` uses; empty where nothing is generated.
        second_order: whether a loss already contains a derivative of a network.
        has_after_update: whether anything is left to be done after a player's move.
        boundary: the realness at which the decision turns from generated to real; None where no loss fixes one and a
            battle must calibrate it.
    """

    players: ClassVar[Mapping[str, Sequence[str]]]
    generating_players: ClassVar[Sequence[str]] = ("generator",)

    @property
    def second_order(self) -> bool:
        return False

    @property
    def has_after_update(self) -> bool:
        return type(self).after_update is not Game.after_update

    @property
    def boundary(self) -> float | None:
        return None

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent, as the generator states it."""

    @abstractmethod
    def generate(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Samples "n *shape" from latents "n *latent_shape"."""

    @abstractmethod
    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        """A scalar for each player named in `of`, from one shared forward pass.

        Pure: draws nothing and never detaches. Whoever moves the players hands in `fake`, with or
        without its history; without it the game makes what it needs from `batch.latent`.
        """

    def forward(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        return self.losses(batch, fake, of=of)

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> dict[str, Tensor]:
        """What else the losses need for a batch of `shape` (n, ...), drawn before the game is played."""
        return {}

    def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
        """Called after each move of a player: for projections (clipping) and slow variables.

        Changes parameters or buffers in place, by differentiable operations: a move calls it without
        gradients, a look-ahead on a twin and with them, so that it differentiates through a projection.
        """

    def realness(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"] | None:
        """How real the game finds each sample, "n", higher is more real; None where nobody judges."""
        return None

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise a SettingError if the networks do not fit samples of `shape`."""

    def check_source(self, source: Source) -> None:
        """Raise a SettingError or a DataError if the game needs more of the data than their shape: labels."""


def modules_of(game: Game, player: str) -> Iterator[tuple[str, nn.Module]]:
    """The named submodules that a player moves."""
    for name in game.players[player]:
        yield name, game.get_submodule(name)


def parameters_of(game: Game, player: str) -> list[nn.Parameter]:
    """The parameters that a player moves, in a fixed order."""
    return [p for _, module in modules_of(game, player) for p in module.parameters()]


def named_parameters_of(game: Game, player: str) -> dict[str, Tensor]:
    """As `parameters_of`, by their names in the game."""
    return {f"{sub}.{n}": p for sub, module in modules_of(game, player) for n, p in module.named_parameters()}


def buffers_of(game: Game, player: str) -> list[Tensor]:
    """The buffers (statistics of normalisation) that change in a player's own move only."""
    return [b for _, module in modules_of(game, player) for b in module.buffers()]


def named_buffers_of(game: Game, player: str) -> dict[str, Tensor]:
    """As `buffers_of`, by their names in the game."""
    return {f"{sub}.{n}": b for sub, module in modules_of(game, player) for n, b in module.named_buffers()}


def latent_shape_of(generator: nn.Module) -> tuple[int, ...]:
    """Shape of one latent, as a generator states it.

    Raises:
        SettingError: it does not.
    """
    shape = getattr(generator, "latent_shape", None)
    if not isinstance(shape, tuple):
        raise SettingError(
            f"{type(generator).__name__}: expected an attribute latent_shape, e.g. (100,), "
            f"got {shape!r}; set self.latent_shape = (100,) in its constructor"
        )
    return shape


def two_samples(game: Game, generator: nn.Module, shape: tuple[int, ...]) -> Float[Tensor, "2 ..."]:
    """What a game's generator makes of two latents of zeros.

    Raises:
        SettingError: they have not the data's shape.
    """
    fake = game.generate(next(game.parameters()).new_zeros(2, *game.latent_shape))
    if tuple(fake.shape) != (2, *shape):
        raise SettingError(
            f"{type(generator).__name__}: expected samples of the data's shape {shape}, "
            f"got {tuple(fake.shape[1:])}; give it the data's shape"
        )
    return fake
