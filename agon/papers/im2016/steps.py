"""Figures of the canvas after each time step, with one noise for all steps, and with a new noise at each step.

| the paper | here |
|---|---|
| figures 11, 12, 28: 3 steps by section 5, which numbers figures otherwise | 3 |
| figures 33 to 37 stand under "for GRAN5" | 5 |
| the canvas is not the sum, but its logistic function; which one is drawn is not stated | σ(ΔC_1 + ... + ΔC_t) |
| "more fine-grained", "introduce details missing", "more pronounced changes": by eye | see below |

There is a row for each step, and one for all steps after the first, which starts from nothing; the same of the network
before its first update. What is expected, and why:

* "introduce details missing from the previous time step image": what comes in is what images have, so each step's
  canvases are nearer to training images than those of the step before ("feature-distance"; the features of the set's
  own classifier, or of EfficientNet on sets without classes), at equal contrast.
* "more fine-grained": canvases get finer at equal contrast ("fineness-gain"), by more than those of the untrained
  network, which get a little finer, too.
* Details make a class recognisable: on sets with classes, the classifier is surer ("confidence") of the last canvases
  than of the first.
* "more pronounced changes" with new noises: a step redraws more of the picture ("redrawn") than with one noise, by a
  larger factor than in the same two networks untrained, where it is about 2 because the noises are independent.

Until 2026-11-29 it was expected that the last canvas has more "detail" than the first, and that "change" is larger with
new noises. Untrained networks meet both.
"""

from agon.papers.expectation import Expectation
from agon.papers.im2016 import drawing
from agon.papers.im2016.canvases import step_row, step_rows
from agon.papers.im2016.measuring import UNTRAINED, pair_row
from agon.papers.im2016.samples import NEW, ONE
from agon.papers.item import Item
from agon.recipes.im2016.trainings import TRAININGS

LABELLED = ("mnist", "cifar10")


def _nearer(label: str, step: int) -> Expectation:
    return Expectation(
        says=f"step {step} brings canvases nearer to training images",
        score="feature-distance",
        row=step_row(label, step),
        below=step_row(label, step - 1),
    )


def _finer(label: str, steps: int) -> Expectation:
    return Expectation(
        says="canvases get finer at equal contrast, by more than in the untrained network",
        score="fineness-gain",
        row=step_row(label, 2, steps),
        above=step_row(label + UNTRAINED, 2, steps),
    )


def _surer(label: str, steps: int) -> Expectation:
    return Expectation(
        says=f"the classifier is surer after step {steps} than after the first",
        score="confidence",
        row=step_row(label, steps),
        above=step_row(label, 1),
    )


def _item(figure: int, images: str, steps: int) -> Item:
    """A figure of a GRAN's canvases, with one noise for all steps."""
    label = f"GRAN{steps}"
    nearer = [_nearer(label, step) for step in range(2, steps + 1)]
    surer = [_surer(label, steps)] if images in LABELLED else []
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}, and section 5, on intermediate time steps",
        claim="from step to step images become more fine-grained, and details come in that were missing",
        trainings={label: TRAININGS[f"{images}-gran{steps}"]},
        measure=step_rows,
        draw=drawing.time_steps,
        expects=[*nearer, _finer(label, steps), *surer],
        seeds=1 if images == "lsun-rooms" else 3,
    )


def _noises(figure: int, images: str) -> Item:
    """A figure of GRAN5's canvases with a new noise at every step, beside canvases with one noise."""
    larger = Expectation(
        says="new noises redraw more from step to step, by more than in untrained networks",
        score="redrawn-gain",
        row=pair_row(NEW, ONE),
        above=pair_row(NEW, ONE) + UNTRAINED,
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
