"""Batched L-BFGS: known minima are found, and nobody's result depends on whom they share a batch with."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from agon.errors import DataError, SettingError
from agon.metrics.lbfgs import Minimum, minimise


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=dtype)


def bowls(conditions: list[float], d: int = 6) -> tuple[Callable[[Tensor, Tensor], Tensor], Tensor]:
    """½(x - c)ᵀ A (x - c) with A's eigenvalues from 1 to each condition number, turned at random; and c."""
    turns = torch.linalg.qr(normal(len(conditions), d, d)).Q
    spread = torch.stack([torch.logspace(0, math.log10(c), d, dtype=torch.float64) for c in conditions])
    matrices, centres = (turns * spread[:, None]) @ turns.mT, normal(len(conditions), d, seed=1)

    def value(x: Tensor, index: Tensor) -> Tensor:
        gap = x - centres[index].to(x)
        return 0.5 * torch.einsum("bi,bij,bj->b", gap, matrices[index].to(x), gap)

    return value, centres


def valley(x: Tensor, index: Tensor) -> Tensor:
    """Rosenbrock's function of any number of coordinates, least (0) at ones."""
    return (100 * (x[:, 1:] - x[:, :-1].square()).square() + (1 - x[:, :-1]).square()).sum(1)


def waves(x: Tensor, index: Tensor) -> Tensor:
    """Least squares of a small network whose weights differ from problem to problem: bent, and not convex."""
    weights = normal(64, 12, x.shape[1], seed=7)[index].to(x)
    aims = 0.3 * normal(64, 12, seed=8)[index].to(x)
    return (torch.tanh(torch.einsum("bij,bj->bi", weights, x)) - aims).square().mean(1)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-6), (torch.float32, 1e-2)])
def test_bowls_of_any_condition_are_solved(dtype: torch.dtype, near: float) -> None:
    """Eigenvalues up to 1, 30, 1,000 and 10,000 times the least: each at its own centre, in its own time."""
    value, centres = bowls([1.0, 30.0, 1e3, 1e4])
    minimum = minimise(value, 3 * normal(4, 6, seed=2, dtype=dtype), iterations=300, tolerance=1e-12)
    assert (minimum.points - centres).abs().max() < near
    assert minimum.points.dtype == minimum.values.dtype == dtype
    assert bool(minimum.converged.all())
    assert minimum.iterations[0] <= 6, "a round bowl takes a step of length 1, one to its centre, and rounding's"
    assert bool((minimum.iterations[0] < minimum.iterations[1:]).all())


def test_no_more_passes_than_needed() -> None:
    """Step 1 is mostly the right one: less than 1.4 values an iteration, and none is counted twice."""
    calls = torch.zeros(40, dtype=torch.long)

    def counted(x: Tensor, index: Tensor) -> Tensor:
        calls[index] += 1
        return waves(x, index)

    minimum = minimise(counted, normal(40, 8), iterations=60, tolerance=1e-6)
    assert torch.equal(minimum.evaluations, calls)
    assert int(calls.sum()) < 1.4 * int(minimum.iterations.sum()) + 40


def test_a_valley_in_a_batch() -> None:
    """Rosenbrock's from 20 starts; a minimum of any of them is a point without a slope."""
    minimum = minimise(valley, 1.5 * normal(20, 4), iterations=500, tolerance=0.0)
    slopes = torch.autograd.functional.jacobian(lambda x: valley(x, x).sum(), minimum.points)
    assert slopes.abs().max() < 1e-5
    ones = (minimum.points - 1).abs().amax(1) < 1e-5
    assert int(ones.sum()) >= 15, "the others are at the local minimum beside (-1, 1, 1, 1)"


