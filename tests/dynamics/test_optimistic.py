"""Extragradient and optimistic steps are known maps on the bilinear game, and converge where plain steps do not."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from agon.data import Ring
from agon.dynamics import ALTERNATING, Dynamics, Extragradient, Optimistic, Turns, Unrolled
from agon.errors import SettingError
from agon.experiment import Experiment, part
from agon.games import Adversarial, parameters_of
from agon.networks import mlp
from agon.training import Compute, resume, train

from ..training.compare import assert_same
from .test_moves import NOTHING, SIMULTANEOUS, Bilinear, H, adam, assert_identical, batch, networks, sgd, state
from .test_turns import Draws


def step(dynamics: Dynamics, theta: float, psi: float) -> Tensor:
    game = Bilinear(theta, psi)
    dynamics.step(game, sgd(game), lambda: NOTHING)
    return game.point


def test_extragradient_is_its_matrix() -> None:
    """θ' = θ - h(ψ + hθ), ψ' = ψ + h(θ - hψ): Euler's field at the midpoint that a whole step leads to."""
    found = torch.stack([step(Extragradient(), 1.0, 0.0), step(Extragradient(), 0.0, 1.0)], dim=1)
    expected = torch.tensor([[1 - H**2, -H], [H, 1 - H**2]], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-15, atol=1e-16)


def test_optimism_is_its_recurrence() -> None:
    """x_{t+1} = x_t - h(2F(x_t) - F(x_{t-1})), the first step an ordinary one."""
    field = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    game = Bilinear(0.7, -1.3)
    optimisers, points = sgd(game), [game.point]
    for _ in range(20):
        Optimistic().step(game, optimisers, lambda: NOTHING)
        points.append(game.point)
    torch.testing.assert_close(points[1], points[0] - H * field @ points[0])
    for before, now, after in zip(points, points[1:], points[2:], strict=False):
        torch.testing.assert_close(after, now - H * field @ (2 * now - before), rtol=1e-13, atol=1e-15)


def radii(dynamics: Dynamics, steps: int = 1500) -> Tensor:
    game = Bilinear(0.6, -0.8)
    optimisers, points = sgd(game), [game.point]
    for _ in range(steps):
        dynamics.step(game, optimisers, lambda: NOTHING)
        points.append(game.point)
    return torch.stack(points).norm(dim=1)


@pytest.mark.parametrize("order", [SIMULTANEOUS, ALTERNATING])
def test_what_theory_promises_to_converge_converges(order: tuple[tuple[str, ...], ...]) -> None:
    assert float(radii(Optimistic(Turns(order)))[-1]) < 1e-3


@pytest.mark.parametrize(
    "dynamics",
    [
        Extragradient(Turns(SIMULTANEOUS)),
        Unrolled(Turns(SIMULTANEOUS), steps=1),
        Unrolled(Turns(ALTERNATING), steps=1),
    ],
    ids=str,
)
def test_and_so_do_steps_that_remember_nothing(dynamics: Dynamics) -> None:
    """Such a step is a matrix: fifty steps are its fiftieth power, and fifteen hundred lead to the centre."""
    matrix = torch.stack([step(dynamics, 1.0, 0.0), step(dynamics, 0.0, 1.0)], dim=1)
    start = torch.tensor([0.6, -0.8], dtype=torch.float64)
    after = [float((torch.linalg.matrix_power(matrix, steps) @ start).norm()) for steps in (50, 1500)]
    assert float(radii(dynamics, steps=50)[-1]) == pytest.approx(after[0], rel=1e-10)
    assert after[1] < 1e-3


def test_a_player_that_extrapolates_alone_takes_a_plain_step() -> None:
    """Its own gradient on the bilinear game does not change as it moves: there is no rotation to anticipate."""
    for point in ((1.0, 0.0), (0.0, 1.0)):
        found, plain = (step(kind(Turns(ALTERNATING)), *point) for kind in (Extragradient, lambda turns: turns))
        torch.testing.assert_close(found, plain, rtol=1e-15, atol=1e-16)


def test_plain_steps_do_not() -> None:
    """Matrices too: simultaneous steps spiral outwards, alternating ones go round for ever."""
    radius = {}
    for order in (SIMULTANEOUS, ALTERNATING):
        matrix = torch.stack([step(Turns(order), 1.0, 0.0), step(Turns(order), 0.0, 1.0)], dim=1)
        start = torch.tensor([0.6, -0.8], dtype=torch.float64)
        radius[order] = [float((torch.linalg.matrix_power(matrix, steps) @ start).norm()) for steps in range(1501)]
        torch.testing.assert_close(radii(Turns(order), steps=50)[-1], torch.tensor(radius[order][50]).double())
    assert radius[SIMULTANEOUS][-1] > 1e3
    assert 0.8 < min(radius[ALTERNATING][-500:]) < max(radius[ALTERNATING][-500:]) < 1.2


