"""Games of one experiment under many seeds as one batched game: every tensor has the seeds as its first dimension."""

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import vmap

from agon.dynamics.unrolled import AHEAD, FunctionalModule, slots_of
from agon.games import Batch, Game, Losses

EACH = "each/"  # before a player's name: the losses of all seeds, among what was seen
Slot = tuple[dict[str, Any], str]  # where a module keeps a tensor


class BatchedGame(Game):
    """S games that play at once, as one ordinary game, which any dynamics can move.

    A player's loss is the sum of its losses over the seeds. The term of seed s depends on slice s of
    the parameters alone, so slice s of any derivative of the sum is the one that seed s has alone; an
    optimiser that treats every number by itself then makes S steps in one. What is seen has one number
    a seed, and the losses of each are there as well: see `of_seed`.

    Args:
        games: of one class and settings; copied.

    Attributes:
        skeleton: the first game's copy around the stacked parameters and buffers; it cannot play itself.
    """

    def __init__(self, games: Sequence[Game]) -> None:
        super().__init__()
        first, buffers = games[0], _together([dict(game.named_buffers()) for game in games])
        together = _together([dict(game.named_parameters()) for game in games])
        parameters = {
            name: nn.Parameter(own, first.get_parameter(name).requires_grad) for name, own in together.items()
        }
        twin = FunctionalModule(copy.deepcopy(first), {**buffers, **parameters})
        assert isinstance(twin.module, Game)
        self.skeleton = twin.module
        of_class = {player: tuple(f"skeleton.{name}" for name in names) for player, names in first.players.items()}
        vars(self).update(players=of_class, generating_players=first.generating_players, _found=(None, []))

    @property
    def second_order(self) -> bool:
        return self.skeleton.second_order

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return self.skeleton.latent_shape

    def generate(self, latent: Tensor) -> Tensor:
        """Samples "s n *shape" from latents "s n *latent_shape"."""
        samples: Tensor = self._played(lambda given: self.skeleton.generate(given["latent"]), {"latent": latent})
        return samples

    def losses(self, batch: Batch, fake: Tensor | None = None, *, of: Collection[str]) -> Losses:
        """Sums over the seeds, which are the first dimension of `fake` and of every field of the batch."""

        def told(given: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
            own = Batch(given["real"], given["latent"], given["noise"], given.get("label"))
            losses = self.skeleton.losses(own, given.get("fake"), of=of)
            return losses.players, losses.seen

        present = {"real": batch.real, "latent": batch.latent, "noise": dict(batch.noise)}
        absent = {"label": batch.label, "fake": fake}
        players, seen = self._played(told, present | {name: t for name, t in absent.items() if t is not None})
        each = {EACH + player: losses.detach() for player, losses in players.items()}  # "s"
        return Losses({player: losses.sum() for player, losses in players.items()}, seen | each)

    def _played(self, play: Callable[[Mapping[str, Any]], Any], given: Mapping[str, Any]) -> Any:
        """What `play` gives for every seed, with the tensors that the skeleton has at this moment."""
        slots = self._slots()
        stacked = [own[key] for (own, key), *_ in slots]

        def one(tensors: list[Tensor], given: Mapping[str, Any]) -> Any:
            _put(slots, tensors)
            return play(given)

        try:
            return vmap(one)(stacked, given)
        finally:
            _put(slots, stacked)

    def _slots(self) -> list[list[Slot]]:
        """Of the skeleton, looked for once; a look-ahead's twin of this game has a skeleton of its own."""
        skeleton, slots = vars(self)["_found"]
        if skeleton is not self.skeleton:
            slots = list(slots_of(self.skeleton).values())
            vars(self)["_found"] = (self.skeleton, slots)
        found: list[list[Slot]] = slots
        return found


class BatchedSettlingGame(BatchedGame):
    """The same for a game whose moves end with something: it is done to all seeds' tensors at once."""

    def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
        self.skeleton.after_update(player, seen)


def batched_game(games: Sequence[Game]) -> BatchedGame:
    """The games as one."""
    return BatchedSettlingGame(games) if games[0].has_after_update else BatchedGame(games)


def stack_batches(batches: Sequence[Batch]) -> Batch:
    """One batch out of each seed's own."""
    first = batches[0]
    return Batch(
        torch.stack([batch.real for batch in batches]),
        torch.stack([batch.latent for batch in batches]),
        {name: torch.stack([batch.noise[name] for batch in batches]) for name in first.noise},
        None if first.label is None else torch.stack([batch.label for batch in batches if batch.label is not None]),
    )


def losses_of_each(losses: Losses) -> dict[str, Tensor]:
    """Of every player its losses "s", as a batched game has given them."""
    seen = losses.seen
    return {
        player: seen[AHEAD + EACH + player if AHEAD + EACH + player in seen else EACH + player]
        for player in losses.players
    }


def of_seed(losses: Losses, index: int) -> Losses:
    """What the game of one seed would have given alone."""
    own = {name: value[index] for name, value in losses.seen.items() if not name.removeprefix(AHEAD).startswith(EACH)}
    return Losses({player: each[index] for player, each in losses_of_each(losses).items()}, own)


def _together(tensors: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([own[name].detach() for own in tensors]) for name in tensors[0]}


def _put(slots: Sequence[Sequence[Slot]], tensors: Sequence[Tensor]) -> None:
    for places, tensor in zip(slots, tensors, strict=True):
        for own, key in places:
            own[key] = tensor
