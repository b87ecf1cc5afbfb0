"""A compiled round makes the eager round's moves in place, as long as what it is bound to has not changed."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import Turns, Unrolled
from agon.dynamics.unrolled import CompiledUnrolled, program, round_program
from agon.dynamics.unrolled.partition import partition
from agon.dynamics.unrolled.round import RoundFunctions
from agon.dynamics.unrolled.round_program import RoundProgram
from agon.dynamics.unrolled.tracing import tensors_of
from agon.games import Game

from .test_compiled import flat, same, stepped, unsplit
from .test_moves import SIMULTANEOUS, assert_identical, batch
from .test_unrolled_exact import Optimisers, game_of, optimisers_of

ALTERNATING = (("critic",), ("generator",))
ROUNDS = {
    "alternating": Turns(ALTERNATING),
    "one batch": Turns(ALTERNATING, draws="round"),
    "simultaneous": Turns(SIMULTANEOUS),
    "two critic turns": Turns((("critic",), ("critic",), ("generator",))),
    "two critic turns, one batch": Turns((("critic",), ("critic",), ("generator", "critic")), draws="round"),
}


@pytest.fixture(autouse=True)
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same functions, not traced and not compiled."""
    monkeypatch.setattr(program, "compiled", flat)
    monkeypatch.setattr(round_program, "partition", unsplit)


def are_rounds(dynamics: CompiledUnrolled) -> bool:
    return all(isinstance(made, RoundProgram) for made in dynamics.programs.values())


@pytest.mark.parametrize("name", sorted(ROUNDS))
def test_a_round_is_the_eager_one(name: str) -> None:
    """Weights, statistics, moments, numbers of steps and gradients of both players, in float64."""
    game = game_of("batch normalisation")
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(ROUNDS[name], steps=2)
    dynamics = CompiledUnrolled.of(plain)
    same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert dynamics.working
    assert are_rounds(dynamics)


