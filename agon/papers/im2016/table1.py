"""Table 1: GRANs of 1, 3 and 5 time steps in battle, on three sets.

| the paper | here |
|---|---|
| samples and test images of a battle: not stated | 5,000 of each at quick, 10,000 at paper scale, or all there are |
| equation 11: r_test is nearly 1; how near is not stated | from 1/1.3 to 1.3, see `metrics.winner` |
| by what batch normalisation in D normalises what it judges: not stated | see `battles.Asked`; "-batch": see below |
| no uncertainty is told | intervals by bootstrap; "won" is 0 where they allow no winner |

The columns that end in "-batch" normalise each batch of 100 by its own statistics, as the authors' code does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agon.arena.battles import Asked, battle
from agon.evaluate import last_images
from agon.figures.tiles import tiles_png
from agon.metrics import Battle, Score
from agon.metrics.gam.critic import Statistics
from agon.metrics.gam.verdict import TIE, BattleOutcome
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, Scores, firsts
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run

JUDGED = {"smoke": 60, "quick": 5_000, "paper": 10_000}  # samples of each, and test images at most
POINTS: Mapping[BattleOutcome, float] = {"first": -1.0, "second": 1.0, "unfair": 0.0, "undecided": 0.0}
SETS = {"MNIST": "mnist", "CIFAR-10": "cifar10", "LSUN church": "lsun-church"}
GRANS = ("GRAN1", "GRAN3", "GRAN5")
PRINTED = {  # set, first and second -> r_test, r_sample, winner
    ("MNIST", "GRAN1", "GRAN3"): ("0.79", "1.75", "GRAN3"),
    ("MNIST", "GRAN1", "GRAN5"): ("0.95", "1.19", "GRAN5"),
    ("CIFAR-10", "GRAN1", "GRAN3"): ("1.28", "1.001", "GRAN3"),
    ("CIFAR-10", "GRAN1", "GRAN5"): ("1.29", "1.011", "GRAN5"),
    ("CIFAR-10", "GRAN3", "GRAN5"): ("1.00", "2.289", "GRAN5"),
    ("LSUN church", "GRAN1", "GRAN3"): ("0.95", "13.68", "GRAN3"),
    ("LSUN church", "GRAN1", "GRAN5"): ("0.99", "13.97", "GRAN5"),
    ("LSUN church", "GRAN3", "GRAN5"): ("0.99", "2.38", "GRAN5"),
}
COLUMNS = ("paper: r_test", "paper: r_sample", "paper: winner")
SHOWN = 12  # images of a model


def row_of(images: str, first: str, second: str) -> str:
    """A row of the table."""
    return f"{images}: {first} vs. {second}"


def scores(first: Run, second: Run, scale: Scale) -> Scores:
    """The battle of two runs, by re-estimated statistics and by each batch's own."""
    found, by_batch = (_fought(first, second, scale, statistics) for statistics in ("reestimated", "batch"))
    again = [replace(score, name=f"{score.name}-batch") for score in _ratios(by_batch)]
    return [*_ratios(found), won(found), *again]


def won(found: Battle) -> Score:
    """1 where the second wins, -1 where the first does, 0 where the intervals allow neither."""
    return Score(
        name="won",
        value=POINTS[found.verdict.outcome],
        error=0.0,  # what chance could have made is no victory
        n=found.first.foreign.n,
        n_real=found.first.test.n,
        protocol="1: the second wins, -1: the first wins, 0: neither; by the 95 % interval of r_sample, where that of "
        f"r_test lies within 1/{TIE} to {TIE}",
    )


def _fought(first: Run, second: Run, scale: Scale, statistics: Statistics) -> Battle:
    found = battle(first, second, asked=Asked(n=JUDGED[scale], statistics=statistics))
    assert isinstance(found, Battle)  # both have critics
    return found


def _ratios(found: Battle) -> Scores:
    return [
        Score(
            name=name,
            value=ratio.value,
            error=ratio.error,
            interval=ratio.interval,
            n=found.first.foreign.n,
            n_real=found.first.test.n,
            protocol=f"ratio of error rates; {found.first.protocol}",
        )
        for name, ratio in (("r_test", found.test), ("r_sample", found.sample))
    ]


def _measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
    return {
        row_of(images, first, second): scores(runs[f"{images}: {first}"], runs[f"{images}: {second}"], scale)
        for images, first, second in PRINTED
    }


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """The last samples of each model: a row a set."""
    last = {label: last_images(run)[:SHOWN] for label, run in firsts(runs).items()}
    rows = {images: [last[f"{images}: {gran}"] for gran in GRANS] for images in SETS}
    return {".png": tiles_png(rows, GRANS, across=4)}


def _expected(images: str, first: str, second: str) -> tuple[Expectation, Expectation]:
    row = row_of(images, first, second)
    fools = f"{images}: {second}'s samples fool {first}'s critic more than the other way round"
    wins = f"{images}: {second} wins, r_test being nearly 1"
    return (
        Expectation(says=fools, score="r_sample", row=row, above=1.0),
        Expectation(says=wins, score="won", row=row, above=0.0),
    )


TABLE_1 = Item(
    name="im2016/table1",
    paper="Im et al. 2016, table 1, sections 4 and 5",
    claim="GRAN3 and GRAN5 win against GRAN1 on all three sets, and GRAN5 against GRAN3 on CIFAR-10 and LSUN",
    trainings={
        f"{images}: {gran}": TRAININGS[f"{name}-{gran.lower()}"] for images, name in SETS.items() for gran in GRANS
    },
    measure=_measure,
    draw=_draw,
    theirs={row_of(*pair): dict(zip(COLUMNS, told, strict=True)) for pair, told in PRINTED.items()},
    expects=[each for pair in PRINTED for each in _expected(*pair)],
    seeds=1,
)
