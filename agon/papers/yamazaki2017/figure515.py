"""Figure 5.15: samples of the best models, and the training images nearest to them."""

from agon.papers.expectation import Expectation
from agon.papers.item import Item
from agon.papers.yamazaki2017.drawing import neighbours
from agon.papers.yamazaki2017.measuring import neighbour_rows
from agon.papers.yamazaki2017.models import BEST, TEST_ROWS

MNIST, CIFAR10 = (best.label for best in BEST)

FIGURE_5_15 = Item(
    name="yamazaki2017/figure5.15",
    paper="Yamazaki 2017, figure 5.15",
    claim=f"samples of {MNIST} are almost training images, those of {CIFAR10} less so",
    trainings={best.label: best.recipe for best in BEST},
    measure=neighbour_rows,
    draw=neighbours,
    expects=(
        Expectation(
            says=f"samples of {MNIST} lie nearer to training images than those of {CIFAR10}",
            score="nearest",
            row=MNIST,
            below=CIFAR10,
        ),
        Expectation(
            says=f"samples of {MNIST} are almost copies: nearer to training images than test images are",
            score="nearest",
            row=MNIST,
            below=TEST_ROWS["mnist"],
        ),
    ),
    seeds=1,
)
