"""Table 5.1: the data's own classifier's score, by depth and batch normalisation.

The claims on CIFAR-10 are compared again by the second judge (`papers.second_judge`), which knows photographs.
"""

from agon.papers.item import Item, each_alone
from agon.papers.second_judge import DISTANCE
from agon.papers.yamazaki2017.depth import on_cifar10, on_mnist
from agon.papers.yamazaki2017.drawing import scores_by_depth
from agon.papers.yamazaki2017.measuring import SCORE, table_rows
from agon.papers.yamazaki2017.models import REAL_ROWS
from agon.recipes.yamazaki2017 import images

COLUMN = "Inception score"
PRINTED = {
    label: score
    for name, setting in images.SETS.items()
    for normalise, scores in ((True, setting.scored), (False, setting.without))
    for label, score in zip(images.models(name, normalise), scores, strict=True)
}

TABLE_5_1 = Item(
    name="yamazaki2017/table5.1",
    paper="Yamazaki 2017, table 5.1",
    claim="depth raises the score up to a point; batch normalisation in the critic helps on MNIST, not on CIFAR-10",
    trainings={
        label: recipe
        for name in images.SETS
        for normalise in (True, False)
        for label, recipe in images.models(name, normalise).items()
    },
    rows=each_alone(PRINTED),
    measure=table_rows,
    draw=scores_by_depth,
    published={label: {COLUMN: score} for label, score in (*PRINTED.items(), *REAL_ROWS.values())},
    expects=(*on_mnist(SCORE), *on_cifar10(SCORE, DISTANCE)),
    seeds=1,
)
