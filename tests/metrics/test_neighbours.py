"""Nearest neighbours: those of the definition, whatever makes a matrix product lose its digits."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from agon.errors import DataError, SettingError
from agon.metrics import memorisation, nearest_neighbours
from agon.metrics.neighbours import nearest_pixels, nearest_squares
from agon.metrics.pairwise import framed, pair_squares, product_dtype, sides, slack


def normal(n: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def by_definition(queries: torch.Tensor, reference: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Every distance, summed in float64, and a stable sort."""
    squares = (queries.double()[:, None] - reference.double()).square().flatten(2).sum(2)
    distances, indices = squares.sqrt().sort(dim=1, stable=True)
    return distances[:, :k], indices[:, :k]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.uint8])
@pytest.mark.parametrize("shape", [(1,), (3,), (50,), (1, 28, 28)])
def test_agrees_with_scipy_and_scikit_learn(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    queries, reference = normal(40, *shape), normal(300, *shape, seed=1)
    if dtype == torch.uint8:
        queries, reference = (each.mul(40).add(128).clamp(0, 255) for each in (queries, reference))
    queries, reference = queries.to(dtype), reference.to(dtype)
    neighbours = nearest_neighbours(queries, reference, k=5)
    rows = [each.flatten(1).double().numpy() for each in (queries, reference)]
    brute = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(rows[1]).kneighbors(rows[0])[0]
    tree = cKDTree(rows[1]).query(rows[0], k=5)[0]
    np.testing.assert_allclose(neighbours.distances.numpy(), tree, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(neighbours.distances.numpy(), brute, rtol=1e-6, atol=1e-6)
    distances, indices = by_definition(queries, reference, 5)
    assert torch.equal(neighbours.indices, indices)
    torch.testing.assert_close(neighbours.distances, distances, rtol=1e-14, atol=0)


def test_ties_go_to_the_lower_number_and_copies_are_at_zero() -> None:
    """On a grid of 27 places nearly every sample is tied with many."""
    grid = torch.randint(0, 3, (400, 3), generator=torch.Generator().manual_seed(0))
    for reference in (grid.to(torch.uint8), grid.float() / 3):
        neighbours = nearest_neighbours(reference[:60], reference, k=30)
        distances, indices = by_definition(reference[:60], reference, 30)
        assert torch.equal(neighbours.indices, indices)
        torch.testing.assert_close(neighbours.distances, distances, rtol=1e-14, atol=0)
        assert torch.all(neighbours.distances[:, 0] == 0)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_what_a_matrix_product_cannot_tell_is_told(scale: float) -> None:
    """Far from the origin, and two clusters far apart: |a|² + |b|² - 2ab in float32 gets nearly all wrong."""
    spread = normal(300, 16, seed=1).double() * 1e-3
    spread[::2] += 100
    reference = (spread + 1000) * scale
    queries = reference[:50] + normal(50, 16).double() * 1e-4 * scale
    neighbours = nearest_neighbours(queries, reference, k=3)
    distances, indices = by_definition(queries, reference, 3)
    assert torch.equal(neighbours.indices, indices)
    torch.testing.assert_close(neighbours.distances, distances, rtol=1e-14, atol=0)
    a, b = queries.float() / scale, reference.float() / scale
    product = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    assert (product.argmin(1) == indices[:, 0]).double().mean() < 0.2, "the naive product is no control any more"


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, reference = normal(101, 7), torch.cat([normal(203, 7, seed=1), normal(50, 7)])
    whole = nearest_neighbours(queries, reference, k=4)
    for rows, columns, values in ((10, 300, 10**6), (101, 7, 10**6), (64, 100, 140)):
        for name, value in (("ROWS", rows), ("COLUMNS", columns), ("VALUES", values), ("PAIRED", 10)):
            monkeypatch.setattr(f"agon.metrics.pairwise.{name}", value)
        neighbours = nearest_neighbours(queries, reference, k=4)
        assert torch.equal(neighbours.indices, whole.indices)
        assert torch.equal(neighbours.distances, whole.distances)
    one_by_one = [nearest_neighbours(query[None], reference, k=4).distances for query in queries[:9]]
    assert torch.equal(torch.cat(one_by_one), whole.distances[:9])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("d", [1, 30, 2000])
def test_bounds_hold(dtype: torch.dtype, d: int) -> None:
    """The product is below the exact square, and not further than it says; near copies are the hard case."""
    x = normal(60, d).double() * torch.logspace(-3, 3, 60, dtype=torch.float64)[:, None]
    y = torch.cat([x + 1e-7 * normal(60, d, seed=1), x])
    frame = framed(y, x)
    (row,), (column,) = sides(x, frame, dtype), sides(y, frame, dtype, columns=True)
    lower = (row.factors @ column.factors.T).double().flatten()
    i, j = torch.cartesian_prod(torch.arange(60), torch.arange(120)).T
    exact = pair_squares(x, y, i, j) * frame.scale**2
    assert torch.all(lower <= exact)
    assert torch.all(exact <= lower + slack(d, dtype) * (row.norms[i] + column.norms[j]))


def test_products_of_fewer_digits_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """TF32 on request, and autocast: then in float64."""
    cpu = torch.device("cpu")
    assert product_dtype(cpu) == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert product_dtype(cpu) == torch.float64
        neighbours = nearest_neighbours(normal(20, 9), normal(90, 9, seed=1))
    assert torch.equal(neighbours.indices, nearest_neighbours(normal(20, 9), normal(90, 9, seed=1)).indices)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
    assert product_dtype(cpu) == torch.float64


def test_copies_take_no_longer_where_only_distances_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The radii of a collapsed set are decided by its bounds, and never by all distances of a sample."""
    exact = []
    monkeypatch.setattr("agon.metrics.neighbours._exhaustive", lambda *_: exact.append(1))
    for rows in (normal(1, 5).repeat(500, 1), torch.cat([normal(1, 5) + 1e-9 * normal(250, 5), 1e4 * normal(250, 5)])):
        nearest_squares(rows.double(), rows.double(), k=4, ties=False)
    assert not exact


@pytest.mark.parametrize(
    ("queries", "reference", "k", "error", "message"),
    [
        (torch.zeros(3, 2), torch.zeros(4, 3), 1, DataError, r"one shape, got \(2,\) and \(3,\)"),
        (torch.zeros(0, 2), torch.zeros(4, 2), 1, DataError, "queries: expected at least 1 samples"),
        (torch.zeros(3), torch.zeros(4), 1, DataError, r"the shape \(3,\)"),
        (torch.zeros(3, 2), torch.tensor([[0.0, math.nan], [0, 0]]), 1, DataError, "reference: .* got 1 of 2 samples"),
        (torch.zeros(3, 2), torch.zeros(4, 2), 5, SettingError, "from 1 to the 4 samples of the reference, got 5"),
        (torch.zeros(3, 2), torch.zeros(4, 2), 0, SettingError, "got 0"),
    ],
)
def test_what_has_no_neighbours_is_a_sentence(
    queries: torch.Tensor, reference: torch.Tensor, k: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nearest_neighbours(queries, reference, k)


@pytest.mark.parametrize(("m", "h"), [(600, 600), (1200, 200)])
def test_memorisation_tells_copies_from_samples(m: int, h: int) -> None:
    """0.5 for another draw of the distribution, 1 for blurred copies, whatever the sizes of the sets."""
    train, held, fresh = normal(m, 8), normal(h, 8, seed=1), normal(500, 8, seed=2)
    honest = memorisation(fresh, train, held)
    assert honest.error is not None
    assert honest.value == pytest.approx(0.5, abs=3.5 * honest.error)
    assert honest.detail["copies"] == 0
    copied = memorisation(train[:500] + 1e-3 * normal(500, 8, seed=3), train, held)
    assert copied.value == 1
    assert copied.interval is not None
    assert copied.interval[0] > 0.95
    assert copied.detail["distribution"]["medians"]["model"] < 0.01 * honest.detail["median_train"]
    assert memorisation(held[:150], train, held).value == 0, "copies of held-out images are as far as can be"


def test_memorisation_of_half_of_the_samples_is_seen() -> None:
    train, held = normal(1000, 4, 4), normal(300, 4, 4, seed=1)
    half = memorisation(torch.cat([normal(300, 4, 4, seed=2), train[:300]]), train, held)
    assert half.interval is not None
    assert half.interval[0] > 0.5
    assert half.detail["copies"] == 0.5
    assert half.detail["share"] == pytest.approx(0.5 + 0.5 * 1000 / 1300, abs=0.06)


def test_the_error_of_memorisation_is_that_of_repeated_draws() -> None:
    """Also where few images are near to everything, as for noise: the spread over sets, not over samples."""
    for spread, ratio in ((1.0, 1.0), (20.0, 1.0)):
        draws = [
            memorisation(*(normal(100, 6, seed=3 * seed + part) * (spread if part == 0 else 1) for part in range(3)))
            for seed in range(150)
        ]
        empirical = torch.tensor([draw.value for draw in draws]).std()
        reported = torch.tensor([draw.error or 0.0 for draw in draws]).square().mean().sqrt()
        assert float(reported / empirical) == pytest.approx(ratio, rel=0.25)
    assert draws[0].detail["independent"] < 40, "noise has few nearest images"


def test_a_tie_counts_half() -> None:
    images = normal(50, 3)
    assert memorisation(images, images, images).value == 0.5


def test_the_nearest_pixels_are_at_0_for_copies_and_at_1_for_opposites() -> None:
    """One grey level everywhere is 1/255, whatever the size of the image."""
    black = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    assert [nearest_pixels(black + level, black).value for level in (0, 1, 255)] == pytest.approx([0, 1 / 255, 1])