def test_optimistic_adam_is_the_published_one() -> None:
    """θ - 2η m̂_t/(√v̂_t + ε) + η m̂_{t-1}/(√v̂_{t-1} + ε): Daskalakis et al. 2018, Algorithm 1."""
    game = networks()
    optimisers, order = adam(game), Turns((("critic",),))
    parameter = game.critic[3].weight
    before, moves = parameter.detach().clone(), []
    for t in range(1, 5):
        Optimistic(order).step(game, optimisers, lambda t=t: batch(t))
        moments = optimisers["critic"].state[parameter]
        mean, square = moments["exp_avg"] / (1 - 0.9**t), moments["exp_avg_sq"] / (1 - 0.999**t)
        moves.append(0.01 * mean / (square.sqrt() + 1e-8))
        before = before - moves[-1] if t == 1 else before - 2 * moves[-1] + moves[-2]
        torch.testing.assert_close(parameter.detach(), before, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("order", [SIMULTANEOUS, ALTERNATING])
@pytest.mark.parametrize("kind", [Extragradient, Optimistic])
def test_statistics_move_once_in_each_own_move(kind, order) -> None:  # type: ignore[no-untyped-def]
    game = networks()
    kind(Turns(order, draws="round")).step(game, adam(game), Draws())
    assert [int(n[1].num_batches_tracked) for n in (game.generator, game.critic)] == [1, 2]


@pytest.mark.parametrize("mover", ["generator", "critic"])
@pytest.mark.parametrize("kind", [Extragradient, Optimistic])
def test_whoever_does_not_move_stays_bit_identical(kind, mover: str) -> None:  # type: ignore[no-untyped-def]
    game = networks()
    optimisers = adam(game)
    Turns(draws="round").step(game, optimisers, lambda: batch(0))
    other = "critic" if mover == "generator" else "generator"
    before = state(game, other, optimisers)
    kind(Turns(((mover,),))).step(game, optimisers, lambda: batch(1))
    assert_identical(state(game, other, optimisers), before)


def test_an_extrapolation_leaves_the_moments_where_one_step_brings_them() -> None:
    game = networks()
    optimisers = adam(game)
    Extragradient().step(game, optimisers, lambda: batch(0))
    steps = {int(optimisers["critic"].state[p]["step"]) for p in parameters_of(game, "critic")}
    assert steps == {1}


def test_extragradient_is_two_evaluations_by_hand() -> None:
    """With Adam: a copy takes torch's own step, and its gradient there moves the original."""
    game = networks()
    optimisers = adam(game)
    Turns(SIMULTANEOUS).step(game, optimisers, lambda: batch(0))
    there, theirs = copy.deepcopy((game, optimisers))
    Turns(SIMULTANEOUS).step(there, theirs, lambda: batch(1))
    Turns(SIMULTANEOUS).step(there, theirs, lambda: batch(1))
    expected = [p.grad for player in there.players for p in parameters_of(there, player)]
    Extragradient().step(game, optimisers, lambda: batch(1))
    found = [p.grad for player in game.players for p in parameters_of(game, player)]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_an_unsupported_optimiser_is_refused() -> None:
    with pytest.raises(SettingError, match="got NAdam"):
        Extragradient().check_optimisers({"critic": torch.optim.NAdam([torch.ones(1)])})


@pytest.mark.parametrize("dynamics", [Optimistic(), Extragradient(), Unrolled(steps=2)], ids=lambda d: type(d).__name__)
def test_a_run_with_it_is_resumed_bit_for_bit(dynamics: Dynamics, tmp_path: Path) -> None:
    """What a rule remembers from step to step is in the checkpoint."""
    experiment = Experiment(
        game=part(
            Adversarial,
            generator=part(mlp.Generator, shape=(2,), latent=4, widths=(8,), normalise=True),
            critic=part(mlp.Critic, shape=(2,), widths=(8,)),
        ),
        data=Ring(),
        steps=8,
        batch=16,
        dynamics=dynamics,
        checkpoint_every=4,
        sample_every=4,
    )
    how = Compute(threads=1)
    whole = train(experiment, tmp_path / "whole", compute=how, show=False)
    train(experiment.with_steps(4), tmp_path / "parts", compute=how, show=False)
    assert_same(whole.path, resume(tmp_path / "parts", steps=8, show=False).path)
