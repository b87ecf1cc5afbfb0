"""A look-ahead step by step: one inner step and its reverse as pure functions of tensors, called K times each.

The reverse (vector-Jacobian product) of a step plays it anew, so that nothing but parameters, moments,
gradients and buffers is kept of it. That is more work than one long history, but each function can be
compiled once, whatever K is.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from agon.dynamics.blocks import Block
from agon.dynamics.twin import Twin
from agon.games.game import Batch, Game, Losses

Tensors = tuple[Tensor, ...]
Named = dict[str, Tensor]


class State(NamedTuple):
    """Where the players that are looked ahead at would be.

    Attributes:
        vectors: their parameters, one a block.
        moments: of each block's optimiser.
        buffers: all of the game.
    """

    vectors: Tensors
    moments: tuple[Named, ...]
    buffers: Named


class Scene(NamedTuple):
    """All else that the losses depend on, the same for every step.

    Attributes:
        batch: the turn's own.
        sources: what the surrogate is differentiated in: the samples, and the looking player's parameters.
        rest: parameters that stay what they are, by name.
        statistics: the buffers of the player that looks ahead.
    """

    batch: Batch
    sources: Named
    rest: Named
    statistics: Named


class Stepped(NamedTuple):
    """One inner step: the state after it, the gradients along which it went, the others' losses, what was seen."""

    state: State
    gradients: Tensors
    losses: Named
    seen: Named


class Slopes(NamedTuple):
    """The surrogate's derivatives: in a state's vectors and moments, and in the scene's sources."""

    vectors: Tensors
    moments: tuple[Named, ...]
    sources: Named


class Outcome(NamedTuple):
    """The surrogate's loss, what was seen, the looking player's buffers after its pass, and where slopes begin."""

    loss: Tensor
    seen: Named
    statistics: Named
    slopes: Slopes


SAMPLES = "samples"  # the source that is no parameter


