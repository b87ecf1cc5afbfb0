"""Neighbours by bounds of few coordinates: those of the definition, whatever the directions are."""

from collections.abc import Callable

import pytest
import torch

from agon.metrics import projected
from agon.metrics.neighbours import nearest_neighbours, nearest_others
from agon.metrics.pairwise import framed, pair_squares


def normal(n: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def flat(n: int, d: int = 24, seed: int = 0) -> torch.Tensor:
    """Points near a plane of few dimensions, as images are."""
    return normal(n, 3, seed=seed) @ normal(3, d, seed=9) + 0.05 * normal(n, d, seed=seed + 1)


def levels(n: int, seed: int = 0) -> torch.Tensor:
    return flat(n, seed=seed).mul(30).add(128).clamp(0, 255).byte()


SETS: dict[str, tuple[torch.Tensor, torch.Tensor]] = {
    "near a plane": (flat(70), flat(300, seed=5)),
    "bytes": (levels(70), levels(300, seed=5)),
    "copies and ties": (levels(300)[:70] // 64, levels(300) // 64),
    "far from the origin": (flat(70).double() + 1e6, flat(300, seed=5).double() + 1e6),
    "in all directions": (normal(70, 24), normal(300, 24, seed=5)),
    "a collapsed set": (flat(1).repeat(70, 1), torch.cat([flat(1).repeat(200, 1), flat(100, seed=5)])),
    "few of them": (flat(70), flat(5, seed=5)),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Every search is by directions, in small blocks."""

    def shrink(**settings: float) -> None:
        usual = {"DIRECTIONS": 4, "WORTH": 0, "ROWS": 20, "COLUMNS": 70, "GROUPS": 8, "MANY": 1.0, "HOPELESS": 1.0}
        for name, value in {**usual, **settings}.items():
            monkeypatch.setattr(projected, name, value)

    return shrink


def by_definition(queries: torch.Tensor, reference: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    squares = (queries.double()[:, None] - reference.double()).square().sum(2)
    distances, indices = squares.sqrt().sort(dim=1, stable=True)
    return distances[:, :k], indices[:, :k]


@pytest.mark.parametrize(
    "settings", [{}, {"MANY": 0.1, "MOST": 1}, {"MANY": 0.0, "HOPELESS": 0.0}, {"COLUMNS": 3, "ROWS": 100}]
)
@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("name", SETS)
def test_they_are_those_of_the_definition(
    name: str, k: int, settings: dict[str, float], small: Callable[..., None]
) -> None:
    """Also where queries or all of them are left to whole products, and where a block has fewer than k samples."""
    small(**settings)
    queries, reference = SETS[name]
    assert projected.pays(queries, reference)
    neighbours = nearest_neighbours(queries, reference, k)
    distances, indices = by_definition(queries, reference, k)
    assert torch.equal(neighbours.indices, indices)
    torch.testing.assert_close(neighbours.distances, distances, rtol=1e-13, atol=0)


def test_few_distances_are_computed_and_all_is_certain(
    small: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: points that fill all directions need more of them."""
    small()
    exact: list[int] = []
    monkeypatch.setattr(projected, "pair_squares", lambda *each: (exact.append(len(each[2])), pair_squares(*each))[1])
    for name, share in (("near a plane", 0.1), ("bytes", 0.1)):
        queries, reference = SETS[name]
        exact.clear()
        assert bool(projected.search(queries, reference, 1, framed(reference, queries)).sure.all())
        assert sum(exact) < share * len(queries) * len(reference)
    queries, reference = SETS["in all directions"]
    exact.clear()
    projected.search(queries, reference, 1, framed(reference, queries))
    assert sum(exact) > 0.2 * len(queries) * len(reference)


@pytest.mark.parametrize("share", [0.01, 1.0])
def test_no_more_pairs_are_listed_than_can_be_looked_at(share: float) -> None:
    """A block of 512 x 8,192 that lies below its limits would be 4 million pairs, and 180 MB."""
    lower = torch.rand(40, 8_003, generator=torch.Generator().manual_seed(0))
    limits = torch.where(torch.arange(40) % 2 == 0, share, 0.001)
    rows, columns, often = projected._below(lower, limits, most=40)
    below = lower <= limits[:, None]
    assert often.tolist() == (below.sum(1) > 40).tolist() == [True, False] * 20
    expected = (below & ~often[:, None]).nonzero()
    assert sorted(map(list, zip(rows.tolist(), columns.tolist(), strict=True))) == expected.tolist()


def test_pairs_of_a_hopeless_row_are_never_listed() -> None:
    """The negative control: listing first, and leaving out after it, would take all of them."""
    lower, listed = torch.zeros(64, 4_096), list[int]()

    class Listing(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            if func is torch.ops.aten.nonzero.default:
                listed.append(len(result))
            return result

    with Listing():
        rows, _, often = projected._below(lower, torch.ones(64), most=40)
        assert (len(rows), bool(often.all()), max(listed)) == (0, True, 0)
        projected._below(lower, torch.ones(64), most=10**6)
    assert max(listed) == lower.numel()


@pytest.mark.parametrize("name", SETS)
def test_bounds_hold_for_any_contraction(name: str) -> None:
    """Whatever the directions: of the data, or arbitrary ones."""
    queries, reference = SETS[name]
    frame = framed(reference, queries)
    first, second = torch.cartesian_prod(torch.arange(len(queries)), torch.arange(len(reference))).T
    exact = pair_squares(queries, reference, first, second) * frame.scale**2
    arbitrary = torch.linalg.qr(normal(queries.shape[1], 5).double()).Q * 0.7
    for by in (projected.principal(reference, frame), projected.Projection(frame, arbitrary)):
        rows, columns = projected.projected(queries, by), projected.projected(reference, by, columns=True)
        lower = (rows.factors @ columns.factors.T).double().flatten()
        assert torch.all(lower <= exact)


def test_nearest_others_leave_themselves_out(small: Callable[..., None]) -> None:
    small()
    samples = torch.cat([levels(90), levels(90)[:10]])
    own = torch.arange(100)
    others = nearest_others(samples)
    assert bool((others.indices[:, 0] != own).all())
    assert others.distances[:10].abs().max() == 0


def test_it_pays_for_many_coordinates_alone() -> None:
    few, many = normal(1, 64), normal(1, 784)
    assert not projected.pays(few.expand(10_000, -1), few.expand(60_000, -1))
    assert not projected.pays(many.expand(10, -1), many.expand(600, -1))
    assert projected.pays(many.expand(10_000, -1), many.expand(60_000, -1))
