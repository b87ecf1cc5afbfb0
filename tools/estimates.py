"""What trainings at the papers' own scale would cost: some steps of each, timed, into agon/recipes/estimates.json.

    python -m tools.estimates [ITEM...] [--data mnist=FOLDER]... [--again]

By default the trainings of all items. Each is made at its full size and takes steps for some seconds; its steps times
the CPU time of one are the estimate. Nothing is kept of it. Evaluations during the training are not counted.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from math import ceil
from time import process_time

import torch

from agon.papers import ITEMS, items
from agon.papers.catalogue import find_item
from agon.papers.sources import places, source_of
from agon.recipes import Recipe
from agon.recipes.costs import ESTIMATES, estimates
from agon.training import Compute, Training
from agon.training.compilation import choose_compilation

SECONDS = 6.0  # of CPU that the timed steps take together, at least
WARM = 2  # steps before them: the first ones allocate, and compile
LONG = 20.0  # seconds of a first step that is timed itself


def estimated(recipe: Recipe, at: Mapping[str, str]) -> dict[str, float]:
    """The number of steps of a training at the paper's scale, the CPU seconds of one, and the minutes of all."""
    experiment = recipe.experiment(source_of(recipe, "paper", at), "paper")
    training = Training(experiment, Compute(device="cpu", threads=1), torch.device("cpu"))
    choose_compilation(training)
    each = _seconds(training, 1)
    if each < LONG:
        _seconds(training, WARM)
        each = _seconds(training, ceil(SECONDS / each))
    return {
        "steps": experiment.steps,
        "seconds": float(f"{each:.3g}"),
        "minutes": float(f"{experiment.steps * each / 60:.2g}"),
    }


def _seconds(training: Training, steps: int) -> float:
    """CPU seconds of a step, on average over some."""
    start = process_time()
    for _ in range(steps):
        training.advance()
    return (process_time() - start) / steps


def recipes_of(names: Sequence[str]) -> dict[str, Recipe]:
    """The trainings of items, each once."""
    found = (find_item(item) for name in names for item in items(name))
    return {recipe.name: recipe for item in found for recipe in item.trainings.values()}


def write(known: Mapping[str, Mapping[str, float]]) -> None:
    """Write estimates.json, a line for each recipe."""
    lines = (f' "{name}": {json.dumps(each)}' for name, each in sorted(known.items()))
    ESTIMATES.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    """Time what has no estimate yet, recipe by recipe; each is written when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("items", nargs="*", help="items, or papers for all of theirs")
    parser.add_argument("--data", action="append", default=[], help="as of agon reproduce")
    parser.add_argument("--again", action="store_true", help="also those that have an estimate")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    known = dict(estimates())
    for name, recipe in recipes_of(asked.items or list(ITEMS)).items():
        if name in known and not asked.again:
            continue
        known[name] = estimated(recipe, places(asked.data))
        write(known)
        print(name, known[name], flush=True)


if __name__ == "__main__":
    main()
