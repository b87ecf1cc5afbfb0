"""Figures of nearest neighbours: whether a GRAN's samples are copies of training images.

| the paper | here |
|---|---|
| distance: not stated | Euclidean, of pixels |
| figures 9, 27, 32: GRAN's number of time steps is not stated | 3 as in figure 10; 32: 5 as in figure 31 beside it |
| judged by eye | by eye, and by how often a training image is nearer than a held-out one of the same random split |

Two rows beside that of the samples say what they should be told from: the same samples with copies in the place of 1
in 10, which is the control, and held-out images.
"""

from agon.papers.expectation import Expectation
from agon.papers.im2016 import drawing
from agon.papers.im2016.measuring import COPYING, copy_rows
from agon.papers.item import Item
from agon.recipes.im2016.trainings import TRAININGS

FEW = 0.1  # share of copies that the paper would have seen by eye


def _item(figure: int, name: str) -> Item:
    """A figure of the nearest neighbours of a training's samples."""
    images, _, steps = name.partition("-gran")
    label = f"GRAN{steps}"
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}, and section 5, on overfitting",
        claim="no sample is a replicate of a training image",
        trainings={label: TRAININGS[name]},
        measure=copy_rows,
        controls=("copies",),
        copies={label: label + COPYING},
        draw=drawing.neighbours,
        expects=[Expectation(says="fewer than 1 sample in 10 is a copy", score="copied", row=label, below=FEW)],
        seeds=1 if images == "lsun-rooms" else 3,
    )


ITEMS = (
    _item(9, "cifar10-gran3"),
    _item(10, "lsun-church-gran3"),
    _item(27, "mnist-gran3"),
    _item(31, "lsun-church-gran5"),
    _item(32, "lsun-rooms-gran5"),
)
