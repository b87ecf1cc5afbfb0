"""What some players' optimisers would do next, as a differentiable function of everything else.

θ⁰ = θ,  θᵏ⁺¹ = θᵏ + Δ(∇L(θᵏ)),  k < K: metz2017, equations 6 to 8, with Δ the player's own optimiser,
carried on from its live moments. The live players are never touched: a twin of the module plays.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from agon.dynamics.blocks import Block, blocks_of
from agon.dynamics.functional import Moments
from agon.dynamics.processes import average
from agon.dynamics.twin import Twin

Losses = Callable[[nn.Module, int], Mapping[str, Tensor]]
Gradients = Mapping[str, Mapping[str, Tensor | None]]


class Position(NamedTuple):
    """Where the players would be after some steps.

    Attributes:
        vectors: one a block.
        moments: the same, of each block's optimiser.
        buffers: all of the module, by name.
    """

    vectors: tuple[Tensor, ...]
    moments: tuple[Moments, ...]
    buffers: dict[str, Tensor]


class LookAhead:
    """The next steps of some players, all of them moving together.

    Args:
        module: what plays; not touched.
        players: the live parameters that each of them moves, by their names in the module.
        optimisers: each player's own; not touched.
        losses: of each player, as a twin of the module plays step k.
        settle: what a player's move ends with (a projection), done to the twin; None if with nothing.
        attached: players whose present parameters are differentiated through as well.
        buffers: where the module's begin; where they are now, if None.
        saving: keep no inner step's intermediate results, but compute them anew in the backward pass.

    Attributes:
        twin: the module that plays in its stead.
    """

    def __init__(
        self,
        module: nn.Module,
        players: Mapping[str, Mapping[str, Tensor]],
        optimisers: Mapping[str, torch.optim.Optimizer],
        losses: Losses = lambda module, k: {},
        *,
        settle: Callable[[nn.Module, str], None] | None = None,
        attached: Collection[str] = (),
        buffers: Mapping[str, Tensor] | None = None,
        saving: bool = False,
    ) -> None:
        self.twin = Twin(module)
        self._players = {player: {n: p for n, p in own.items() if p.requires_grad} for player, own in players.items()}
        self._present = {
            player: own if player in attached else {n: p.detach().requires_grad_() for n, p in own.items()}
            for player, own in self._players.items()
        }
        self._optimisers, self._losses, self._settle, self._saving = optimisers, losses, settle, saving
        begun = dict(module.named_buffers()) if buffers is None else buffers
        self._buffers = {name: buffer.clone() for name, buffer in begun.items()}
        self._blocks: tuple[Block, ...] = ()

    def run(self, steps: int, first: Gradients | None = None) -> nn.Module:
        """The module as it would be, for what is wanted of it there.

        Args:
            steps: K.
            first: the gradients of step 0, averaged over processes and with their history, if known.
        """
        if not steps:
            self._place(None)
            return self.twin.module
        position = self._first_step(first) if first else self._checkpointed(self._first_step, None)
        for k in range(1, steps):
            position = self._checkpointed(self._step, position, k)
        self._place(position)
        return self.twin.module

    def _checkpointed(self, step: Callable[..., Position], *given: object) -> Position:
        if not self._saving:
            return step(*given)
        position: Position = checkpoint(step, *given, use_reentrant=False)
        return position

    def _first_step(self, known: Gradients | None) -> Position:
        """From the live point; a parameter that no loss reaches stays there."""
        self._place(None)
        gradients = known or self._at_live_point()
        self._blocks = tuple(
            block
            for player, own in self._players.items()
            for block in blocks_of(
                player, {n: p for n, p in own.items() if gradients[player][n] is not None}, self._optimisers[player]
            )
        )
        ahead = [block.join(gradients[block.player]) for block in self._blocks]
        start = [block.join(self._present[block.player]) for block in self._blocks]
        return self._moved(start, ahead if known else _averaged(ahead), [b.moments for b in self._blocks])

    def _step(self, position: Position, k: int) -> Position:
        self._place(position)
        told = self._losses(self.twin.module, k)
        ahead = [
            torch.autograd.grad(told[block.player], vector, create_graph=True, materialize_grads=True)[0]
            for block, vector in zip(self._blocks, position.vectors, strict=True)
        ]
        return self._moved(position.vectors, _averaged(ahead), position.moments)

    def _at_live_point(self) -> Gradients:
        """Each player's gradients, with their history; None for a parameter that its loss does not reach."""
        told, found = self._losses(self.twin.module, 0), {}
        for player, own in self._present.items():
            gradients = torch.autograd.grad(told[player], list(own.values()), create_graph=True, allow_unused=True)
            found[player] = dict(zip(own, gradients, strict=True))
        return found

    def _moved(self, vectors: Sequence[Tensor], gradients: Sequence[Tensor], moments: Sequence[Moments]) -> Position:
        """One step of all players' optimisers."""
        moved = [
            block.rule(vector, gradient, remembered)
            for block, vector, gradient, remembered in zip(self._blocks, vectors, gradients, moments, strict=True)
        ]
        after = [m.parameter if m.parameter.requires_grad else m.parameter.requires_grad_() for m in moved]
        position = Position(tuple(after), tuple(m.moments for m in moved), self.twin.get(self._buffers))
        return position if self._settle is None else self._settled(position, self._settle)

    def _settled(self, position: Position, settle: Callable[[nn.Module, str], None]) -> Position:
        """The same after what each player's move ends with: it changes the twin in place, differentiably."""
        for block, vector in zip(self._blocks, position.vectors, strict=True):
            self.twin.put({name: part.clone() for name, part in block.cut(vector).items()})
        for player in self._players:
            settle(self.twin.module, player)
        vectors = tuple(block.join(self.twin.get(block.live)) for block in self._blocks)
        return Position(vectors, position.moments, self.twin.get(self._buffers))

    def _place(self, position: Position | None) -> None:
        """Give the twin a position's parameters, and buffers of its own that it may change."""
        buffers = self._buffers if position is None else position.buffers
        self.twin.put({name: buffer.clone() for name, buffer in buffers.items()})
        if position is None:
            for own in self._present.values():
                self.twin.put(own)
        else:
            for block, vector in zip(self._blocks, position.vectors, strict=True):
                self.twin.put(block.cut(vector))


def _averaged(gradients: list[Tensor]) -> list[Tensor]:
    return [each for each in average(list(gradients)) if each is not None]
