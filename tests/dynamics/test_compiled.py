"""A compiled look-ahead is the eager one, and what would be a look-alike is refused."""

import copy
import itertools
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import Turns, Unrolled
from agon.dynamics.unrolled.compiled import CompiledUnrolled, split_program, tracing
from agon.dynamics.unrolled.compiled.partition import Partition
from agon.dynamics.unrolled.compiled.program import Program, agrees
from agon.dynamics.unrolled.compiled.round_program import RoundProgram
from agon.dynamics.unrolled.compiled.step_context import Inputs
from agon.dynamics.unrolled.compiled.tracing import FlatFunction, tensors_of
from agon.dynamics.unrolled.compiled.vjp import StepFunctions
from agon.dynamics.unrolled.dynamics import UnrolledTurn
from agon.games import Adversarial, Batch, Game, parameters_of
from agon.objectives import Minimax
from agon.penalties import GradientPenalty, WeightDecay

from .test_moves import SIMULTANEOUS, assert_identical, batch, state
from .test_unrolled_exact import CRITICS, RULES, game_of, optimisers_of

COMPILER = shutil.which("g++") is not None  # without one the eager step is taken, and "on" is refused
COMPILABLE = [  # the compiler takes seconds for each; uncompiled, the same functions are tried for every critic
    pytest.param(name, marks=() if name.endswith("normalisation") else pytest.mark.evidence)
    for name in sorted(set(CRITICS) - {"recurrent"})
]


@pytest.fixture(autouse=True)
def quiet() -> None:
    """torch's compiler tells its own log of every step, which pytest would keep."""
    logging.getLogger("torch.__trace").setLevel(logging.ERROR)


