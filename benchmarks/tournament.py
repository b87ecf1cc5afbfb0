"""Tournaments of N runs: against a loop of battles over all pairs, and how time and memory grow with N."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import torch

from agon import battle, tournament, train
from agon.arena import BattleSettings, TournamentSettings
from agon.arena.tournaments import playing
from agon.data import Images
from agon.recipes import find
from agon.runs import Checkpoint, Run
from benchmarks.memory import high_water
from benchmarks.report import Section, shown, table
from benchmarks.sets import Set
from benchmarks.sides import compute

RECIPE, SAMPLES = "radford2015/dcgan", 1_000
COUNTS = (5, 10, 20)
PAIRS = 10  # the most runs of which all pairs are fought
HEADS = (
    "N",
    "opening, s",
    "generating, s",
    "judging and rating, s",
    "tournament, s",
    "battles, s",
    "ratio",
    "peak, MiB",
)


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each number of runs."""
    of = next(each for each in sets if each.name == "mnist")
    with tempfile.TemporaryDirectory() as folder:
        runs = trained(of, Path(folder), max(COUNTS))
        rows = list(_rows(runs, (3, 5) if quick else COUNTS, 60 if quick else SAMPLES))
    return Section(
        "Tournaments",
        f"N runs of `{RECIPE}` at its smallest on MNIST, {SAMPLES:,} samples each, two threads, wall time, nothing "
        "kept from before: `agon.tournament` without references, beside `agon.battle` for each of the N (N - 1) / 2 "
        "pairs in the same process. A battle's critics judge 800 real samples, a tournament's 1,000. Opening reads the "
        "data and the checkpoints, generating grows with N, and judging with N². Peak memory is that of a process of "
        f"one tournament. Bound: at N = {PAIRS} a quarter of the battles' time; the peak at N = 20 within 10 % of "
        "that at N = 5.",
        table(HEADS, rows),
    )


def trained(of: Set, folder: Path, count: int) -> list[Path]:
    """A short training, and copies of it whose weights have noise of their own."""
    source = Images(path=str(of.file))
    experiment = replace(find(RECIPE).experiment(source, "smoke"), steps=20)
    first = train(experiment, folder / "0", compute=compute(), show=False)
    return [first.path, *(noisy(first, folder / str(seed), seed) for seed in range(1, count))]


def noisy(run: Run, path: Path, seed: int) -> Path:
    shutil.copytree(run.path, path)
    checkpoint, rng = run.checkpoint(run.kept[-1]), torch.Generator().manual_seed(seed)
    tensors = {
        name: tensor + 0.01 * torch.randn(tensor.shape, generator=rng)
        if name.startswith("game/") and name.endswith("weight")
        else tensor
        for name, tensor in checkpoint.tensors.items()
    }
    Run(path).save(Checkpoint(checkpoint.step, tensors, checkpoint.state))
    return path


def _rows(runs: list[Path], counts: tuple[int, ...], n: int) -> Iterator[tuple[str, ...]]:
    _tournament(runs[:2], n)  # imports, and the cache of decoded images
    for count in counts:
        parts = _tournament(runs[:count], n)
        naive = _seconds(lambda count=count: _battles(runs[:count], n)) if count <= PAIRS else None  # type: ignore[misc]
        peak = _peak(runs[:count], n)
        whole = sum(parts)
        times = [f"{seconds:.1f}" for seconds in (*parts, whole)]
        against = ["-", "-"] if naive is None else [f"{naive:.1f}", f"**{naive / whole:.1f}**"]
        yield shown((str(count), *times, *against, f"{peak / 2**20:.0f}"))


def _tournament(runs: list[Path], n: int) -> tuple[float, float, float]:
    """Seconds that a tournament takes to open everything, to make all samples, and for the rest."""
    ends: list[float] = []
    sampled = playing._sampled

    def timed(*arguments: object) -> object:
        ends.append(time.perf_counter())
        made = sampled(*arguments)  # type: ignore[arg-type]
        ends.append(time.perf_counter())
        return made

    playing._sampled = timed  # type: ignore[assignment]
    try:
        began = time.perf_counter()
        tournament(runs, settings=TournamentSettings(n=n), references=False, show=False)
    finally:
        playing._sampled = sampled
    opened, made = ends
    return opened - began, made - opened, time.perf_counter() - made


def _battles(runs: list[Path], n: int) -> None:
    for one, other in combinations(runs, 2):
        battle(one, other, settings=BattleSettings(n=n))


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _peak(runs: list[Path], n: int) -> int:
    """Bytes, as a process of one tournament tells them."""
    command = [sys.executable, "-m", "benchmarks.tournament", str(n), *map(str, runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    tournament(sys.argv[2:], settings=TournamentSettings(n=int(sys.argv[1])), references=False, show=False)
    print(json.dumps(high_water()))
