"""python -m benchmarks.own --out FOLDER [--minutes 20] [--jobs 2]: which family of `agon train own` measures best.

Trains every family of `agon.recipes.own` on three kinds of sets, each for the same CPU minutes on one thread, and
scores 2,000 samples of each by the kernel distance (KID) to the training images. What is done is not done again:
interrupted trainings go on from their last checkpoint, and the table is made of all runs in FOLDER. `--write` puts it
into docs/own_images.md.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from agon.data import Images
from agon.evaluation import ExtractorSpec, evaluate
from agon.recipes.own import DEFAULT, FAMILIES, planned
from agon.runs import Run, read
from agon.training import Compute, resume, train, within
from agon.training.pace import SHARE
from benchmarks.own_sets import SETS
from benchmarks.provenance import git, machine
from benchmarks.report import table

PAGE = Path(__file__).parents[1] / "docs" / "own_images.md"
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"
ONE_THREAD = Compute(device="cpu", threads=1)
COARSE = "benchmarks.own_sets:Coarse"
SAMPLES = 2_000


class Trial(NamedTuple):
    """One training: a set, a family and a seed."""

    images: str
    family: str
    seed: int

    def __str__(self) -> str:
        return f"{self.images}-{self.family}-{self.seed}"

    @classmethod
    def read(cls, text: str) -> "Trial":
        """The trial of a name."""
        images, family, seed = text.split("-")
        return cls(images, family, int(seed))


def main() -> None:
    """Train and score what is missing, several at once, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of sets and runs, for one number of minutes")
    parser.add_argument("--minutes", type=float, default=20.0, help="CPU minutes of each training")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, one thread each")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--extractors", default=COARSE, help="of the kernel distance, separated by commas")
    parser.add_argument("--trial", help="do this one alone, as SET-FAMILY-SEED")
    parser.add_argument("--write", action="store_true", help="put the table into docs/own_images.md")
    parser.add_argument("--table", action="store_true", help="train nothing, make the table of what there is")
    arguments = parser.parse_args()
    if arguments.trial:
        do(Trial.read(arguments.trial), arguments.out, arguments.minutes, arguments.extractors.split(","))
        return
    if not arguments.table:
        for images in arguments.sets.split(","):
            source_of(images, arguments.out)
        trials = [
            Trial(images, family, seed)
            for seed in range(arguments.seeds)
            for images in arguments.sets.split(",")
            for family in arguments.families.split(",")
        ]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            list(pool.map(partial(started, options=sys.argv[1:]), trials))
    text = result(arguments.out, arguments.minutes)
    print(text)
    if arguments.write:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(head + BEGIN + text + END + rest.partition(END)[2])


def started(trial: Trial, options: Sequence[str]) -> None:
    """Do a trial in a process of its own; one that fails does not stop the others."""
    command = [sys.executable, "-m", "benchmarks.own", *options, "--trial", str(trial)]
    print(f"{time.strftime('%X')} {trial}", file=sys.stderr, flush=True)
    subprocess.run(command, check=False)


def source_of(images: str, out: Path) -> Images:
    """A set, written into the folder if it is not there."""
    place = SETS[images](out / "sets")
    return Images(path=str(place), size=64) if images == "photos" else Images(path=str(place))


def do(trial: Trial, out: Path, minutes: float, extractors: Sequence[str]) -> None:
    """Train a trial, or go on with it, and score it where that is missing."""
    torch.set_num_threads(1)
    folder = out / str(trial)
    if (folder / "experiment.json").exists():
        resume(folder, show=False)
    else:
        experiment = planned(source_of(trial.images, out), minutes, trial.family)
        experiment = within(replace(experiment, seed=trial.seed), minutes, ONE_THREAD, clock=time.process_time)
        train(experiment, folder, compute=ONE_THREAD, show=False)
    for extractor in extractors:
        spec = ExtractorSpec(extractor, trust=True)
        if spec.kind not in scores(folder):
            evaluate(folder, metrics=["kid"], n=SAMPLES, extractor=spec)


def scores(folder: Path) -> dict[str, tuple[float, float]]:
    """Extractor -> value and standard error of the last recorded kernel distance."""
    path = folder / "metrics.jsonl"
    rows = read(path) if path.exists() else []
    return {row["features"].split()[0]: (row["value"], row["error"]) for row in rows if row["metric"] == "kid"}


def result(out: Path, minutes: float) -> str:
    """The table of all finished trials, the best family of each set in bold."""
    trials = sorted((Trial.read(path.parent.name) for path in out.glob("*-*-*/metrics.jsonl")), key=order)
    kinds = sorted({kind for trial in trials for kind in scores(out / str(trial))})
    heads = ["set", "family", "seed", "width", "weights", "steps", "CPU ms a step", *(f"KID, {kind}" for kind in kinds)]
    best = {
        (images, kind): min(scores(out / str(t)).get(kind, (1e9, 0))[0] for t in trials if t.images == images)
        for images in SETS
        for kind in kinds
        if any(trial.images == images for trial in trials)
    }
    rows = [list(row(trial, out, minutes, kinds, best)) for trial in trials]
    provenance = (
        f"{minutes:g} CPU minutes each on one thread, by `python -m benchmarks.own --minutes {minutes:g}` at revision "
        f"`{git(Path(__file__).parents[1], 'rev-parse', '--short', 'HEAD')}`: {machine()}. KID of {SAMPLES:,} samples "
        "against the training images, with its standard error; lower is better."
    )
    return f"{provenance}\n\n{table(heads, rows)}\n"


def order(trial: Trial) -> tuple[int, int, int]:
    """Sets, families and seeds in the order in which they are declared."""
    return list(SETS).index(trial.images), list(FAMILIES).index(trial.family), trial.seed


def row(
    trial: Trial, out: Path, minutes: float, kinds: Sequence[str], best: dict[tuple[str, str], float]
) -> Iterator[str]:
    """The cells of a trial."""
    run = Run.open(out / str(trial))
    last = read(run.log)[-1]
    network = run.described["game"]["generator"]
    yield from (trial.images, f"{trial.family}{' (default)' if trial.family == DEFAULT else ''}", str(trial.seed))
    yield str(network["width"] if "width" in network else network["widths"][-2])
    yield f"{weights_of(out / str(trial)):,}"
    yield f"{last['step']:,}"
    yield f"{60_000 * minutes * SHARE / last['step']:.0f}"
    for kind in kinds:
        value, error = scores(out / str(trial)).get(kind, (float("nan"), float("nan")))
        mark = "**" if value == best.get((trial.images, kind)) else ""
        yield f"{mark}{value:.4f} ± {error:.4f}{mark}"


def weights_of(folder: Path) -> int:
    """Number of weights of all players."""
    from agon.experiment import Experiment

    return sum(p.numel() for p in Experiment.from_json(Run.open(folder).experiment).build().parameters())


if __name__ == "__main__":
    main()
