"""Table 1: GRANs of 1, 3 and 5 time steps in battle, on three sets.

| the paper | here |
|---|---|
| samples and test images of a battle: not stated | 5,000 of each at quick, 10,000 at paper scale, or all there are |
| equation 11: r_test is nearly 1; how near is not stated | from 1/1.3 to 1.3, see `metrics.winner` |
| which statistics batch normalisation in D uses in a battle: not stated | see `BattleSettings`; "-batch": below |
| one training of each | panels: every seed against every seed, see `panels` |
| no uncertainty is given | intervals by bootstrap; "won" is 0 where they allow no winner |

The columns that end in "-batch" normalise each batch of 100 by its own statistics, as the authors' code does.
"r_train", "seen-first" and "seen-second" tell how each critic judges what it was trained on, see `section4`.
"""

from functools import partial

from agon.papers.expectation import Expectation
from agon.papers.im2016.measuring import battle_rows
from agon.papers.im2016.panels import panel_rows
from agon.papers.item import Item
from agon.papers.pictures import sample_table
from agon.recipes.im2016.trainings import TRAININGS

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


def row_of(images: str, first: str, second: str) -> str:
    """The label of a row of the table."""
    return f"{images}: {first} vs. {second}"


def _expected(images: str, first: str, second: str) -> tuple[Expectation, Expectation]:
    row = row_of(images, first, second)
    fools = f"{images}: {second}'s samples fool {first}'s critic more than the other way round"
    wins = f"{images}: {second} wins, r_test being nearly 1"
    return (
        Expectation(says=fools, score="r_sample", row=row, above=1.0),
        Expectation(says=wins, score="won", row=row, above=0.0),
    )


PAIRS = {
    row_of(images, first, second): (f"{images}: {first}", f"{images}: {second}") for images, first, second in PRINTED
}
TABLE_1 = Item(
    name="im2016/table1",
    paper="Im et al. 2016, table 1, sections 4 and 5",
    claim="GRAN3 and GRAN5 win against GRAN1 on all three sets, and GRAN5 against GRAN3 on CIFAR-10 and LSUN",
    trainings={
        f"{images}: {gran}": TRAININGS[f"{name}-{gran.lower()}"] for images, name in SETS.items() for gran in GRANS
    },
    rows=PAIRS,
    measure=battle_rows(PAIRS),
    draw=sample_table(list(SETS), GRANS, across=4, count=12),
    panels=partial(panel_rows, PAIRS),
    published={row_of(*pair): dict(zip(COLUMNS, printed, strict=True)) for pair, printed in PRINTED.items()},
    expects=[expectation for pair in PRINTED for expectation in _expected(*pair)],
    seeds=1,
)
