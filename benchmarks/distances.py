"""Nearest neighbours and PRDC against scikit-learn and prdc, and against the bare matrix product.

python -m benchmarks.distances SIDE FILE: one side on the two arrays of a file, in a process of its own, so that
libraries with threads of their own do not disturb each other; tells its seconds and its peak of memory.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch

from agon.data import Images
from agon.metrics import nearest_neighbours, pairwise, prdc
from benchmarks.memory import MIB, high_water, restart
from benchmarks.report import Section, table
from benchmarks.sets import SHARED, Set
from benchmarks.timing import interval

QUERIES = 10_000
SIZES = ((10_000, 64), (10_000, 784))  # samples of each set, features
WARM = 500  # samples of each set that pass before the clock runs


class Told(NamedTuple):
    """What a side's process says of itself.

    Attributes:
        seconds: wall time.
        peak: bytes above what was resident with the inputs loaded.
        result: what must agree between sides.
    """

    seconds: float
    peak: int
    result: float


def neighbours(sets: list[Set], quick: bool) -> Section:
    """The nearest training image of each test image."""
    mnist = next(each for each in sets if each.name == "mnist")
    count = 1_000 if quick else QUERIES
    sides = ("agon", "scikit-learn", "matrix product")
    with TemporaryDirectory() as folder:
        file = _saved(Path(folder), _queries(mnist)[:count], _pixels(mnist.tensor()))
        found = _measured("neighbours", sides, file, rounds=1 if quick else 5)
    return Section(
        "Nearest neighbours",
        f"Nearest of 60,000 training images (784 pixels, float32) to each of {count:,} test images, on all "
        f"{os.cpu_count()} cores; each side in a process of its own, by turns. scikit-learn is "
        '`NearestNeighbors(algorithm="brute")`; the matrix product is that of queries and reference in float32 in the '
        "same blocks, and nothing else. Memory is the peak above what was resident with the inputs loaded. "
        "Bounds: 1.0 of scikit-learn's time, 3 of the product's.",
        table(HEADS, _rows("", found)),
    )


def manifolds(sets: list[Set], quick: bool) -> Section:
    """Precision, recall, density and coverage of normal features."""
    rows = []
    for n, d in ((1_000, 64),) if quick else SIZES:
        rng = np.random.default_rng(0)
        with TemporaryDirectory() as folder:
            file = _saved(Path(folder), *(rng.standard_normal((n, d), np.float32) for _ in range(2)))
            rows += _rows(f"{n:,} x {d}", _measured("prdc", ("agon", "prdc"), file, rounds=1 if quick else 5))
    return Section(
        "Precision, recall, density, coverage",
        "Of two sets of normal features (float32), k = 5, against the package prdc; each side in a process of its own, "
        f"by turns, on all {os.cpu_count()} cores. Memory is the peak above what was resident with the inputs "
        "loaded. Bounds: 1.0 of its time, a tenth of its memory.",
        table(HEADS, rows),
    )


HEADS = ("", "side", "s", "agon / this side", "95 % interval", "memory, MiB", "agon / this side")


def _rows(what: str, found: dict[str, list[Told]]) -> list[tuple[str, ...]]:
    ours, rows = found["agon"], []
    for side, told in found.items():
        ratios = np.array([one.seconds / other.seconds for one, other in zip(ours, told, strict=True)])
        low, high = interval(ratios)
        peak, share = (median(each.peak for each in told), median(each.peak for each in ours))
        compared = ("-", "-") if side == "agon" else (f"**{np.median(ratios):.2f}**", f"{low:.2f}-{high:.2f}")
        memory = "-" if side == "agon" else f"**{share / peak:.3f}**"
        rows.append((what, side, f"{median(t.seconds for t in told):.1f}", *compared, f"{peak / MIB:.0f}", memory))
    return rows


def _measured(task: str, sides: tuple[str, ...], file: Path, rounds: int) -> dict[str, list[Told]]:
    """Every side in every round, in alternating order; they must agree, where they compute the same."""
    found: dict[str, list[Told]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            found[side].append(_apart(f"{task}/{side}", file))
    results = [told.result for told in (found[sides[0]][0], found[sides[1]][0])]
    if abs(results[0] - results[1]) > 1e-4 * abs(results[1]):
        raise SystemExit(f"{task}: {sides[0]} and {sides[1]} do not agree: {results}")
    return found


def _apart(side: str, file: Path) -> Told:
    command = [sys.executable, "-m", "benchmarks.distances", side, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Told(**json.loads(done.stdout.splitlines()[-1]))


def _pixels(images: torch.Tensor) -> np.ndarray:
    return (images.flatten(1).float() / 255).numpy()


def _queries(of: Set) -> np.ndarray:
    """Images that are not in the set: its test split, or other random bytes."""
    if not of.real:
        return _pixels(torch.from_numpy(np.random.default_rng(1).integers(0, 256, (QUERIES, 784), np.uint8)))
    real = Images(path=str(SHARED / of.name)).take(QUERIES, split="test").real
    return ((real + 1) / 2).flatten(1).numpy()


def _saved(folder: Path, first: np.ndarray, second: np.ndarray) -> Path:
    file = folder / "sets.npz"
    np.savez(file, first=first, second=second)
    return file


def _ours(first: torch.Tensor, second: torch.Tensor) -> float:
    return float(nearest_neighbours(first, second).distances.mean())


def _scikit_learn(first: torch.Tensor, second: torch.Tensor) -> float:
    from sklearn.neighbors import NearestNeighbors

    fitted = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(second.numpy())
    return float(fitted.kneighbors(first.numpy())[0].mean())


def _product(first: torch.Tensor, second: torch.Tensor) -> float:
    for column in torch.split(second, pairwise.COLUMNS):
        for row in torch.split(first, pairwise.ROWS):
            torch.mm(row, column.T)
    return 0.0


def _our_prdc(first: torch.Tensor, second: torch.Tensor) -> float:
    return sum(score.value for score in prdc(first, second).values())


def _their_prdc(first: torch.Tensor, second: torch.Tensor) -> float:
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        return float(sum(compute_prdc(first.numpy(), second.numpy(), nearest_k=5).values()))


SIDES: dict[str, Callable[[torch.Tensor, torch.Tensor], float]] = {
    "neighbours/agon": _ours,
    "neighbours/scikit-learn": _scikit_learn,
    "neighbours/matrix product": _product,
    "prdc/agon": _our_prdc,
    "prdc/prdc": _their_prdc,
}


def main() -> None:
    """Warm, then once."""
    name, file = sys.argv[1:]
    with np.load(file) as arrays:
        first, second = (torch.from_numpy(arrays[each]) for each in ("first", "second"))
    SIDES[name](first[:WARM], second[:WARM])
    restart()
    before, began = high_water(), time.perf_counter()
    result = SIDES[name](first, second)
    seconds = time.perf_counter() - began
    print(json.dumps(Told(seconds, high_water() - before, result)._asdict()))


if __name__ == "__main__":
    main()