class Bent(StepFunctions):
    """Vector-Jacobian products are off by a factor."""

    by = 1.0

    def step_vjp(self, *given: Any) -> Any:
        cotangents = super().step_vjp(*given)
        return cotangents._replace(sources={n: self.by * s for n, s in cotangents.sources.items()})


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same functions, not traced and not compiled: what the unroll is in steps and their vjps."""
    monkeypatch.setattr(tracing, "compiled", flat)
    monkeypatch.setattr(split_program, "partition", unsplit)


def flat(function: Any, *example: Any) -> FlatFunction:
    made = FlatFunction(function, *example)
    made(tensors_of(example))  # which tells what it returns
    return made


def unsplit(function: Any, early: Any, late: Any) -> Partition:
    """As `partition`, but untraced: the late part computes the early one again."""
    both, none = FlatFunction(function, early, late), [torch.zeros_like(t) for t in tensors_of(late)]
    both(tensors_of((early, late)))
    first, last, *_ = both.returned.children()
    n, m = first.num_leaves, first.num_leaves + last.num_leaves

    def finish(*given: Tensor) -> list[Tensor]:
        results = both(given)
        for target, value in zip(results[m::2], results[m + 1 :: 2], strict=True):
            target.copy_(value)
        return results[n:m]

    again = tuple(range(len(tensors_of(early))))
    return Partition(lambda *given: both([*given, *none])[:n], finish, again, True, (first, last))


def stepped(dynamics: Unrolled, game: Game, optimisers: Any) -> dict[str, Any]:
    """Everything of both players after a step of copies."""
    game, optimisers = copy.deepcopy((game, optimisers))
    noise = {"epsilon": torch.linspace(0, 1, 6, dtype=torch.float64)[:, None]}
    dynamics.step(game, optimisers, lambda: batch(0)._replace(noise=noise))
    return {player: state(game, player, optimisers) for player in game.players}


def same(found: Any, expected: Any, where: str = "") -> None:
    if isinstance(found, dict):
        assert found.keys() == expected.keys(), where
        for key in found:
            same(found[key], expected[key], f"{where}/{key}")
    elif isinstance(found, Tensor) and found.is_floating_point():
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9, msg=lambda m: f"{where}: {m}")
    else:
        assert_identical(found, expected, where)


def cases() -> list[Any]:
    """Every critic with every rule, under both orders by turns; all together in `make evidence`."""
    orders = (SIMULTANEOUS, (("critic",), ("generator",)))
    numbered = itertools.product(enumerate(sorted(CRITICS)), enumerate(sorted(RULES)), enumerate(orders))
    return [
        pytest.param(critic, rule, order, marks=pytest.mark.evidence if (i + j + k) % 2 else ())
        for (i, critic), (j, rule), (k, order) in numbered
    ]


@pytest.mark.parametrize(("critic", "rule", "order"), cases())
@pytest.mark.usefixtures("uncompiled")
def test_steps_and_their_vjps_are_the_whole_unroll(critic: str, rule: str, order: Any) -> None:
    game = game_of(critic)
    optimisers, plain = optimisers_of(game, rule), Unrolled(Turns(order), steps=4)
    dynamics = CompiledUnrolled.of(plain)
    same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert dynamics.working


@pytest.mark.usefixtures("uncompiled")
def test_penalties_of_both_players_are_in_it() -> None:
    """The generator's own weights are in its loss, and input gradients in the critic's."""
    plain = game_of()
    penalties = (GradientPenalty(weight=1.0), WeightDecay(weight=0.1))
    game = Adversarial(generator=plain.generator, critic=plain.critic, objective=Minimax(), penalties=penalties)
    optimisers, dynamics = optimisers_of(plain, "adam"), Unrolled(steps=3)
    compiled = CompiledUnrolled.of(dynamics)
    same(stepped(compiled, game, optimisers), stepped(dynamics, game, optimisers))
    assert compiled.working


@pytest.mark.parametrize("critic", COMPILABLE)
def test_a_compiled_step_is_the_eager_one(critic: str) -> None:
    """The real thing, by the compiler; in float64, where rounding cannot hide a missing term."""
    game = game_of(critic)
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(steps=3)
    dynamics = CompiledUnrolled.of(plain)
    same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert dynamics.working is COMPILER
    assert len(dynamics.programs) == 1
    Unrolled(steps=1).step(game, optimisers, lambda: batch(3))
    same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert len(dynamics.programs) == 1  # later steps are the same program
    found, expected = (several_steps(rule, game, optimisers) for rule in (dynamics, plain))
    same(found, expected)
    assert dynamics.rounds.is_captured is COMPILER


def several_steps(rule: Unrolled, game: Game, optimisers: dict[str, Any]) -> dict[str, Any]:
    """Losses, scalars and weights after steps on other batches each; the first two are compiled, then replayed."""
    game, optimisers = copy.deepcopy((game, optimisers))
    numbers = itertools.count()
    losses = {f"losses {i}": rule.step(game, optimisers, lambda: batch(next(numbers)))._asdict() for i in range(4)}
    return {**losses, **{player: state(game, player, optimisers) for player in game.players}}


@pytest.mark.usefixtures("uncompiled")
def test_a_first_order_look_alike_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a program without vjps is found out, and the eager step is taken."""
    game = game_of()
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(steps=3)
    expected = stepped(plain, game, optimisers)
    monkeypatch.setattr(StepFunctions, "step_vjp", lambda self, state, gradients, after, context: after)
    dynamics = CompiledUnrolled.of(plain)
    found = stepped(dynamics, game, optimisers)
    assert not dynamics.working
    assert list(dynamics.programs.values()) == [None]
    assert_identical(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("uncompiled")
def test_the_check_knows_rounding_from_a_wrong_gradient(dtype: torch.dtype) -> None:
    game = game_of("batch normalisation").to(dtype)
    optimisers = {player: RULES["adam"](parameters_of(game, player)) for player in game.players}
    drawn = Batch(batch(0).real.to(dtype), batch(0).latent.to(dtype), {})
    for _ in range(2):
        Turns(SIMULTANEOUS).step(game, optimisers, lambda: drawn)
    eager = UnrolledTurn(Unrolled(steps=3), game, optimisers, lambda: drawn, drawn)
    inputs = Inputs.of(game, optimisers, "generator", ("critic",), drawn, game.generate(drawn.latent))
    functions = Bent(game, "generator", ("critic",), inputs.groups)
    made = Program(functions, inputs.state, inputs.context(()), ())
    for functions.by, right in ((1.0, True), (1.05, False), (float("nan"), False)):
        assert agrees(made, eager, inputs) is right


@pytest.mark.usefixtures("uncompiled")
def test_where_there_is_no_program_the_eager_step_is_taken() -> None:
    """An optimiser's first step; players that look ahead together, or on one batch for all: the very same numbers."""
    game, both = game_of(), {"generator": ("critic",), "critic": ("generator",)}
    for plain in (
        Unrolled(Turns(SIMULTANEOUS), both, steps=2),
        Unrolled(Turns((("critic",), ("generator",)), draws="round"), both, steps=2, extrapolation=2.0),
    ):
        optimisers, dynamics = optimisers_of(game, "adam"), CompiledUnrolled.of(plain)
        found, expected = stepped(dynamics, game, optimisers), stepped(plain, game, optimisers)
        (same if dynamics.working else assert_identical)(found, expected)
        assert not any(isinstance(made, RoundProgram) for made in dynamics.programs.values())
    plain, optimisers = Unrolled(Turns(SIMULTANEOUS), steps=2), optimisers_of(game, "adam", warm=0)
    dynamics = CompiledUnrolled.of(plain)
    assert_identical(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert not dynamics.working


@pytest.mark.usefixtures("uncompiled")
def test_another_setting_is_another_program_up_to_a_number() -> None:
    """A rate that changes from step to step is not compiled for without end."""
    game = game_of()
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(steps=2)
    dynamics = CompiledUnrolled.of(plain)
    for k in range(12):
        optimisers["critic"].param_groups[0]["lr"] = 0.05 / (k + 1)
        same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert sum(made is not None for made in dynamics.programs.values()) == 8


@pytest.mark.usefixtures("uncompiled")
def test_a_parameter_that_no_loss_reaches_stays_out() -> None:
    game = game_of()
    game.critic.append(nn.Identity())
    game.critic[-1].spare = nn.Linear(2, 2).double()
    optimisers, plain = optimisers_of(game, "adam"), Unrolled(steps=2)
    dynamics = CompiledUnrolled.of(plain)
    assert_identical(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert not dynamics.working


PROGRAM = """
import sys
from pathlib import Path
import torch
from agon import Adversarial, Compute, Experiment, Ring, Unrolled, part, resume, train
from agon.networks import mlp
from agon.objectives import Minimax
from tests.training.compare import assert_same
folder = Path(sys.argv[1])
critic = part(mlp.Critic, shape=(2,), widths=(8,))
game = part(Adversarial, generator=part(mlp.Generator, shape=(2,), latent=4, widths=(8,)), critic=critic,
            objective=Minimax())
rule = Unrolled(**{"plain": {}, "fresh": {"batches": "fresh"}, "far": {"extrapolation": 3.0}, "both": {
    "looks_ahead": {"generator": ("critic",), "critic": ("generator",)}}, "recursive": {
    "looks_ahead": {"generator": ("critic", "generator")}}}[sys.argv[2]], steps=3)
experiment = Experiment(game=game, data=Ring(), steps=12, batch=32, dynamics=rule, checkpoint_every=6, sample_every=6)
how = Compute(threads=1, compile="on")
whole = train(experiment, folder / "whole", compute=how, show=False)
train(experiment.with_steps(6), folder / "parts", compute=how, show=False)
parts = resume(folder / "parts", steps=12, show=False)
assert_same(whole.path, parts.path)
assert whole.compute["compile"] == parts.compute["compile"] == "on"
eager = train(experiment, folder / "eager", compute=Compute(threads=1), show=False)
assert eager.compute["compile"] == "off"  # too short to be worth it
one, other = (run.last_good()[0].tensors for run in (whole, eager))
for name, tensor in one.items():
    if tensor.is_floating_point():
        torch.testing.assert_close(tensor, other[name], rtol=1e-3, atol=1e-5)
"""


@pytest.mark.parametrize(
    "rule",
    ["plain", *(pytest.param(rule, marks=pytest.mark.evidence) for rule in ("fresh", "far", "both", "recursive"))],
)
def test_a_compiled_training_is_resumed_bit_for_bit(tmp_path: Path, rule: str) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), rule],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if COMPILER:
        assert done.returncode == 0, done.stderr
    else:
        assert "compile: expected off" in done.stderr


@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop"])
@pytest.mark.usefixtures("uncompiled")
def test_one_program_serves_a_rate_that_is_scheduled(rule: str) -> None:
    """The rate is an input of the program; as a constant it would need a program for each of its values."""
    eager, game = Unrolled(Turns(SIMULTANEOUS), steps=3), game_of()
    compiled_rule, optimisers = CompiledUnrolled.of(eager), optimisers_of(game, rule)
    for optimiser in optimisers.values():
        optimiser.param_groups[0]["initial_lr"] = optimiser.param_groups[0]["lr"]
    for factor in (1.0, 0.5, 0.1, 3.0):
        for optimiser in optimisers.values():
            optimiser.param_groups[0]["lr"] = factor * optimiser.param_groups[0]["initial_lr"]
        same(stepped(compiled_rule, game, optimisers), stepped(eager, game, optimisers))
    assert [program is not None for program in compiled_rule.programs.values()] == [True]
