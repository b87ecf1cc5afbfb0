"""Controls: an item's measurement on what must fail its expectations.

| control | what is measured |
|---|---|
| untrained | each training's run replaced by one at step 0 (`training.untrained`), under the same seeds |
| real | real samples in the place of generated ones, where an item can measure them |
| copies | nothing new: the rows of the same samples with training images in the place of some of them |
| exchanged | nothing new: the two rows, or the two sides of a ratio, exchanged |

An expectation that a control meets says nothing about what was trained.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agon.papers.expectation import ControlName
from agon.papers.item import Item, Rows, Scores
from agon.papers.trainings import experiments
from agon.recipes import Scale
from agon.runs import Run
from agon.terminal.waiting import tracked
from agon.training import Compute
from agon.training.untrained import untrained_run

WORDS: Mapping[ControlName, str] = {
    "untrained": "untrained networks",
    "real": "real samples",
    "copies": "samples with copies",
    "exchanged": "the rows exchanged",
}
FOLDER = "controls/untrained"  # inside the folder of the trainings


def measured_controls(
    item: Item, folder: Path, scale: Scale, seeds: Sequence[int], at: Mapping[str, str], compute: Compute | None = None
) -> dict[str, list[Rows]]:
    """Measure an item's controls: name of a control -> its rows for each seed. Nothing is trained.

    Args:
        item: the table or figure; without expectations it needs no control.
        folder: folder of the trainings; the untrained runs lie in `FOLDER` inside it.
        scale: scale of the trainings.
        seeds: the seeds of the trainings.
        at: replacements of sets of images, see `sources.places`.
        compute: how to compute; by default on the best device in float32, with one thread.
    """
    rows: dict[str, list[Rows]] = {}
    if not item.expects or not {"untrained", "real"} & set(item.controls):
        return rows
    for seed in tracked(seeds, f"measuring the controls of {item.name}, seed by seed", len(seeds)):
        runs = _untrained(item, folder, scale, seed, at, compute or Compute(threads=1))
        if "untrained" in item.controls:
            rows.setdefault("untrained", []).append(item.measure(runs, scale))
        if item.real is not None:
            rows.setdefault("real", []).append(item.real(runs, scale))
    return rows


def _untrained(
    item: Item, folder: Path, scale: Scale, seed: int, at: Mapping[str, str], compute: Compute
) -> dict[str, Run]:
    """A run at step 0 for every training, by its label."""
    return {
        label: untrained_run(each.experiment, each.path, compute=compute, callback=each.callback)
        for label, (each,) in experiments(item, folder, scale, [seed], at, under=FOLDER).items()
    }


def plain(rows: Sequence[Rows], seeds: Sequence[int]) -> list[dict[str, Any]]:
    """A control's rows for the numbers' file: value and standard error of each score, for each of the seeds."""
    return [
        {
            "label": label,
            "seeds": [
                {"seed": seed, "scores": _scores(of_seed[label])} for seed, of_seed in zip(seeds, rows, strict=True)
            ],
        }
        for label in rows[0]
    ]


def _scores(scores: Scores) -> dict[str, dict[str, float | None]]:
    return {score.name: {"value": float(score.value), "error": score.error} for score in scores}
