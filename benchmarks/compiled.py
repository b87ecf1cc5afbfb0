"""Whether torch.compile makes steps faster on a CPU: of the DCGAN, and of every kind of look-ahead that it covers."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch

from agon import Compute, Experiment, Part, Turns, Unrolled
from agon.dynamics.unrolled import CompiledUnrolled
from agon.projections import Clipping
from agon.recipes import find
from agon.training import Training
from agon.training.compilation import choose_compilation
from benchmarks.programs import Losing, explanation, of_torch
from benchmarks.report import Section, shown, table
from benchmarks.sets import Set
from benchmarks.sides import THREADS, agon_side, compute
from benchmarks.timing import Compared, Rounds, compared

BOUND = 0.6  # of the eager look-ahead
ROW = 6  # seconds of a row's rounds
HEADS = ("training", "compiled, ms", "not, ms", "compiled / not", "95 % interval", "rounds", "bound", "compiling, s")


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set and for each kind of look-ahead; empty where there is no C++ compiler."""
    networks = Rounds(1) if quick else Rounds(12, 2, seconds=ROW)
    rules = Rounds(1) if quick else Rounds(30, 3, BOUND, seconds=ROW)
    able = shutil.which("g++") is not None
    rows = list(_networks(sets, networks)) if able else []
    ahead = list(_look_aheads(rules)) if able else []
    return Section(
        "Compiling on a CPU",
        "agon's step with `--compile on` (torch.compile, inductor) over the same without, by turns. First a DCGAN on "
        f"{THREADS} threads, whose networks are compiled ({networks}); the default, `auto`, compiles networks on CUDA "
        "only, and only where it measures faster. Then metz2017's ring, batch 512, on one thread, whose rounds are "
        f"compiled with their look-ahead ({rules}); `auto` does so from a thousand steps on. All draw their batches. "
        f"Bound of these: {BOUND}. The last column is what compiling takes, once a training, with its check against "
        "the eager round." + ("" if able else " Not run: there is no C++ compiler here."),
        table(HEADS, [*rows, *(row for row, _ in ahead)]) + explanation([losing for _, losing in ahead if losing]),
    )


def _networks(sets: list[Set], rounds: Rounds) -> Iterator[tuple[str, ...]]:
    """The DCGAN: its first step is the one that compiles."""
    torch.set_num_threads(THREADS)
    for each in sets:
        compiled, plain = agon_side(each, how=compute(compile="on")), agon_side(each)
        began = time.perf_counter()
        compiled.advance()
        first = time.perf_counter() - began
        yield _row(f"DCGAN, {each.name}", compared(compiled.advance, plain.advance, rounds), "", first)


def _look_aheads(rounds: Rounds) -> Iterator[tuple[tuple[str, ...], Losing | None]]:
    """A row for each kind, and where the time goes of one that misses the bound: compiled, and not."""
    torch.set_num_threads(1)
    for name, experiment in look_aheads().items():
        plain, compiled = ring(experiment, "off"), ring(experiment, "on")
        began = time.perf_counter()
        choose_compilation(compiled)
        took = time.perf_counter() - began
        assert isinstance(compiled.dynamics, CompiledUnrolled), name
        whole = compiled.dynamics.makes_whole_rounds
        c = compared(compiled.advance, plain.advance, rounds, warm=2)
        row = _row(name if whole else f"{name} (not whole rounds)", c, f"at most {BOUND}", took)
        yield row, _losing(name, experiment) if c.ratio > BOUND else None


def _losing(name: str, experiment: Experiment) -> Losing:
    """Both sides anew, so that compiled kernels have names."""

    def stepping(compile: str) -> Callable[[], object]:  # noqa: A002 - as in Compute
        training = ring(experiment, compile)
        choose_compilation(training)
        return training.advance

    return name, of_torch(partial(stepping, "on")), of_torch(partial(stepping, "off"))


def look_aheads() -> dict[str, Experiment]:
    """Every kind of look-ahead beyond the plain one: what a row says -> its training."""
    k10 = find("metz2017/ring-k10").experiment()
    critic = Unrolled(Turns((("generator", "critic"),)), looks_ahead={"critic": ("generator",)}, steps=10)
    assert isinstance(k10.game, Part)
    return {
        **{f"ring-{name}": find(f"metz2017/ring-{name}").experiment() for name in NAMES},
        "ring, the critic looks ahead at samples made anew": replace(k10, dynamics=critic),
        "ring-k10, the critic's weights clipped": replace(
            k10, game=k10.game.changed(projections=(Clipping(bound=0.5),))
        ),
    }


NAMES = ("k10-fresh", "k10-both", "k10-recursive", "k1-far")  # far: extrapolated


def ring(experiment: Experiment, compile: str) -> Training:  # noqa: A002 - as in Compute
    """A training of points on one thread that is ready to advance."""
    how = Compute(device="cpu", threads=1, compile=compile).resolved()  # type: ignore[arg-type]
    return Training(replace(experiment, steps=10**6), how, torch.device("cpu"))


def _row(name: str, c: Compared, bound: str, took: float) -> tuple[str, ...]:
    ratio = f"**{c.ratio:.3f}**" if bound else f"{c.ratio:.3f}"
    return shown((name, f"{c.ours:.1f}", f"{c.theirs:.1f}", ratio, c.interval, f"{c.rounds}", bound, f"{took:.0f}"))
