"""Figure 1: the generator's samples of the ring over a training, unrolled by ten steps and not unrolled."""

from collections.abc import Mapping, Sequence

from agon.data.points import Mixture
from agon.evaluate import evaluate, over_time
from agon.experiment import Experiment
from agon.figures.density import density_png
from agon.metrics import modes_held
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores, firsts, of_each
from agon.recipes.metz2017.ring import RING_K0, RING_K10
from agon.recipes.scales import Scale
from agon.report.embedding import spread
from agon.runs import Run
from agon.runs import point_snapshots as kept

UPDATES = 2  # the paper's steps in one of our rounds
COLUMNS = 6  # of figure 1, before the data's own
COVERED = ("modes", "quality", "mode-divergence")  # what the item's table tells


def _measure(run: Run, scale: Scale) -> Scores:
    """The modes at the end, and those that took turns in the second half of the training."""
    history = list(over_time(run, _source(run)).values())
    covered = [score for score in evaluate(run, metrics=["modes"], n=10_000) if score.name in COVERED]
    return [*covered, modes_held(history[len(history) // 2 :])]


def _source(run: Run) -> Mixture:
    source = Experiment.from_json(run.experiment).data
    assert isinstance(source, Mixture)  # the recipes above have no other
    return source


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """A row a run: the samples of one set of latents at `COLUMNS` steps from the first to the last, the data."""
    rows, columns = {}, [""]
    for label, run in firsts(runs).items():
        points = kept(run)
        steps = spread(list(points), COLUMNS)
        columns = [*(f"{UPDATES * step:,}" for step in steps), "data"]
        real = _source(run).take(len(points[steps[-1]])).real
        rows[label] = [cloud.numpy() for cloud in (*(points[step] for step in steps), real)]
    return {".png": density_png(rows, columns, corner="step")}


FIGURE_1 = Item(
    name="metz2017/figure1",
    paper="Metz et al. 2017, figure 1",
    claim="unrolled by 10 steps, the generator spreads over all modes; without, it rotates from one to the next",
    trainings={"K = 10": RING_K10, "K = 0": RING_K0},
    expects=(
        Expectation(
            says="unrolled, the generator converges to the data's modes", score="modes", row="K = 10", above="K = 0"
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
    measure=of_each(_measure),
    history=lambda run: over_time(run, _source(run)),
    draw=_draw,
)
