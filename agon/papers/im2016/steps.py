"""Figures of the canvas after each time step, with one noise for all steps, and with a new noise at each step.

| the paper | here |
|---|---|
| figures 11, 12, 28: 3 steps by section 5, which numbers figures otherwise | 3 |
| figures 33 to 37 stand under "for GRAN5" | 5 |
| the canvas is not the sum, but its logistic function; which one is drawn is not stated | σ(ΔC_1 + ... + ΔC_t) |
| "more fine-grained", "more pronounced changes": by eye | "detail" and "change", see below |

There is a row for each step, and one for all steps after the first, which starts from nothing.
"""

from agon.papers.expectation import Expectation
from agon.papers.im2016 import drawing
from agon.papers.im2016.measuring import step_row, step_rows
from agon.papers.im2016.samples import NEW, ONE
from agon.papers.item import Item
from agon.recipes.im2016.trainings import TRAININGS


def _item(figure: int, images: str, steps: int) -> Item:
    """A figure of a GRAN's canvases, with one noise for all steps."""
    label = f"GRAN{steps}"
    finer = Expectation(
        says=f"after step {steps} canvases are finer than after the first",
        score="detail",
        row=step_row(label, steps),
        above=step_row(label, 1),
    )
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}, and section 5, on intermediate time steps",
        claim="from step to step images become more fine-grained, and details come in that were missing",
        trainings={label: TRAININGS[f"{images}-gran{steps}"]},
        measure=step_rows,
        draw=drawing.time_steps,
        expects=[finer],
        seeds=3 if images == "mnist" else 1,
    )


def _noises(figure: int, images: str) -> Item:
    """A figure of GRAN5's canvases with a new noise at every step, beside canvases with one noise."""
    larger = Expectation(
        says="with new noises the changes from step to step are larger",
        score="change",
        row=step_row(NEW, 2, 5),
        above=step_row(ONE, 2, 5),
    )
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}, and section 5, on different noises",
        claim="with a new noise at every step, changes from step to step are more pronounced",
        trainings={NEW: TRAININGS[f"{images}-gran5-noises"], ONE: TRAININGS[f"{images}-gran5"]},
        measure=step_rows,
        draw=drawing.time_steps,
        expects=[larger],
        seeds=1,
    )


ITEMS = (
    _item(11, "cifar10", 3),
    _item(12, "lsun-church", 3),
    _item(28, "mnist", 3),
    _noises(33, "cifar10"),
    _noises(34, "lsun-church"),
    _item(35, "cifar10", 5),
    _item(36, "lsun-church", 5),
    _item(37, "lsun-rooms", 5),
)
