"""A compiled look-ahead, and the check without which it is not used."""

import copy
import logging
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.foresight import Foresight
from agon.dynamics.moves import Optimisers, fixed
from agon.dynamics.staged import Staged
from agon.dynamics.stepwise import Outcome, Scene, State, Stepped, Stepwise
from agon.dynamics.tracing import compiled, tensors_of
from agon.games.game import Game

LOOSER = 3.0  # how many times as far from float64 as the eager gradient a compiled one may be


class Program:
    """The functions of a `Stepwise`, compiled, on flat lists of tensors: structures are built once a look-ahead.

    Args:
        functions: what is compiled, for the example's structure and shapes.
        state: the example: where a look-ahead begins.
        scene: the example's.
        direct: the parameters of the looking player that losses depend on not only by samples.
    """

    def __init__(self, functions: Stepwise, state: State, scene: Scene, direct: tuple[str, ...]) -> None:
        self.direct = direct
        after, gradients, *_ = functions.step(state, scene)
        slopes = functions.last(after, scene).slopes
        self._step = compiled(functions.step, state, scene)
        self._reverse = compiled(functions.reverse, state, gradients, slopes, scene)
        self._last = compiled(functions.last, after, scene)
        self._state, self._gradients, self._slopes = (len(tensors_of(each)) for each in (state, gradients, slopes))

    @torch.no_grad()
    def step(self, state: State, scene: Scene) -> Stepped:
        """As `Stepwise.step`."""
        found: Stepped = pytree.tree_unflatten(self._step([*tensors_of(state), *tensors_of(scene)]), self._step.found)
        return found

    @torch.no_grad()
    def unrolled(self, state: State, scene: Scene, steps: int, begun: Stepped | None = None) -> Outcome:
        """As `Stepwise.unrolled`; `begun` is its first step, where that is known."""
        now, around, past = tensors_of(state), tensors_of(scene), []
        n, m = self._state, self._state + self._gradients
        for k in range(steps):
            after = tensors_of(begun) if begun is not None and k == 0 else self._step([*now, *around])
            past.append([*now, *after[n:m]])
            now = after[:n]
        last = self._last([*now, *around])
        slopes = last[-self._slopes :]
        for before in reversed(past):
            slopes = self._reverse([*before, *slopes, *around])
        outcome: Outcome = pytree.tree_unflatten([*last[: -self._slopes], *slopes], self._last.found)
        return outcome


def compiled_program(eager: Foresight, staged: Staged) -> Program | None:
    """A program for what is staged; None where the tracer or the compiler gives up, or the check fails."""
    try:
        program = _compiled(staged)
    except Exception as error:  # whatever torch cannot trace or compile still has its eager step
        logging.getLogger(__name__).info("not compiled: %r", error)
        return None
    return program if program is not None and agrees(program, eager, staged) else None


def _compiled(staged: Staged) -> Program | None:
    functions = Stepwise(staged.game, staged.player, staged.others, staged.blocks)
    direct = functions.direct(staged.state, staged.scene(staged.own))
    if direct is None:
        return None
    state, scene = staged.state, staged.scene(direct)
    after = functions.step(state, scene).state
    if [list(m) for m in after.moments] != [list(m) for m in state.moments]:
        return None  # an optimiser's first step: its moments come into being
    return Program(functions, state, scene, direct)


def agrees(program: Program, eager: Foresight, staged: Staged) -> bool:
    """Whether a program's gradient is the eager one, and no first-order look-alike.

    In float32 even two exact gradients differ, where a second moment is nearly 0. So float64 is the judge:
    a program may be `LOOSER` times as far from it as the eager step in its own precision is, and must be
    nearer to it than half the way to the gradient of inner steps without a reverse.
    """
    outcome = program.unrolled(staged.state, staged.scene(program.direct), eager.rule.steps)
    found = _flat(staged.gradients(outcome.slopes.sources, again=True))
    own, _ = _judged(eager, staged, program.direct, torch.Tensor.clone)
    truth, first_order = _judged(eager, staged, program.direct, torch.Tensor.double)
    off = _apart(found, truth)
    return off <= LOOSER * _apart(own, truth) + 1e-6 and off <= max(_apart(first_order, truth) / 2, 1e-9)


def _judged(
    eager: Foresight, staged: Staged, direct: Sequence[str], cast: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """The eager gradient and the first-order one, of a copy in another precision."""
    game, optimisers = copy.deepcopy((eager.game, dict(eager.optimisers)))
    for name, buffer in game.named_buffers():
        buffer.data.copy_(staged.buffers[name])
    _recast(game, optimisers, cast)
    batch = pytree.tree_map_only(Tensor, lambda t: cast(t) if t.is_floating_point() else t, staged.batch)
    player, others, steps = staged.player, staged.others, eager.rule.steps
    there = Foresight(eager.rule, game, optimisers, eager.draw, batch)
    with fixed(game, {player, *others}):
        fake = there.samples((player,))
        gradients = there.surrogate(player, fake, None, last=False)[1]
        copied = Staged.of(game, optimisers, player, others, batch, fake)
        functions, state = Stepwise(game, player, others, copied.blocks), copied.state
        for _ in range(steps):
            state = functions.step(state, copied.scene(direct)).state
        slopes = functions.last(state, copied.scene(direct)).slopes
        return _flat(gradients), _flat(copied.gradients(slopes.sources))


def _recast(game: Game, optimisers: Optimisers, cast: Callable[[Tensor], Tensor]) -> None:
    for tensor in (*game.parameters(), *game.buffers()):
        if tensor.is_floating_point():
            tensor.data = cast(tensor.data)
    for optimiser in optimisers.values():
        for state in optimiser.state.values():
            kept = {n: v for n, v in state.items() if n != "step" and isinstance(v, Tensor)}
            state.update({n: cast(v) for n, v in kept.items()})


def _flat(gradients: Sequence[Tensor | None]) -> Tensor:
    return torch.cat([g.detach().double().flatten() for g in gradients if g is not None])


def _apart(found: Tensor, truth: Tensor) -> float:
    """Relative distance; infinite where anything is no number."""
    distance = float((found - truth).norm() / truth.norm())
    return distance if math.isfinite(distance) else math.inf
