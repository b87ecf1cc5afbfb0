"""Many seeds of the unrolled ring at once: against one alone, and against jax.vmap."""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from agon import Compute, Experiment, train
from agon.recipes import find
from agon.runs import Run, read
from agon.training.replicates import replicate
from benchmarks.apart import Asked, known, sides
from benchmarks.report import Section, shown, table

SEEDS = 8


def section(quick: bool) -> Section:
    """A row for each way of computing."""
    steps = 50 if quick else 600
    rows = [row for how in ("off", "on") for row in _rows(how, steps)]
    return Section(
        "Many seeds",
        f"`metz2017/ring-k10`, batch 512, {steps} steps, {os.cpu_count()} cores. {SEEDS} seeds by `agon.replicate` in "
        "processes of one thread each, over one seed alone on one thread; wall time of the whole trainings, start-up, "
        "compilation, checkpoints and samples included. Milliseconds a step are of the second half of the logs. JAX is "
        f"the bare step for {SEEDS} seeds in one program on all cores: by `jax.vmap`, and by `jax.lax.map`. Bound: 4.4 "
        "times one seed, and less than JAX's vmap.",
        table(("", "one seed, s", f"{SEEDS} seeds, s", "ratio", f"ms a step of all {SEEDS}"), [*rows, *_jax(quick)]),
    )


def _rows(how: str, steps: int) -> list[tuple[str, ...]]:
    made = find("metz2017/ring-k10").experiment()
    every = steps // 2
    experiment = replace(made, steps=steps, log_every=every // 5, sample_every=every, checkpoint_every=every)
    compute = Compute(device="cpu", threads=1, compile=how)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        alone, _ = _timed(lambda: [train(experiment, Path(folder, "one"), compute=compute, show=False)])
        several, runs = _timed(
            lambda: replicate(experiment, Path(folder, "all"), SEEDS, compute=compute, strategy="processes", show=False)
        )
        step = SEEDS / (os.cpu_count() or 1) * float(np.mean([_milliseconds(run, experiment) for run in runs]))
    name = f"agon, compile {how}"
    return [shown((name, f"{alone:.1f}", f"{several:.1f}", f"**{several / alone:.2f}**", f"**{step:.1f}**"))]


def _timed(call: object) -> tuple[float, list[Run]]:
    began = time.perf_counter()
    runs: list[Run] = call()  # type: ignore[operator]
    return time.perf_counter() - began, runs


def _milliseconds(run: Run, experiment: Experiment) -> float:
    """Of a step in the second half of a training, in which most have company."""
    records = [r for r in read(run.log) if r["step"] >= experiment.steps // 2]
    first, last = records[0], records[-1]
    return 1000 * float((last["wall/seconds"] - first["wall/seconds"]) / (last["step"] - first["step"]))


def _jax(quick: bool) -> list[tuple[str, ...]]:
    if not known("jax"):
        return [("jax (not installed)", *["-"] * 4)]
    rows = []
    for how, seeds in (("vmap", SEEDS), ("map", -SEEDS)):
        with sides() as asked:
            (made,) = asked(Asked("jax", "alternating", 10, seeds, os.cpu_count() or 1))
            step = 1000 * float(np.median([made.seconds(2) / 2 for _ in range(3 if quick else 15)]))
        rows.append((f"jax, {how}, bare step", "-", "-", "-", f"{step:.1f}"))
    return rows
