"""Figure 2: three Gaussians, with the generator's samples, the critic, and the optimal critic of both.

| the report | here |
|---|---|
| figure 2: data green, generated red, the decision boundary D(x) blue | the same, and D*(x) of equation 10 in violet |
| how the generated density is estimated: not stated | a histogram; for D* a kernel estimate |
| "somewhat less/more plausible at each run" | a row a seed |
| "decision boundaries are very close/equal to 0.5": no number | mean distance of D from 1/2 under 0.1 |
| "narrower": no number | the samples' standard deviation by the data's, under 1 |
| "never smooth enough to be indistinguishable": no number | Jensen-Shannon divergence over that of real samples |
| animations of training, in a supplement that we do not have | a frame at each step at which points were kept |
"""

from agon.papers.expectation import Expectation
from agon.papers.item import Item
from agon.papers.tabak2016 import drawing
from agon.papers.tabak2016.measuring import gaussian_control, gaussian_rows, real_row, width_over_time
from agon.recipes.tabak2016 import RECIPES

NEAR = 0.1  # distance of D from 1/2 that we read as "very close"
PANELS = ("(a) N(3, 0.5)", "(b) N(3, 0.2)", "(c) N(-2, 0.5)")


def _expects() -> list[Expectation]:
    narrow = [
        Expectation(says="generated distributions are narrower than the data", score="std-ratio", row=panel, below=1.0)
        for panel in PANELS
    ]
    rough = [
        Expectation(
            says="none is so smooth that it cannot be told from the data",
            score="jensen-shannon",
            row=panel,
            above=real_row(panel),
        )
        for panel in PANELS
    ]
    close = [
        Expectation(
            says="the decision boundary is very close to 0.5",
            score="from-half",
            row=panel,
            below=NEAR,
            controls=("untrained",),  # real samples have no critic
        )
        for panel in PANELS
    ]
    fits = [
        Expectation(says="a narrower Gaussian is fitted better", score="jensen-shannon", row=PANELS[1], below=panel)
        for panel in (PANELS[0], PANELS[2])
    ]
    return [*narrow, *rough, *close, *fits]


FIGURE_2 = Item(
    name="tabak2016/figure2",
    paper="Tabak 2016, figure 2 and section 3.1",
    claim="a tiny pair comes near a Gaussian, too narrow and never smooth, its critic near 1/2, and each run differs",
    trainings=dict(zip(PANELS, RECIPES[:3], strict=True)),
    measure=gaussian_rows,
    draw=drawing.gaussians,
    history=width_over_time,
    expects=_expects(),
    controls=("untrained", "real"),
    real=gaussian_control,
    seeds=5,
)