@pytest.mark.parametrize("function", [waves, valley])
def test_a_result_does_not_depend_on_the_company(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Alone, with 29 others, or in chunks of 7 with a remainder of 2: the same to 12 digits, and as many steps."""
    start = normal(30, 6)
    whole = minimise(function, start, iterations=40)
    for other in (minimise(function, start, iterations=40, chunk=7), minimise(function, start, iterations=40, chunk=1)):
        agree(whole, other)
    for row in (0, 17, 29):
        alone = minimise(lambda x, i, row=row: function(x, i + row), start[row : row + 1], iterations=40)
        agree(Minimum(*(each[row : row + 1] for each in whole)), alone)


def agree(a: Minimum, b: Minimum) -> None:
    torch.testing.assert_close(a.points, b.points, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(a.values, b.values, rtol=1e-12, atol=1e-15)
    assert torch.equal(a.iterations, b.iterations)
    assert torch.equal(a.evaluations, b.evaluations)


def test_not_worse_than_torch_and_scipy() -> None:
    """On 24 small nonlinear problems from the same starts, 60 iterations: the mean of the minima within 1 %."""
    start = 0.1 * normal(24, 8)
    ours = minimise(waves, start, iterations=60, tolerance=0.0).values.mean()
    torchs = torch.tensor([by_torch(start[i : i + 1].clone(), i) for i in range(24)]).mean()
    scipys = torch.tensor([by_scipy(start[i].numpy(), i) for i in range(24)]).mean()
    assert ours < 1.01 * min(torchs, scipys)
    assert ours < 0.9 * minimise(waves, start, iterations=4, tolerance=0.0).values.mean(), "there is something to do"


def by_torch(x: Tensor, number: int) -> float:
    x.requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=60, history_size=10, line_search_fn="strong_wolfe", tolerance_change=0)

    def closure() -> float:
        optimiser.zero_grad()
        value = waves(x, torch.tensor([number])).sum()
        value.backward()
        return value.item()

    optimiser.step(closure)
    return waves(x, torch.tensor([number])).item()


def by_scipy(x: np.ndarray, number: int) -> float:
    def closure(x: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.from_numpy(x)[None].requires_grad_()
        value = waves(point, torch.tensor([number])).sum()
        (gradient,) = torch.autograd.grad(value, point)
        return value.item(), gradient[0].numpy()

    return float(minimize(closure, x, jac=True, method="L-BFGS-B", options={"maxiter": 60, "maxcor": 10}).fun)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_wall_of_no_numbers_is_not_passed(dtype: torch.dtype) -> None:
    """x - log x, whose first steps from 0.01 lead below 0: nothing but a shorter step, and never a NaN."""
    start = torch.tensor([[0.01], [5.0], [1e-4]], dtype=dtype)
    minimum = minimise(lambda x, i: (x - x.log())[:, 0], start, tolerance=1e-14)
    torch.testing.assert_close(minimum.points, torch.ones(3, 1, dtype=dtype), rtol=0, atol=1e-3)
    assert bool(minimum.points.isfinite().all())


def test_values_never_rise_and_kinks_do_no_harm() -> None:
    """Σ |x| has no slope to make 0, and no curvature; what comes out is lower, and finite."""
    start = normal(10, 5, dtype=torch.float32)
    minimum = minimise(lambda x, i: x.abs().sum(1), start, iterations=30)
    assert bool((minimum.values < 0.05 * start.abs().sum(1)).all())


def test_constants_and_fallen_problems_end_at_once() -> None:
    """A flat function, with and without a graph, and one that falls for ever, in one batch with a bowl."""
    flat = minimise(lambda x, i: torch.ones(len(x)), torch.ones(3, 2))
    assert flat.iterations.tolist() == [1, 1, 1]
    assert torch.equal(flat.points, torch.ones(3, 2))

    def mixed(x: Tensor, index: Tensor) -> Tensor:
        return torch.where(index == 0, -x[:, 0].exp(), x[:, 0].square())

    minimum = minimise(mixed, torch.ones(2, 1), iterations=50)
    assert bool(minimum.points.isfinite().all())
    assert bool(minimum.values.isfinite().all())
    assert minimum.points[1].abs() < 1e-6


def test_points_of_any_shape_keep_it() -> None:
    seen = set()

    def value(x: Tensor, index: Tensor) -> Tensor:
        seen.add(x.shape[1:])
        return (x - 2).square().sum(dim=(1, 2))

    minimum = minimise(value, torch.zeros(5, 2, 3))
    assert seen == {torch.Size([2, 3])}
    torch.testing.assert_close(minimum.points, torch.full((5, 2, 3), 2.0))


@pytest.mark.parametrize(
    ("start", "settings", "error", "message"),
    [
        (torch.zeros(0, 2), {}, DataError, "at least 1 problem, got none"),
        (torch.tensor([[1.0], [math.nan]]), {}, DataError, "at the start, got 1 of 2 without"),
        (torch.ones(1, 1), {"iterations": 0}, SettingError, "iterations and chunk over 0"),
        (torch.ones(1, 1), {"chunk": 0}, SettingError, "got 100, 0 and 1e-09"),
        (torch.ones(1, 1), {"tolerance": -1.0}, SettingError, "a tolerance of 0 or more"),
    ],
)
def test_what_cannot_be_minimised_is_a_sentence(
    start: Tensor, settings: dict[str, float], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        minimise(lambda x, i: x.square().sum(1), start, **settings)  # type: ignore[arg-type]
