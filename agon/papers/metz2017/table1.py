"""Table 1: how well convolutional pairs with 0, 1, 5 or 10 unrolling steps reconstruct training images.

The paper's errors do not fall with K: that of K = 5 is above that of K = 1.
"""

from agon.papers.expectation import Expectation
from agon.papers.metz2017.drawing import compared_reconstructions
from agon.papers.metz2017.measuring import reconstruction_rows
from agon.papers.metz2017.models import AHEAD, BETTER, on_cifar10

PRINTED = {
    "K = 0": ("0.0231 ± 0.0024", "6.3%"),
    "K = 1": ("0.0195 ± 0.0021", "22.97%"),
    "K = 5": ("0.0200 ± 0.0023", "15.31%"),
    "K = 10": ("0.0181 ± 0.0018", "61.09%"),
}
RANKED = (
    Expectation(
        says="K = 10 improves on K = 1, more modestly",
        score="reconstruction",
        row="K = 1",
        above="K = 10",
    ),
    *(
        Expectation(
            says=f"K = 10 is the best model for more images than K = {k}",
            score="best-rank",
            row="K = 10",
            above=f"K = {k}",
        )
        for k in AHEAD[:-1]
    ),
    Expectation(says="the zero step model is hardly ever best", score="best-rank", row="K = 0", below=25.0),
)

TABLE_1 = on_cifar10(
    "table 1",
    claim="a generator that looks ahead reconstructs training images better: best with K = 10, then 1, 5, and worst 0",
    measure=reconstruction_rows,
    draw=compared_reconstructions(seed=0),
    expects=(*BETTER, *RANKED),
    published={
        label: {"paper: average MSE": error, "paper: percent best rank": rank}
        for label, (error, rank) in PRINTED.items()
    },
)
