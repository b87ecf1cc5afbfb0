"""The interface of all games: named players, and their losses on one batch."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from agon.data.source import Source
from agon.errors import SettingError
from agon.networks.labels import classes_of
from agon.networks.layers import contents


class Batch(NamedTuple):
    """The inputs of one pass through a game; all random numbers are drawn before it.

    Attributes:
        real: "n c h w" or "n d", in the source's range.
        latent: "n *latent_shape".
        noise: other random numbers that the losses need, by name.
        label: class numbers "n" of the real samples, or None; a generator that takes labels gets the same ones.
    """

    real: Float[Tensor, "n ..."]
    latent: Float[Tensor, "n ..."]
    noise: Mapping[str, Tensor]
    label: Int[Tensor, " n"] | None = None


COUNT = "/images"


class Losses(NamedTuple):
    """The result of one pass through a game.

    Attributes:
        players: requested player -> a scalar to minimise.
        seen: detached scalars for the log, by name ("logit/real"): means over the batch, but for the counts of samples,
            whose names end in `COUNT`.
        sums: player -> the terms whose sum its loss is, each with a factor, where players share terms: one pass
            backwards through a term then serves all of them. Empty if there is nothing to share.
    """

    players: dict[str, Float[Tensor, ""]]
    seen: dict[str, Float[Tensor, ""]]
    sums: Mapping[str, Sequence[tuple[float, Float[Tensor, ""]]]] = MappingProxyType({})


class Game(nn.Module, ABC):
    """A differentiable game. `forward` is `losses`, so `torch.func.functional_call` can play it.

    Attributes:
        players: player -> the submodules whose parameters it moves.
        generating_players: the players whose networks `generate` uses; empty if nothing is generated.
        second_order: whether a loss contains a derivative of a network.
        has_after_update: whether the game changes anything after a player's move.
        boundary: the realness that separates generated from real samples; None if no loss fixes one, and a
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
    def generated_classes(self) -> int:
        """The number of classes, if `generate` takes a label for each latent as its second argument; else 0."""
        return 0

    @property
    def judged_classes(self) -> int:
        """The number of classes, if `realness` judges a sample by its label, its second argument; else 0."""
        return 0

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent, as stated by the generator."""

    @abstractmethod
    def generate(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Samples "n *shape" from latents "n *latent_shape"."""

    def generate_for(self, batch: Batch) -> Float[Tensor, "n ..."]:
        """Samples "n *shape" from a batch's latents, with the labels of its real samples if `generate` takes any."""
        return generated(self, batch.latent, batch.label if self.generated_classes else None)

    @abstractmethod
    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        """Compute a scalar loss for each player named in `of`, from one shared forward pass.

        Losses are pure: they draw no random numbers and never detach. The dynamics pass `fake`, with or
        without its history; if it is None, the game generates samples from `batch.latent`.
        """

    def forward(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        return self.losses(batch, fake, of=of)

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> dict[str, Tensor]:
        """Draw the random numbers that the losses need for a batch of `shape` (n, ...)."""
        return {}

    def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
        """Called after each move of a player, for projections (clipping) and slow variables.

        It changes parameters or buffers in place by differentiable operations. A move calls it without
        gradients; a look-ahead calls it with gradients, on a functional module, to differentiate through it.
        """

    def realness(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"] | None:
        """How real each sample is, "n", higher is more real; None if the game does not score samples."""
        return None

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise a SettingError if the networks do not fit samples of `shape`."""

    def check_source(self, source: Source) -> None:
        """Raise a SettingError or a DataError if the data lack what the game needs beyond a shape, such as labels."""


def generated(game: Game, latent: Tensor, label: Tensor | None) -> Tensor:
    """Samples "n *shape" from latents "n *latent_shape", and from labels "n" if the game's generator takes any."""
    if not game.generated_classes:
        return game.generate(latent)
    return game.generate(latent, label)  # type: ignore[call-arg]


def modules_of(game: Game, player: str) -> Iterator[tuple[str, nn.Module]]:
    """Iterate over the submodules that a player moves, by name."""
    for name in game.players[player]:
        yield name, game.get_submodule(name)


def parameters_of(game: Game, player: str) -> list[nn.Parameter]:
    """The parameters that a player moves, in the order of `nn.Module.parameters`."""
    return _tensors_of(game, player, "_parameters")


def named_parameters_of(game: Game, player: str) -> dict[str, Tensor]:
    """The parameters that a player moves, by their names in the game."""
    return {f"{sub}.{n}": p for sub, module in modules_of(game, player) for n, p in module.named_parameters()}


def buffers_of(game: Game, player: str) -> list[Tensor]:
    """The buffers (statistics of normalisation) that change only in a player's own move."""
    return _tensors_of(game, player, "_buffers")


def layers_with_buffers(game: Game, player: str) -> list[nn.Module]:
    """The modules of a player that have buffers of their own, each once."""
    return _tensors_of(game, player, "_layers")


def named_buffers_of(game: Game, player: str) -> dict[str, Tensor]:
    """The buffers that change only in a player's own move, by their names in the game."""
    return {f"{sub}.{n}": b for sub, module in modules_of(game, player) for n, b in module.named_buffers()}


def latent_shape_of(generator: nn.Module) -> tuple[int, ...]:
    """Shape of one latent, as stated by a generator.

    Raises:
        SettingError: the generator has no `latent_shape`.
    """
    shape = getattr(generator, "latent_shape", None)
    if not isinstance(shape, tuple):
        raise SettingError(
            f"{type(generator).__name__}: expected an attribute latent_shape, e.g. (100,), "
            f"got {shape!r}; set self.latent_shape = (100,) in its constructor"
        )
    return shape


def two_samples(game: Game, generator: nn.Module, shape: tuple[int, ...]) -> Float[Tensor, "2 ..."]:
    """Generate two samples from latents of zeros, and labels of 0 if the generator takes any.

    Raises:
        SettingError: the samples do not have the data's shape, or the generator takes labels and the game has none.
    """
    if classes_of(generator) != game.generated_classes:
        raise SettingError(
            f"{type(game).__name__}: expected a generator without labels, got {type(generator).__name__}, which takes "
            "them; play it in an Adversarial game"
        )
    weight = next(game.parameters())
    fake = generated(game, weight.new_zeros(2, *game.latent_shape), weight.new_zeros(2, dtype=torch.int64))
    if tuple(fake.shape) != (2, *shape):
        raise SettingError(
            f"{type(generator).__name__}: expected samples of the data's shape {shape}, "
            f"got {tuple(fake.shape[1:])}; give it the data's shape"
        )
    return fake


Holder = Literal["_parameters", "_buffers", "_layers"]
Structure = dict[tuple[str, Holder], list[Any]]  # what was looked up
_known: dict[int, Structure] = {}  # by the id of a game of fixed structure


@contextmanager
def fixed_structure(game: Game, structure: Structure | None = None) -> Iterator[None]:
    """Within the context no module or tensor of the game is replaced, so players' tensors are looked up only once.

    Every move asks for them several times, and looking them up in small networks took a tenth of a step.

    Args:
        game: the game.
        structure: what earlier contexts have looked up, if nothing was replaced between them either.
    """
    if id(game) in _known:
        yield
        return
    _known[id(game)] = {} if structure is None else structure
    try:
        yield
    finally:
        del _known[id(game)]


def _tensors_of(game: Game, player: str, holder: Holder) -> list[Any]:
    """The tensors of a player's modules, in order, or the layers that hold them."""
    known = _known.get(id(game), {})
    if (player, holder) not in known:
        parts = [contents(module) for _, module in modules_of(game, player)]
        for place, each in enumerate(get_args(Holder)):
            known[player, each] = [item for part in parts for item in part[place]]
    return list(known[player, holder])
