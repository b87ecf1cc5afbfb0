"""A compiled round makes the eager round's moves in place, as long as what it is bound to has not changed."""

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import Turns, Unrolled
from agon.dynamics.unrolled.compiled import CompiledUnrolled, split_program, tracing
from agon.dynamics.unrolled.compiled import partition as partition_module
from agon.dynamics.unrolled.compiled.partition import partition
from agon.dynamics.unrolled.compiled.program import Program
from agon.dynamics.unrolled.compiled.round import RoundFunctions
from agon.dynamics.unrolled.compiled.split_program import SplitProgram
from agon.dynamics.unrolled.compiled.tracing import tensors_of
from agon.dynamics.unrolled.compiled.vjp import StepFunctions
from agon.dynamics.unrolled.inner_step import inner_update
from agon.games import Adversarial, BoundaryEquilibrium, Game
from agon.objectives import Minimax
from agon.projections import Clipping

from .test_compiled import flat, same, stepped, unsplit
from .test_moves import SIMULTANEOUS, assert_identical, batch, state
from .test_unrolled_exact import Optimisers, game_of, optimisers_of

ALTERNATING = (("critic",), ("generator",))
BOTH = {"generator": ("critic",), "critic": ("generator",)}
RECURSIVE = {"generator": ("critic", "generator")}
SHARED, TOGETHER = Turns(ALTERNATING, draws="round"), Turns(SIMULTANEOUS)
CRITIC_TWICE = Turns((("critic",), ("critic",), ("generator",)))
ROUNDS = {
    "alternating": Unrolled(steps=2),
    "one batch": Unrolled(SHARED, steps=2),
    "simultaneous": Unrolled(TOGETHER, steps=2),
    "two critic turns": Unrolled(CRITIC_TWICE, steps=2),
    "two critic turns, one batch": Unrolled(
        Turns((("critic",), ("critic",), ("generator", "critic")), draws="round"), steps=2
    ),
    "fresh batches": Unrolled(steps=3, batches="fresh"),
    "fresh batches, one batch for the turns": Unrolled(SHARED, steps=2, batches="fresh"),
    "fresh batches, simultaneous": Unrolled(TOGETHER, steps=2, batches="fresh"),
    "fresh batches, recomputed": Unrolled(steps=2, batches="fresh", checkpoint=True),
    "both look ahead": Unrolled(looks_ahead=BOTH, steps=2),
    "both look ahead, fresh batches": Unrolled(looks_ahead=BOTH, steps=2, batches="fresh"),
    "the critic looks ahead": Unrolled(TOGETHER, {"critic": ("generator",)}, steps=2),
    "recursive": Unrolled(looks_ahead=RECURSIVE, steps=3),
    "recursive, simultaneous": Unrolled(TOGETHER, RECURSIVE, steps=2),
    "recursive, fresh batches": Unrolled(looks_ahead=RECURSIVE, steps=2, batches="fresh"),
    "extrapolated": Unrolled(steps=1, extrapolation=10.0),
    "extrapolated, simultaneous": Unrolled(TOGETHER, steps=2, extrapolation=3.0),
    "extrapolated, fresh batches": Unrolled(CRITIC_TWICE, steps=2, batches="fresh", extrapolation=3.0),
    "extrapolated, recursive": Unrolled(looks_ahead=RECURSIVE, steps=2, extrapolation=3.0),
}
CLIPPED = {  # the game changes parameters after each move
    "alternating": ROUNDS["alternating"],
    "simultaneous": ROUNDS["simultaneous"],
    "fresh batches": ROUNDS["fresh batches"],
    "both look ahead": ROUNDS["both look ahead"],
}
TRACED = ["one batch", "simultaneous", "fresh batches", "both look ahead", "recursive", "extrapolated"]
FIRST_ORDER = ["fresh batches", "both look ahead", "recursive", "extrapolated"]


@pytest.fixture(autouse=True)
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same functions, not traced and not compiled."""
    monkeypatch.setattr(tracing, "compiled", flat)
    monkeypatch.setattr(split_program, "partition", unsplit)


def are_rounds(dynamics: CompiledUnrolled) -> bool:
    return dynamics.makes_whole_rounds and None not in dynamics.programs.values()


def played(dynamics: Unrolled, game: Game, optimisers: Optimisers, rounds: int = 2) -> dict[str, Any]:
    """Everything of both players after some rounds of copies, each draw another batch, and the last losses."""
    game, optimisers = copy.deepcopy((game, optimisers))
    numbers = itertools.count()
    losses = [dynamics.step(game, optimisers, lambda: batch(next(numbers))) for _ in range(rounds)]
    return {**{player: state(game, player, optimisers) for player in game.players}, "losses": losses[-1]._asdict()}


def cases() -> list[Any]:
    """Every round with each kind of statistics; all together in `make evidence`."""
    numbered = itertools.product(enumerate(("batch normalisation", "spectral normalisation")), enumerate(ROUNDS))
    return [
        pytest.param(critic, name, marks=pytest.mark.evidence if (i + k) % 2 else ())
        for (i, critic), (k, name) in numbered
    ]


@pytest.mark.parametrize(("critic", "name"), cases())
def test_a_round_is_the_eager_one(critic: str, name: str) -> None:
    """Weights, statistics, moments, numbers of steps, gradients and losses of both players, in float64."""
    assert_eager(game_of(critic), ROUNDS[name])


@pytest.mark.parametrize("name", TRACED)
def test_a_traced_round_is_the_eager_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is compiled: traced to plain operations, and split where the look-ahead comes in."""
    monkeypatch.setattr(split_program, "partition", partition)
    assert_eager(game_of(), ROUNDS[name])


