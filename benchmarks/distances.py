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
from benchmarks.report import Section, shown, table
from benchmarks.sets import SHARED, Set
from benchmarks.timing import Rounds, interval

QUERIES = 10_000
SIZES = ((10_000, 64), (10_000, 784))  # samples of each set, features
SECONDS = 90  # of all rounds of one pair of sets
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
    sides = {"scikit-learn": _rounds(1.0, quick), "matrix product": _rounds(3.0, quick)}
    with TemporaryDirectory() as folder:
        file = _saved(Path(folder), _queries(mnist)[:count], _pixels(mnist.tensor()))
        found = _measured("neighbours", sides, file)
    return Section(
        "Nearest neighbours",
        f"Nearest of 60,000 training images (784 pixels, float32) to each of {count:,} test images, on all "
        f"{os.cpu_count()} cores; each side in a process of its own, by turns: {sides['scikit-learn']}. "
        'scikit-learn is `NearestNeighbors(algorithm="brute")`; the matrix product is that of queries and reference in '
        "float32 in the same blocks, and nothing else. Memory is the peak above what was resident with the inputs "
        "loaded. Bounds: 1.0 of scikit-learn's time, 3 of the product's.",
        table(HEADS, _rows("", found)),
    )


def manifolds(sets: list[Set], quick: bool) -> Section:
    """Precision, recall, density and coverage of normal features."""
    rows, sides = [], {"prdc": _rounds(1.0, quick)}
    for n, d in ((1_000, 64),) if quick else SIZES:
        rng = np.random.default_rng(0)
        with TemporaryDirectory() as folder:
            file = _saved(Path(folder), *(rng.standard_normal((n, d), np.float32) for _ in range(2)))
            rows += _rows(f"{n:,} x {d}", _measured("prdc", sides, file))
    return Section(
        "Precision, recall, density, coverage",
        "Of two sets of normal features (float32), k = 5, against the package prdc; each side in a process of its own, "
        f"by turns, on all {os.cpu_count()} cores: {sides['prdc']}. Memory is the peak above what was resident with "
        "the inputs loaded. Bounds: 1.0 of its time, a tenth of its memory.",
        table(HEADS, rows),
    )


HEADS = ("", "side", "s", "agon / this side", "95 % interval", "rounds", "memory, MiB", "agon / this side")


def _rounds(bound: float, quick: bool) -> Rounds:
    return Rounds(1) if quick else Rounds(5, bound=bound, least=3, seconds=SECONDS)


def _rows(what: str, found: dict[str, list[Told]]) -> list[tuple[str, ...]]:
    ours, rows = found["agon"], []
    for side, told in found.items():
        ratios = np.array(_ratios(ours, told))
        low, high = interval(ratios)
        peak, share = (median(each.peak for each in told), median(each.peak for each in ours))
        telling = (f"**{np.median(ratios):.2f}**", f"{low:.2f}-{high:.2f}", f"{len(ratios)}")
        compared = ("-", "-", "-") if side == "agon" else telling
        memory = "-" if side == "agon" else f"**{share / peak:.3f}**"
        rows.append((what, side, f"{median(t.seconds for t in told):.1f}", *compared, f"{peak / MIB:.0f}", memory))
    return rows


def _measured(task: str, peers: dict[str, Rounds], file: Path) -> dict[str, list[Told]]:
    """Ours and every peer in every round, in alternating order, until all are clear; ours must agree with the first."""
    found: dict[str, list[Told]] = {side: [] for side in ("agon", *peers)}
    sides, began = list(found), time.perf_counter()
    while not all(
        rounds.enough(_ratios(found["agon"], found[peer]), time.perf_counter() - began)
        for peer, rounds in peers.items()
    ):
        for side in sides if len(found["agon"]) % 2 == 0 else sides[::-1]:
            found[side].append(_apart(f"{task}/{side}", file))
            shown((task, side, f"{found[side][-1].seconds:.1f} s"))
    results = [found[side][0].result for side in sides[:2]]
    if abs(results[0] - results[1]) > 1e-4 * abs(results[1]):
        raise ArithmeticError(f"{task}: {sides[0]} and {sides[1]} do not agree: {results}")
    return found


def _ratios(ours: list[Told], theirs: list[Told]) -> list[float]:
    return [one.seconds / other.seconds for one, other in zip(ours, theirs, strict=True)]


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