@pytest.mark.parametrize("name", ["one batch", "simultaneous"])
def test_a_traced_round_is_the_eager_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is compiled: traced to plain operations, and split where the look-ahead comes in."""
    monkeypatch.setattr(round_program, "partition", partition)
    game = game_of()
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(ROUNDS[name], steps=2)
    dynamics = CompiledUnrolled.of(plain)
    same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert dynamics.working
    assert are_rounds(dynamics)


def test_its_losses_and_scalars_are_the_eager_ones() -> None:
    game = game_of("spectral normalisation")
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(steps=2)
    dynamics = CompiledUnrolled.of(plain)
    losses = [rule.step(*copy.deepcopy((game, optimisers)), lambda: batch(0)) for rule in (dynamics, plain)]
    same(losses[0]._asdict(), losses[1]._asdict())
    assert dynamics.working


def test_tensors_change_in_place() -> None:
    """So that whoever holds a weight or a moment, as a checkpoint does, holds the live one."""
    game = game_of("batch normalisation")
    optimisers, dynamics = optimisers_of(game, "adam"), CompiledUnrolled.of(Unrolled(steps=2))
    held = [*game.parameters(), *game.buffers()]
    held += [t for optimiser in optimisers.values() for state in optimiser.state.values() for t in state.values()]
    before = [(id(t), t.data_ptr()) for t in held]
    dynamics.step(game, optimisers, lambda: batch(0))
    now = [*game.parameters(), *game.buffers()]
    now += [t for optimiser in optimisers.values() for state in optimiser.state.values() for t in state.values()]
    assert dynamics.working
    assert [(id(t), t.data_ptr()) for t in now] == before


def evaluating(game: Game, optimisers: Optimisers) -> None:
    game.critic.eval()


def slower(game: Game, optimisers: Optimisers) -> None:
    optimisers["generator"].param_groups[0]["lr"] /= 2


def frozen(game: Game, optimisers: Optimisers) -> None:
    game.generator[0].weight.requires_grad_(False)


def replaced(game: Game, optimisers: Optimisers) -> None:
    game.generator[3].bias = nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimisers["generator"].add_param_group({"params": [game.generator[3].bias]})


def restored(game: Game, optimisers: Optimisers) -> None:
    for optimiser in optimisers.values():
        moments = copy.deepcopy(optimiser.state_dict())
        moments["state"][0]["exp_avg"].mul_(2)
        optimiser.load_state_dict(moments)


def hooked(game: Game, optimisers: Optimisers) -> None:
    optimisers["critic"].register_step_post_hook(lambda optimiser, *_: optimiser.param_groups[0].update(lr=0.3))


@pytest.mark.parametrize("change", [evaluating, slower, frozen, replaced, restored, hooked])
def test_a_change_between_two_rounds_is_seen(change: Callable[[Game, Optimisers], None]) -> None:
    """Of flags, settings, weights, moments and hooks: without the check the bound program would go on as before."""
    game = game_of()
    pair = (game, optimisers_of(game, "adam"))
    plain, both = Unrolled(steps=2), [copy.deepcopy(pair), copy.deepcopy(pair)]
    dynamics = CompiledUnrolled.of(plain)
    for rule, (of, optimisers) in zip((dynamics, plain), both, strict=True):
        rule.step(of, optimisers, lambda: batch(0))
        change(of, optimisers)
        rule.step(of, optimisers, lambda: batch(1))
        rule.step(of, optimisers, lambda: batch(2))
    assert dynamics.working
    same(dict(both[0][0].state_dict()), dict(both[1][0].state_dict()))


def test_another_size_of_batch_is_another_program() -> None:
    game = game_of()
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(steps=2)
    dynamics, drawn = CompiledUnrolled.of(plain), batch(0)
    half = drawn._replace(real=drawn.real[:3], latent=drawn.latent[:3])
    for each in (drawn, half, drawn):
        pairs = [copy.deepcopy((game, optimisers)) for _ in range(2)]
        for rule, pair in zip((dynamics, plain), pairs, strict=True):
            rule.step(*pair, lambda each=each: each)
        same(dict(pairs[0][0].state_dict()), dict(pairs[1][0].state_dict()))
    assert len(dynamics.programs) == 2
    assert are_rounds(dynamics)


@pytest.mark.parametrize("wrong", ["parameters", "moments"])
def test_a_wrong_move_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the gradient is right, and what the player makes of it is off by a hundredth."""
    game = game_of()
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(steps=2)
    move = RoundFunctions._own_move

    def bent(self: RoundFunctions, *given: Any) -> Any:
        moved = move(self, *given)
        bent: Any = torch.utils._pytree.tree_map_only(Tensor, lambda t: 1.01 * t, getattr(moved, wrong))
        return moved._replace(**{wrong: bent})

    monkeypatch.setattr(RoundFunctions, "_own_move", bent)
    dynamics = CompiledUnrolled.of(plain)
    assert_identical(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert list(dynamics.programs.values()) == [None]


def test_a_function_is_its_two_parts() -> None:
    """What only the early argument needs is computed early; views are made anew, and inputs passed again."""

    def around(early: Tensor, late: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            leaf = early.detach().requires_grad_()
            out = torch.tanh(2 * leaf).t()
        return out.detach(), torch.autograd.grad(out, leaf, late)[0] + early

    early, late = torch.randn(3, 2, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    parts, expected = partition(around, early, late), around(early, late)
    first, *kept = parts.early(early)
    (last,) = parts.late(*(early for _ in parts.again), *kept, late)
    torch.testing.assert_close((first, last), expected)
    assert [tuple(t.shape) for t in kept] == [(3, 2)]  # the tanh, not its transpose: the derivative needs nothing else
    assert parts.again == (0,)


def test_an_early_result_of_a_late_argument_is_refused() -> None:
    with pytest.raises(ValueError, match="late"):
        partition(lambda early, late: (early * late, early), torch.ones(2), torch.ones(2))


def test_examples_are_flattened_in_order() -> None:
    """On which the positions of a bound round depend."""
    assert [int(t) for t in tensors_of(({"b": torch.tensor(1), "a": torch.tensor(2)}, torch.tensor(3)))] == [1, 2, 3]