def assert_eager(game: Any, plain: Unrolled) -> None:
    """Compiled, the same game makes the same rounds, and whole ones."""
    optimisers, dynamics = optimisers_of(game, "adam"), CompiledUnrolled.of(plain)
    same(played(dynamics, game, optimisers), played(plain, game, optimisers))
    assert are_rounds(dynamics)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_first_order_look_alike_of_a_round_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: without the vjps of the steps the program is found out, and the eager round is made."""
    monkeypatch.setattr(StepFunctions, "_through", lambda self, *given: given[-1])
    game = game_of()
    optimisers, plain = optimisers_of(game, "adam"), ROUNDS[name]
    dynamics = CompiledUnrolled.of(plain)
    assert_identical(played(dynamics, game, optimisers), played(plain, game, optimisers))
    assert not dynamics.working
    assert set(dynamics.programs.values()) == {None}


def clipped(game: Any) -> Adversarial:
    """The same players; some weights of both are outside their boxes, and some inside."""
    projections = [Clipping(of=player, bound=0.3) for player in game.players]
    parts = {"generator": game.generator, "critic": game.critic}
    return Adversarial(**parts, objective=Minimax(), projections=projections)


def balanced(game: Any) -> BoundaryEquilibrium:
    """The same players; the game has a number of its own, which changes after each move of the critic."""
    return BoundaryEquilibrium(generator=game.generator, critic=game.critic, initial=0.5, rate=0.1).double()


@pytest.mark.parametrize("name", CLIPPED)
def test_a_round_with_projections_is_the_eager_one(name: str) -> None:
    game = clipped(game_of("batch normalisation"))
    optimisers, plain = optimisers_of(game, "adam"), CLIPPED[name]
    dynamics = CompiledUnrolled.of(plain)
    found = played(dynamics, game, optimisers)
    same(found, played(plain, game, optimisers))
    assert are_rounds(dynamics)
    weights = [p.detach().abs().max().item() for p in game.parameters()]
    assert max(weights) == pytest.approx(0.3)  # there is something to clip


@pytest.mark.parametrize("name", ["alternating", "simultaneous", "fresh batches"])
def test_a_round_with_an_equilibrium_is_the_eager_one(name: str) -> None:
    game = balanced(game_of())
    optimisers, plain = optimisers_of(game, "adam"), ROUNDS[name]
    dynamics = CompiledUnrolled.of(plain)
    pairs = [copy.deepcopy((game, optimisers)) for _ in range(2)]
    for rule, pair in zip((dynamics, plain), pairs, strict=True):
        for k in range(2):
            rule.step(*pair, lambda k=k: batch(k))
    same(dict(pairs[0][0].state_dict()), dict(pairs[1][0].state_dict()))
    assert pairs[0][0].k != game.k
    assert are_rounds(dynamics)


def test_a_round_without_its_projections_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr(StepFunctions, "_update", without_projections)
    game = clipped(game_of())
    optimisers, plain = optimisers_of(game, "adam"), ROUNDS["alternating"]
    dynamics = CompiledUnrolled.of(plain)
    assert_identical(played(dynamics, game, optimisers), played(plain, game, optimisers))
    assert list(dynamics.programs.values()) == [None]


def without_projections(self: StepFunctions, state: Any, vectors: Any, gradients: Any, context: Any) -> Any:
    after = inner_update(self._groups, state, vectors)
    return after._replace(buffers=gradients.module.tensors(state.buffers))


def test_inner_batches_in_another_order_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of fresh batches: the same batches, each at another step."""
    surrogate = Program.flat_surrogate

    def reversed_(self: Program, state: Any, inner: Any, *given: Any, **settings: Any) -> Any:
        return surrogate(self, state, inner[::-1], *given, **settings)

    monkeypatch.setattr(Program, "flat_surrogate", reversed_)
    game = game_of()
    optimisers, plain = optimisers_of(game, "adam"), ROUNDS["fresh batches"]
    dynamics = CompiledUnrolled.of(plain)
    assert_identical(played(dynamics, game, optimisers), played(plain, game, optimisers))
    assert list(dynamics.programs.values()) == [None]


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


def test_changes_are_written_in_place_and_last() -> None:
    """The late part reads an argument before it changes it, and passes on what does not depend on it."""

    def around(early: Tensor, late: Tensor) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor]]]:
        product = early[0] * late
        return early.sum(), product + early[1], [(early, early + 1), (late, product)]

    early, late = torch.tensor([[2.0, 3.0], [5.0, 7.0]]), torch.tensor([11.0, 13.0])
    parts = partition(around, early, late)
    _, *kept = parts.early(early)
    (last,) = parts.late(*(early for _ in parts.again), *kept, late)
    assert parts.changes
    assert [t.tolist() for t in (last, early, late)] == [[27.0, 46.0], [[3.0, 4.0], [6.0, 8.0]], [22.0, 39.0]]


def test_what_is_kept_is_no_view_of_an_argument_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the late part would find the new value in the place of the old one."""
    monkeypatch.setattr(split_program, "partition", partition)
    early, late = torch.ones(2, 3), torch.ones(2)

    def around(early: Tensor, late: Tensor) -> Any:
        kept = early.t()
        return kept.sum(), kept @ late, [(early, early * late[:, None])]

    assert SplitProgram(around, early, late).early([early])[1:] == []  # the view is made anew
    monkeypatch.setattr(partition_module, "_is_free", lambda node: False)
    with pytest.raises(ValueError, match="view of an argument"):
        SplitProgram(around, early, late)


def test_examples_are_flattened_in_order() -> None:
    """On which the positions of a bound round depend."""
    assert [int(t) for t in tensors_of(({"b": torch.tensor(1), "a": torch.tensor(2)}, torch.tensor(3)))] == [1, 2, 3]
