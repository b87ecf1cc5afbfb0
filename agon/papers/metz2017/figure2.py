"""Figure 2: a recurrent generator of MNIST's digits with 20 unrolling steps and without unrolling."""

from agon.papers.expectation import Expectation
from agon.papers.item import Item, each_alone, per_training
from agon.papers.metz2017.drawing import STEPS
from agon.papers.metz2017.measuring import digit_scores, fullest_over_time
from agon.papers.metz2017.models import OF, UPDATES
from agon.papers.pictures import samples_over_time

ALL = 9.5  # of 10 classes: under every seed, or nearly

FIGURE_2 = Item(
    name="metz2017/figure2",
    paper="Metz et al. 2017, figure 2, section 3.2 and appendix B",
    claim="with 20 unrolling steps a recurrent generator disperses over all digits; without, it collapses and cycles",
    trainings={f"K = {k}": OF[f"rnn-mnist-k{k}"] for k in (20, 0)},
    rows=each_alone(("K = 20", "K = 0")),
    measure=per_training(digit_scores),
    history=fullest_over_time,
    draw=samples_over_time(steps=STEPS, count=16, across=4, updates=UPDATES),
    expects=(
        Expectation(
            says="without unrolling, the model collapses to a single mode at a time",
            score="fullest-class",
            row="K = 0",
            above="K = 20",
        ),
        Expectation(
            says="with unrolling, the generator disperses",
            score="median-ratio",
            row="K = 20",
            above="K = 0",
        ),
        Expectation(
            says="with unrolling, it appears to cover the whole data distribution: all classes",
            score="classes",
            row="K = 20",
            above=ALL,
            direction="K = 0",
        ),
        Expectation(
            says="their shares are nearer to the data's than without",
            score="class-divergence",
            row="K = 20",
            below="K = 0",
        ),
    ),
    updates=UPDATES,
    seeds=3,
)
