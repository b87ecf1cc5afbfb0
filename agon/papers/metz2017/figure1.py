"""Figure 1: samples of the ring over a training, with 10 unrolling steps and without unrolling."""

from agon.papers.expectation import Expectation
from agon.papers.item import Item, each_alone, per_training
from agon.papers.metz2017.drawing import points_over_time
from agon.papers.metz2017.measuring import mode_scores, modes_over_time
from agon.papers.metz2017.models import UPDATES
from agon.recipes.metz2017.ring import RING_K0, RING_K10

ALL = 7.5  # of 8 modes: under every seed, or nearly
NEAR = 0.89  # of the samples are good; of real ones 0.989, a tenth more

FIGURE_1 = Item(
    name="metz2017/figure1",
    paper="Metz et al. 2017, figure 1",
    claim="unrolled by 10 steps, the generator spreads over all modes; without, it rotates from one to the next",
    trainings={"K = 10": RING_K10, "K = 0": RING_K0},
    expects=(
        Expectation(
            says="unrolled, the generator converges to the data: to all of its modes",
            score="modes",
            row="K = 10",
            above=ALL,
            direction="K = 0",
        ),
        Expectation(
            says="its samples are as near to them as the data's",
            score="quality",
            row="K = 10",
            above=NEAR,
            direction="K = 0",
        ),
        Expectation(says="and spreads its mass over them", score="mode-divergence", row="K = 10", below="K = 0"),
        Expectation(
            says="without, it rotates around the modes: one after another has most of its mass",
            score="modes-held",
            row="K = 0",
            above=4.0,
        ),
    ),
    updates=UPDATES,
    seeds=5,
    rows=each_alone(("K = 10", "K = 0")),
    measure=per_training(mode_scores),
    history=modes_over_time,
    draw=points_over_time,
)
