"""Train and release the runs that agon brings: python -m tools.pretrained FOLDER; minutes on one CPU core.

They are the recipes' own experiments with seed 0. The folder keeps the whole runs.
"""

import shutil
import sys
from pathlib import Path

from agon import Compute, evaluate, load, recipe, train
from agon.hub import release
from agon.runs import Run
from agon.runs.named import BUNDLED

RUNS = {"digits": ("first/digits", ("pairwise",)), "ring": ("metz2017/ring-k10", ("modes",))}  # name -> recipe, metrics


def make(name: str, folder: Path) -> None:
    """Train a run if it is not there, score it, and put its released files into the package."""
    recipe_name, metrics = RUNS[name]
    path = folder / name
    run = Run(path)
    if not run.begun:
        run = train(recipe(recipe_name).experiment(), path, compute=Compute(device="cpu", threads=1))
    evaluate(run, metrics=metrics)
    shutil.rmtree(BUNDLED / name, ignore_errors=True)
    BUNDLED.mkdir(exist_ok=True)
    released = release(run, load(run), BUNDLED / name)
    for file in ("run.lock", "metrics.lock"):
        (released.path / file).unlink(missing_ok=True)


if __name__ == "__main__":
    for name in RUNS:
        make(name, Path(sys.argv[1]))
