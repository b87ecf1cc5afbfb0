"""One batched game for many seeds of an experiment: every tensor has the seeds as its first dimension."""

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.func import vmap

from agon.dynamics.unrolled import AHEAD, FunctionalModule, slots_of
from agon.games import Batch, Game, Losses
from agon.games.game import generated

EACH = "each/"  # prefix of a player's name: the losses of all seeds, among the scalars for the log
Scalars = dict[str, Float[Tensor, ""]]
Slot = tuple[dict[str, Any], str]  # the dictionary and key under which a module keeps a tensor


class BatchedGame(Game):
    """S games that play at once, as one ordinary game for any dynamics.

    A player's loss is the sum of its losses over the seeds. The term of seed s depends only on slice s of
    the parameters, so slice s of any derivative of the sum is the derivative that seed s has alone. An
    elementwise optimiser then makes S steps in one. The scalars for the log have one number for each seed,
    and include the losses of each seed: see `of_seed`.

    Args:
        games: games of one class with the same settings; copied.

    Attributes:
        skeleton: a copy of the first game with the stacked parameters and buffers; it cannot play by itself.
    """

    def __init__(self, games: Sequence[Game]) -> None:
        super().__init__()
        first, buffers = games[0], _stacked([dict(game.named_buffers()) for game in games])
        stacked = _stacked([dict(game.named_parameters()) for game in games])
        parameters = {
            name: nn.Parameter(tensor, first.get_parameter(name).requires_grad) for name, tensor in stacked.items()
        }
        functional = FunctionalModule(copy.deepcopy(first), {**buffers, **parameters})
        assert isinstance(functional.module, Game)
        self.skeleton = functional.module
        players = {player: tuple(f"skeleton.{name}" for name in names) for player, names in first.players.items()}
        vars(self).update(players=players, generating_players=first.generating_players, _cached_slots=(None, []))

    @property
    def second_order(self) -> bool:
        return self.skeleton.second_order

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return self.skeleton.latent_shape

    @property
    def generated_classes(self) -> int:
        return self.skeleton.generated_classes

    @property
    def judged_classes(self) -> int:
        return self.skeleton.judged_classes

    def generate(
        self, latent: Float[Tensor, "s n ..."], label: Int[Tensor, "s n"] | None = None
    ) -> Float[Tensor, "s n ..."]:
        """Samples "s n *shape" from latents "s n *latent_shape", and from labels "s n" if the games take any."""
        inputs = {"latent": latent} if label is None else {"latent": latent, "label": label}
        samples: Tensor = self._played(
            lambda inputs: generated(self.skeleton, inputs["latent"], inputs.get("label")), inputs
        )
        return samples

    def losses(self, batch: Batch, fake: Float[Tensor, "s n ..."] | None = None, *, of: Collection[str]) -> Losses:
        """Losses summed over the seeds, which are the first dimension of `fake` and of every field of the batch."""

        def losses_of_one(inputs: Mapping[str, Any]) -> tuple[Scalars, Scalars]:
            batch = Batch(inputs["real"], inputs["latent"], inputs["noise"], inputs.get("label"))
            losses = self.skeleton.losses(batch, inputs.get("fake"), of=of)
            return losses.players, losses.seen

        required = {"real": batch.real, "latent": batch.latent, "noise": dict(batch.noise)}
        optional = {name: t for name, t in {"label": batch.label, "fake": fake}.items() if t is not None}
        players, seen = self._played(losses_of_one, required | optional)
        by_seed = {EACH + player: losses.detach() for player, losses in players.items()}  # "s"
        return Losses({player: losses.sum() for player, losses in players.items()}, seen | by_seed)

    def _played(self, play: Callable[[Mapping[str, Any]], Any], inputs: Mapping[str, Any]) -> Any:
        """Call `play` for every seed at once, with the skeleton's current tensors."""
        slots = self._slots()
        stacked = [holder[key] for (holder, key), *_ in slots]

        def one(tensors: list[Shaped[Tensor, "..."]], inputs: Mapping[str, Any]) -> Any:
            _put(slots, tensors)
            return play(inputs)

        try:
            return vmap(one)(stacked, inputs)
        finally:
            _put(slots, stacked)

    def _slots(self) -> list[list[Slot]]:
        """The skeleton's slots, cached; in a look-ahead, a functional module of this game has another skeleton."""
        skeleton, slots = vars(self)["_cached_slots"]
        if skeleton is not self.skeleton:
            slots = list(slots_of(self.skeleton).values())
            vars(self)["_cached_slots"] = (self.skeleton, slots)
        current: list[list[Slot]] = slots
        return current


class BatchedUpdatingGame(BatchedGame):
    """A batched game with an `after_update`, which changes all seeds' tensors at once."""

    def after_update(self, player: str, seen: Mapping[str, Float[Tensor, " s"]]) -> None:
        self.skeleton.after_update(player, seen)


def batched_game(games: Sequence[Game]) -> BatchedGame:
    """Combine games to one batched game."""
    return BatchedUpdatingGame(games) if games[0].has_after_update else BatchedGame(games)


def stack_batches(batches: Sequence[Batch]) -> Batch:
    """Stack the seeds' batches to one."""
    first = batches[0]
    return Batch(
        torch.stack([batch.real for batch in batches]),
        torch.stack([batch.latent for batch in batches]),
        {name: torch.stack([batch.noise[name] for batch in batches]) for name in first.noise},
        None if first.label is None else torch.stack([batch.label for batch in batches if batch.label is not None]),
    )


def losses_of_each(losses: Losses) -> dict[str, Float[Tensor, " s"]]:
    """Each player's losses "s", one for each seed, from a batched game's losses."""
    seen = losses.seen
    return {
        player: seen[AHEAD + EACH + player if AHEAD + EACH + player in seen else EACH + player]
        for player in losses.players
    }


def of_seed(losses: Losses, index: int) -> Losses:
    """The losses of one seed, as its game would return them alone."""
    seen = {name: value[index] for name, value in losses.seen.items() if not name.removeprefix(AHEAD).startswith(EACH)}
    return Losses({player: values[index] for player, values in losses_of_each(losses).items()}, seen)


def _stacked(tensors: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([tensors_of_seed[name].detach() for tensors_of_seed in tensors]) for name in tensors[0]}


def _put(slots: Sequence[Sequence[Slot]], tensors: Sequence[Tensor]) -> None:
    for places, tensor in zip(slots, tensors, strict=True):
        for holder, key in places:
            holder[key] = tensor
