"""One alternating DCGAN step of agon's trainer against the hand-written loop."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch

from benchmarks.operators import Profile, explanation, profiled
from benchmarks.report import Section, shown, table
from benchmarks.sets import Set
from benchmarks.sides import BATCH, THREADS, WIDTH, agon_side, compute, hand_written_side
from benchmarks.timing import Compared, Rounds, compared

BOUND, BOUND_GPU = 0.8, 0.5  # of the hand-written loop
ROW = 16  # seconds of a row's rounds


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        name: of the set.
        how: what ours does.
        time: ours against theirs.
        profiles: of both sides, where ours misses the bound on a CPU.
    """

    name: str
    how: str
    time: Compared
    profiles: tuple[Profile, Profile] | None = None


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set and way of drawing, and on a GPU for each precision and compilation."""
    torch.set_num_threads(THREADS)
    rounds = Rounds(2, 1, BOUND) if quick else Rounds(40, 3, BOUND, least=10, seconds=ROW)
    rows = list(_on_cpu(sets, rounds))
    if torch.cuda.is_available():
        rows += _on_cuda(sets, replace(rounds, steps=20, bound=BOUND_GPU))
    return Section(
        "One step",
        f"An alternating DCGAN step, batch {BATCH}, width {WIDTH}, {THREADS} CPU threads: ours is "
        "`Training.advance`, theirs `benchmarks/hand_written.py`, by turns in one process, in alternating order: "
        f"{rounds}; the ratio is the median over the rounds, with a 95 % bootstrap interval. `draws=round` shares the "
        "generator's pass between both players, as the hand-written loop does; `draws=turn` draws a batch for each "
        "player, a pass of the generator more. Freed memory is kept for the next step, as `agon.train` has it, on both "
        f"sides, which share a process. Bounds: {BOUND} on a CPU, {BOUND_GPU} on a GPU.",
        table(
            ("set", "ours", "ours, ms", "theirs, ms", "ours / theirs", "95 % interval", "rounds"),
            [
                (
                    name,
                    how,
                    f"{c.ours:.1f}",
                    f"{c.theirs:.1f}",
                    f"**{c.ratio:.3f}**",
                    c.interval,
                    f"{c.rounds}",
                )
                for name, how, c, _ in rows
            ],
        )
        + explanation([(f"{row.name}, {row.how}", *row.profiles) for row in rows if row.profiles]),
    )


def _on_cpu(sets: list[Set], rounds: Rounds) -> Iterator[Row]:
    for each in sets:
        theirs = hand_written_side(each)
        for draws in ("round", "turn"):
            ours = agon_side(each, draws)
            time = compared(ours.advance, theirs.advance, rounds)
            profiles = (profiled(ours.advance), profiled(theirs.advance)) if time.ratio > BOUND else None
            shown((each.name, draws, f"{time.ratio:.3f}", time.interval))
            yield Row(each.name, f"draws={draws}", time, profiles)


def _on_cuda(sets: list[Set], rounds: Rounds) -> Iterator[Row]:
    for each in sets:
        for theirs_bf16, precision, compiled in (
            (False, "fp32", "off"),
            (False, "fp32", "on"),
            (True, "bf16", "off"),
            (True, "bf16", "on"),
            (False, "bf16", "on"),
        ):
            theirs = hand_written_side(each, "cuda", theirs_bf16)
            how = compute(device="cuda", precision=precision, compile=compiled)
            ours = agon_side(each, "round", how)
            label = f"cuda, {precision}, compile {compiled}, against {'bf16' if theirs_bf16 else 'fp32'}"
            time = compared(ours.advance, theirs.advance, rounds, warm=30)
            yield Row(each.name, label, time)
