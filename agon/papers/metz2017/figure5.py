"""Figure 5: distances between samples beside distances between images."""

from agon.papers.expectation import Expectation
from agon.papers.item import per_training
from agon.papers.metz2017.drawing import distance_histograms
from agon.papers.metz2017.measuring import distance_scores
from agon.papers.metz2017.models import AHEAD, on_cifar10

FIGURE_5 = on_cifar10(
    "figure 5",
    claim="with more unrolling steps, distances between samples become more like those between images",
    measure=per_training(distance_scores),
    draw=distance_histograms,
    expects=(
        Expectation(
            says="without unrolling, samples lie nearer to each other than images",
            score="median-ratio",
            row="K = 0",
            below=1.0,
        ),
        *(
            Expectation(
                says=f"K = {k} resembles the data more than none", score="pairwise", row="K = 0", above=f"K = {k}"
            )
            for k in AHEAD[1:]
        ),
        Expectation(
            says="the more steps, the more so: K = 10 more than K = 1", score="pairwise", row="K = 1", above="K = 10"
        ),
    ),
)
