"""The tensors of one unroll, out of a game and its optimisers, for the compiled functions of `vjp`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.functional import Moments
from agon.dynamics.moves import Optimisers
from agon.dynamics.unrolled.flat_groups import FlatGroup, flat_groups
from agon.dynamics.unrolled.inner_step import State
from agon.games.game import Batch, Game

Named = dict[str, Tensor]

SAMPLES = "samples"  # the source that is no parameter


class StepContext(NamedTuple):
    """All that the losses depend on beside the state, the same for every inner step.

    Attributes:
        batch: the turn's own.
        sources: what the surrogate is differentiated in: the samples "n *shape", and the looking player's parameters.
        constants: parameters that stay what they are, by name.
        statistics: the buffers of the player that looks ahead.
    """

    batch: Batch
    sources: Named
    constants: Named
    statistics: Named


class Inputs(NamedTuple):
    """One unroll at one point.

    Attributes:
        game, player, others: who looks ahead at whom.
        groups: of the others' free parameters, all of which are taken to have gradients.
        batch: the turn's own.
        fake: samples "n *shape" with their history, or None.
        buffers: of the whole game.
        parameters: all of them, by name.
    """

    game: Game
    player: str
    others: tuple[str, ...]
    groups: tuple[FlatGroup, ...]
    batch: Batch
    fake: Tensor | None
    buffers: Named
    parameters: Named

    @classmethod
    def of(
        cls,
        game: Game,
        optimisers: Optimisers,
        player: str,
        others: Sequence[str],
        batch: Batch,
        fake: Tensor | None,
        buffers: Named | None = None,
    ) -> "Inputs":
        """Where the game stands now; its buffers where they are given."""
        groups: list[FlatGroup] = []
        parameters = dict[str, Tensor](game.named_parameters())
        for other in others:
            free = {n: p for n, p in of_player(game, other, parameters).items() if p.requires_grad}
            groups += flat_groups(other, free, optimisers[other])
        begun = dict(game.named_buffers()) if buffers is None else buffers
        return cls(game, player, tuple(others), tuple(groups), batch, fake, begun, parameters)

    @property
    def key(self) -> tuple[Any, ...]:
        """What a program is compiled for: settings are its constants, shapes its own."""
        rules = tuple(
            (g.player, *g.parameters, *map(str, sorted(g.rule.keywords.items())), *g.moments)  # type: ignore[attr-defined]
            for g in self.groups
        )
        given = pytree.tree_leaves((tuple(self.batch), self.fake, [list(g.parameters.values()) for g in self.groups]))
        shapes = tuple((t.shape, t.dtype, t.device) for t in given if isinstance(t, Tensor))
        return self.player, rules, shapes, tuple(module.training for module in self.game.modules())

    @property
    def own_parameters(self) -> Named:
        """The looking player's parameters."""
        return of_player(self.game, self.player, self.parameters)

    @property
    def state(self) -> State:
        """θ^0: the others at their live point."""
        vectors = tuple(group.flatten(group.parameters).detach() for group in self.groups)
        moments = tuple(_tensors(group.moments) for group in self.groups)
        return State(vectors, moments, self.buffers)

    def context(self, direct: Sequence[str]) -> StepContext:
        """All else; `direct` are those of the player's parameters that the losses depend on not only by samples."""
        samples = {} if self.fake is None else {SAMPLES: self.fake.detach()}
        ahead = {name for group in self.groups for name in group.parameters}
        constants = {n: p.detach() for n, p in self.parameters.items() if n not in ahead and n not in direct}
        sources = {**samples, **{n: self.parameters[n].detach() for n in direct}}
        statistics = of_player(self.game, self.player, dict(self.game.named_buffers())) if self.buffers else {}
        return StepContext(self.batch, sources, constants, statistics)

    def gradients(self, cotangents: Named, again: bool = False) -> list[Tensor | None]:
        """df_K/dθ_p for each of the player's parameters, from the surrogate's derivatives in the sources.

        Args:
            cotangents: of each source, in its shape.
            again: whether the samples' history will be needed once more.
        """
        own = self.own_parameters
        free = {n: p for n, p in own.items() if p.requires_grad}
        gradients: dict[str, Tensor | None] = {n: cotangents.get(n) for n in free}
        if self.fake is not None and self.fake.requires_grad:
            through = torch.autograd.grad(
                self.fake, list(free.values()), cotangents[SAMPLES], retain_graph=again, allow_unused=True
            )
            gradients = {n: _sum(gradients[n], g) for n, g in zip(free, through, strict=True)}
        return [gradients.get(name) for name in own]


def of_player(game: Game, player: str, tensors: Named) -> Named:
    """What of a game's parameters or buffers, by name, is a player's."""
    submodules = tuple(f"{sub}." for sub in game.players[player])
    return {name: tensor for name, tensor in tensors.items() if name.startswith(submodules)}


def _tensors(moments: Moments) -> Named:
    """The number of steps as a tensor too, so that it is no constant of a program; exact to 2^53."""
    return {n: torch.tensor(float(m), dtype=torch.float64) if n == "step" else m for n, m in moments.items()}


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return other if one is None else one if other is None else one + other
