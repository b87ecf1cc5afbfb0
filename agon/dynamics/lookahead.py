"""What some players' optimisers would do next, as a differentiable function of everything else.

θ⁰ = θ,  θᵏ⁺¹ = θᵏ + Δ(∇L(θᵏ)),  k < K: metz2017, equations 6 to 8, with Δ the player's own optimiser,
carried on from its live moments. The live players are never touched: a twin of the module plays.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from agon.dynamics.blocks import Block, blocks_of
from agon.dynamics.functional import Moments
from agon.dynamics.guard import Guard
from agon.dynamics.processes import average
from agon.dynamics.twin import Twin, as_written

Losses = Callable[[nn.Module, int], Mapping[str, Tensor]]
Gradients = Mapping[str, Mapping[str, Tensor | None]]


class Position(NamedTuple):
    """Where the players would be after some steps.

    Attributes:
        vectors: one a block.
        moments: the same, of each block's optimiser.
        buffers: all of the module, by name.
        twin: the one that has played last.
    """

    vectors: tuple[Tensor, ...]
    moments: tuple[Moments, ...]
    buffers: dict[str, Tensor]
    twin: Twin


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
        prepare: what is done to a twin before its first pass; None if nothing.

    Attributes:
        twin: where the players would be after the steps done so far.

    Raises:
        SettingError: a loss depends on the live players and not on where they would be; see `Guard`.
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
        prepare: Callable[[nn.Module], object] | None = None,
    ) -> None:
        self._players = {player: {n: p for n, p in own.items() if p.requires_grad} for player, own in players.items()}
        self._present = {
            player: own if player in attached else {n: p.detach().requires_grad_() for n, p in own.items()}
            for player, own in self._players.items()
        }
        self._optimisers, self._losses, self._settle, self._saving = optimisers, losses, settle, saving
        self._prepare = prepare
        begun = dict(module.named_buffers()) if buffers is None else buffers
        self._buffers = {name: buffer.clone() for name, buffer in begun.items()}
        self._blocks: tuple[Block, ...] = ()
        self._vectors: tuple[Tensor, ...] = ()
        self._module, self.twin = module, self._at_beginning(module)
        self.guard = Guard(module, self.twin, _flat({p: o for p, o in self._players.items() if p not in attached}))
        self._left = tuple(_flat({p: o for p, o in self._present.items() if p not in attached}).values())

    def run(self, steps: int, first: Gradients | None = None) -> nn.Module:
        """The module as it would be, for what is wanted of it there.

        Args:
            steps: K.
            first: the gradients of step 0, averaged over processes and with their history, if known.
        """
        if not steps:
            return self.twin.module
        position = self._first_step(first) if first else self._checkpointed(self._first_step, None)
        for k in range(1, steps):
            position = self._checkpointed(self._step, position, k, first is not None and k == 1)
        self.twin, self._vectors = self._at(position), position.vectors
        return self.twin.module

    def refuse(self, losses: Iterable[Tensor], *also: Tensor) -> None:
        """Raise a SettingError if losses of the module where `run` has left it depend on the players elsewhere.

        Args:
            losses: what it gave.
            also: samples that they were given, whose history is their own.
        """
        self.guard.refuse_elsewhere(losses, (*self._vectors, *also))

    def _checkpointed(self, step: Callable[..., Position], *given: object) -> Position:
        if not self._saving:
            return step(*given)

        def again(*given: object) -> Position:  # in the backward pass
            with as_written():
                return step(*given)

        position: Position = checkpoint(again, *given, use_reentrant=False)
        return position

    def _first_step(self, known: Gradients | None) -> Position:
        """From the live point; a parameter that no loss reaches stays there."""
        twin = self._at_beginning(self._module) if self._saving else self.twin  # which may have played already
        gradients = known or self._at_live_point(twin)
        self._blocks = tuple(
            block
            for player, own in self._players.items()
            for block in blocks_of(
                player, {n: p for n, p in own.items() if gradients[player][n] is not None}, self._optimisers[player]
            )
        )
        self.guard.passed(self._left)
        ahead = [block.join(gradients[block.player]) for block in self._blocks]
        start = [block.join(self._present[block.player]) for block in self._blocks]
        return self._moved(twin, start, ahead if known else _averaged(ahead), [b.moments for b in self._blocks])

    def _step(self, position: Position, k: int, guarded: bool) -> Position:
        twin = self._at(position)
        told = self._losses(twin.module, k)
        if guarded:
            self.guard.refuse_elsewhere(told.values(), position.vectors)
        ahead = [
            torch.autograd.grad(told[block.player], vector, create_graph=True, materialize_grads=True)[0]
            for block, vector in zip(self._blocks, position.vectors, strict=True)
        ]
        return self._moved(twin, position.vectors, _averaged(ahead), position.moments)

    def _at_live_point(self, twin: Twin) -> Gradients:
        """Each player's gradients, with their history; None for a parameter that its loss does not reach."""
        told, found = self._losses(twin.module, 0), {}
        self.guard.refuse_elsewhere(told.values(), self._left)
        for player, own in self._present.items():
            gradients = torch.autograd.grad(told[player], list(own.values()), create_graph=True, allow_unused=True)
            found[player] = dict(zip(own, gradients, strict=True))
        return found

    def _moved(
        self, twin: Twin, vectors: Sequence[Tensor], gradients: Sequence[Tensor], moments: Sequence[Moments]
    ) -> Position:
        """One step of all players' optimisers."""
        moved = [
            block.rule(vector, gradient, remembered)
            for block, vector, gradient, remembered in zip(self._blocks, vectors, gradients, moments, strict=True)
        ]
        self.guard.passed(m.parameter for m in moved)
        after = [m.parameter if m.parameter.requires_grad else m.parameter.requires_grad_() for m in moved]
        position = Position(tuple(after), tuple(m.moments for m in moved), twin.get(self._buffers), twin)
        return position if self._settle is None else self._settled(position, self._settle)

    def _settled(self, position: Position, settle: Callable[[nn.Module, str], None]) -> Position:
        """The same after what each player's move ends with: it changes a twin in place, differentiably."""
        twin = self._at(position)
        twin.put({name: tensor.clone() for name, tensor in self._named(position).items()})
        for player in self._players:
            settle(twin.module, player)
        vectors = tuple(block.join(twin.get(block.live)) for block in self._blocks)
        self.guard.passed(vectors)
        return Position(vectors, position.moments, twin.get(self._buffers), twin)

    def _at_beginning(self, module: nn.Module) -> Twin:
        twin = Twin(module, {**self._fresh(self._buffers), **_flat(self._present)})
        if self._prepare is not None:
            self._prepare(twin.module)
        return twin

    def _at(self, position: Position) -> Twin:
        """A twin at a position, with buffers of its own that it may change."""
        return position.twin.at({**self._fresh(position.buffers), **self._named(position)})

    def _named(self, position: Position) -> dict[str, Tensor]:
        """The moved parameters by name."""
        parts = [block.cut(vector) for block, vector in zip(self._blocks, position.vectors, strict=True)]
        return {name: tensor for part in parts for name, tensor in part.items()}

    @staticmethod
    def _fresh(buffers: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: buffer.clone() for name, buffer in buffers.items()}


def _flat(players: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: tensor for own in players.values() for name, tensor in own.items()}


def _averaged(gradients: list[Tensor]) -> list[Tensor]:
    return [each for each in average(list(gradients)) if each is not None]
