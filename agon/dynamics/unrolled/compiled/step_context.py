"""The tensors of one unroll, from a game and its optimisers, for the compiled functions of `vjp`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.functional import NUMBERS, OptimiserMoments
from agon.dynamics.moves import Optimisers
from agon.dynamics.unrolled.flat_groups import FlatGroup, flat_groups
from agon.dynamics.unrolled.inner_step import InnerState
from agon.games.game import Batch, Game

NamedTensors = dict[str, Shaped[Tensor, "..."]]

SAMPLES = "samples"  # the only source that is not a parameter


class StepContext(NamedTuple):
    """Everything but the state on which the losses depend, the same for all inner steps.

    Attributes:
        batch: the turn's batch.
        sources: tensors in which the surrogate is differentiated: the samples "n *shape", and parameters of the
            looking player.
        constants: parameters that do not change, by name.
        statistics: the buffers of the player that looks ahead.
    """

    batch: Batch
    sources: NamedTensors
    constants: NamedTensors
    statistics: NamedTensors


class Inputs(NamedTuple):
    """One unroll at one point.

    Attributes:
        game, player, others: who looks ahead at whom.
        groups: flat groups of the others' free parameters, all of which are assumed to have gradients.
        batch: the turn's batch.
        fake: samples "n *shape" with their history, or None.
        buffers: all buffers of the game, by name.
        parameters: all parameters of the game, by name.
    """

    game: Game
    player: str
    others: tuple[str, ...]
    groups: tuple[FlatGroup, ...]
    batch: Batch
    fake: Float[Tensor, "n ..."] | None
    buffers: NamedTensors
    parameters: NamedTensors

    @classmethod
    def of(
        cls,
        game: Game,
        optimisers: Optimisers,
        player: str,
        others: Sequence[str],
        batch: Batch,
        fake: Float[Tensor, "n ..."] | None,
        buffers: NamedTensors | None = None,
    ) -> "Inputs":
        """The inputs at the game's current point, with `buffers` in place of its own if given."""
        groups: list[FlatGroup] = []
        parameters = NamedTensors(game.named_parameters())
        for other in others:
            free = {n: p for n, p in of_player(game, other, parameters).items() if p.requires_grad}
            groups += flat_groups(other, free, optimisers[other])
        buffers = dict(game.named_buffers()) if buffers is None else buffers
        return cls(game, player, tuple(others), tuple(groups), batch, fake, buffers, parameters)

    @property
    def key(self) -> tuple[Any, ...]:
        """What a program is compiled for: the players, settings, shapes and training flags."""
        rules = tuple(
            (g.player, *g.parameters, *map(str, sorted(g.rule.keywords.items())), *g.moments)  # type: ignore[attr-defined]
            for g in self.groups
        )
        leaves = pytree.tree_leaves((tuple(self.batch), self.fake, [list(g.parameters.values()) for g in self.groups]))
        shapes = tuple((t.shape, t.dtype, t.device) for t in leaves if isinstance(t, Tensor))
        return self.player, rules, shapes, tuple(module.training for module in self.game.modules())

    @property
    def own_parameters(self) -> NamedTensors:
        """The looking player's parameters."""
        return of_player(self.game, self.player, self.parameters)

    @property
    def state(self) -> InnerState:
        """The state at θ^0: the others at their live point."""
        vectors = tuple(group.flatten(group.parameters).detach() for group in self.groups)
        moments = tuple(_tensors(group.moments) for group in self.groups)
        return InnerState(vectors, moments, self.buffers)

    def context(self, direct: Sequence[str]) -> StepContext:
        """Everything else; `direct` names the player's parameters on which losses depend other than through samples."""
        samples = {} if self.fake is None else {SAMPLES: self.fake.detach()}
        ahead = {name for group in self.groups for name in group.parameters}
        constants = {n: p.detach() for n, p in self.parameters.items() if n not in ahead and n not in direct}
        sources = {**samples, **{n: self.parameters[n].detach() for n in direct}}
        statistics = of_player(self.game, self.player, dict(self.game.named_buffers())) if self.buffers else {}
        return StepContext(self.batch, sources, constants, statistics)

    def gradients(self, cotangents: NamedTensors, again: bool = False) -> list[Float[Tensor, "..."] | None]:
        """df_K/dθ_p for each of the player's parameters, from the surrogate's derivatives in the sources.

        Args:
            cotangents: the surrogate's derivative in each source, in its shape.
            again: whether to keep the samples' history for another pass.
        """
        parameters = self.own_parameters
        free = {n: p for n, p in parameters.items() if p.requires_grad}
        gradients: dict[str, Tensor | None] = {n: cotangents.get(n) for n in free}
        if self.fake is not None and self.fake.requires_grad:
            through = torch.autograd.grad(
                self.fake, list(free.values()), cotangents[SAMPLES], retain_graph=again, allow_unused=True
            )
            gradients = {n: _sum(gradients[n], g) for n, g in zip(free, through, strict=True)}
        return [gradients.get(name) for name in parameters]


def of_player(game: Game, player: str, tensors: NamedTensors) -> NamedTensors:
    """Select a player's tensors from a game's parameters or buffers."""
    submodules = tuple(f"{sub}." for sub in game.players[player])
    return {name: tensor for name, tensor in tensors.items() if name.startswith(submodules)}


def _tensors(moments: OptimiserMoments) -> NamedTensors:
    """Convert numbers to tensors, so that they are not constants of a program; steps are exact to 2^53."""
    return {n: torch.tensor(float(m), dtype=torch.float64) if n in NUMBERS else m for n, m in moments.items()}


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return other if one is None else one if other is None else one + other