class Stepwise:
    """The three functions of one look-ahead.

    Args:
        game: not touched; a twin of it plays.
        player: who looks ahead.
        others: at whom.
        blocks: of the others' parameters; their settings are constants of the functions.
    """

    def __init__(self, game: Game, player: str, others: Sequence[str], blocks: Sequence[Block]) -> None:
        self._twin = Twin(game)
        self._player, self._others, self._blocks = player, tuple(others), tuple(blocks)

    def step(self, state: State, scene: Scene) -> Stepped:
        """θᵏ to θᵏ⁺¹."""
        vectors = tuple(_leaf(v) for v in state.vectors)
        with torch.enable_grad():
            gradients, told, buffers = self._gradients(vectors, state.buffers, scene)
        along = tuple(g.detach() for g in gradients)
        with torch.no_grad():
            after, moments = self._moved(vectors, along, state.moments)
        losses = {player: loss.detach() for player, loss in told.players.items()}
        return Stepped(State(after, moments, buffers), along, losses, told.seen)

    def reverse(self, state: State, gradients: Tensors, after: Slopes, scene: Scene) -> Slopes:
        """Slopes at θᵏ from those at θᵏ⁺¹: through the optimiser's step, then through the gradients."""
        scene = scene._replace(sources={n: _leaf(s) for n, s in scene.sources.items()})
        vectors, steps = ([_leaf(t) for t in each] for each in (state.vectors, gradients))
        moments = [{n: _leaf(m) if n != "step" else m for n, m in own.items()} for own in state.moments]
        with torch.enable_grad():
            moved, remembered = self._moved(vectors, steps, moments)
            given = [*after.vectors, *_listed(after.moments)]
            through = _products([*moved, *_listed(remembered)], [*vectors, *steps, *_listed(moments)], given)
            n = len(vectors)
            again, *_ = self._gradients(vectors, state.buffers, scene)
            bent = _products(again, [*vectors, *scene.sources.values()], through[n : 2 * n])
        return Slopes(
            tuple(a + b for a, b in zip(through[:n], bent[:n], strict=True)),
            _like(moments, through[2 * n :]),
            {name: after.sources[name] + s for name, s in zip(scene.sources, bent[n:], strict=True)},
        )

    def last(self, state: State, scene: Scene) -> Outcome:
        """f_K at the last state, and its slopes there."""
        scene = scene._replace(sources={n: _leaf(s) for n, s in scene.sources.items()})
        vectors = [_leaf(v) for v in state.vectors]
        with torch.enable_grad():
            twin = self._at(vectors, {**state.buffers, **scene.statistics}, scene)
            told: Losses = twin.module(scene.batch, scene.sources.get(SAMPLES), of=(self._player,))
            loss = told.players[self._player]
            found = _products([loss], [*vectors, *scene.sources.values()], [torch.ones_like(loss)])
        n, zeros = len(vectors), [torch.zeros_like(m) for m in _listed(state.moments)]
        slopes = Slopes(tuple(found[:n]), _like(state.moments, zeros), dict(zip(scene.sources, found[n:], strict=True)))
        return Outcome(loss.detach(), told.seen, twin.get(scene.statistics), slopes)

    def unrolled(self, state: State, scene: Scene, steps: int, begun: Stepped | None = None) -> Outcome:
        """The surrogate's loss and its slopes in the scene's sources, by K steps and their reverses."""
        past = []
        for k in range(steps):
            after = begun if begun is not None and k == 0 else self.step(state, scene)
            past.append((state, after.gradients))
            state = after.state
        outcome = self.last(state, scene)
        slopes = outcome.slopes
        for before, gradients in reversed(past):
            slopes = self.reverse(before, gradients, slopes, scene)
        return outcome._replace(slopes=slopes)

    def direct(self, state: State, scene: Scene) -> tuple[str, ...] | None:
        """The parameters among the sources that some loss depends on; None where it misses one of the others'."""
        sources = {n: _leaf(s) for n, s in scene.sources.items()}
        parts = [{n: _leaf(p) for n, p in b.cut(v).items()} for b, v in zip(self._blocks, state.vectors, strict=True)]
        with torch.enable_grad():
            buffers = {**state.buffers, **scene.statistics}
            twin = self._at(state.vectors, buffers, scene._replace(sources=sources))
            twin = twin.at({name: leaf for part in parts for name, leaf in part.items()})
            told: Losses = twin.module(scene.batch, sources.get(SAMPLES), of=(self._player, *self._others))
            used: set[str] = set()
            for player, loss in told.players.items():
                own = [
                    p for b, part in zip(self._blocks, parts, strict=True) if b.player == player for p in part.values()
                ]
                found = torch.autograd.grad(loss, [*own, *sources.values()], retain_graph=True, allow_unused=True)
                if any(g is None for g in found[: len(own)]):
                    return None
                used |= {n for n, g in zip(sources, found[len(own) :], strict=True) if g is not None}
        return tuple(n for n in sources if n in used and n != SAMPLES)

    def _gradients(self, vectors: Sequence[Tensor], buffers: Named, scene: Scene) -> tuple[list[Tensor], Losses, Named]:
        twin = self._at(vectors, buffers, scene)
        told: Losses = twin.module(scene.batch, scene.sources.get(SAMPLES), of=self._others)
        gradients = [
            torch.autograd.grad(told.players[block.player], vector, create_graph=True, materialize_grads=True)[0]
            for block, vector in zip(self._blocks, vectors, strict=True)
        ]
        return gradients, told, twin.get(buffers)

    def _moved(
        self, vectors: Sequence[Tensor], gradients: Sequence[Tensor], moments: Sequence[Named]
    ) -> tuple[Tensors, tuple[Named, ...]]:
        moved = [
            block.rule(vector, gradient, own)
            for block, vector, gradient, own in zip(self._blocks, vectors, gradients, moments, strict=True)
        ]
        return tuple(m.parameter for m in moved), tuple(dict(m.moments) for m in moved)

    def _at(self, vectors: Sequence[Tensor], buffers: Named, scene: Scene) -> Twin:
        fresh = {name: buffer.clone() for name, buffer in buffers.items()}
        sources = {name: source for name, source in scene.sources.items() if name != SAMPLES}
        parts = [block.cut(vector) for block, vector in zip(self._blocks, vectors, strict=True)]
        return self._twin.at({**fresh, **scene.rest, **sources, **{n: t for part in parts for n, t in part.items()}})


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()


def _listed(moments: Sequence[Named]) -> list[Tensor]:
    """All that is differentiated through: everything but the number of steps."""
    return [m for own in moments for n, m in own.items() if n != "step"]


def _like(moments: Sequence[Named], slopes: Sequence[Tensor]) -> tuple[Named, ...]:
    """The inverse of `_listed`, by the same names."""
    rest = iter(slopes)
    return tuple({n: next(rest) for n in own if n != "step"} for own in moments)


def _products(outputs: Sequence[Tensor], inputs: Sequence[Tensor], given: Sequence[Tensor]) -> list[Tensor]:
    """Vector-Jacobian products; zeros in what the outputs do not depend on."""
    pairs = [(o, g) for o, g in zip(outputs, given, strict=True) if o.requires_grad]
    found = torch.autograd.grad(
        [o for o, _ in pairs], list(inputs), [g for _, g in pairs], allow_unused=True, materialize_grads=True
    )
    return list(found)
