"""Figure 4: digits of a DCGAN after one and two epochs, and of the perceptrons of figure 3.

| the report | here |
|---|---|
| figure 4: a DCGAN after 1 and 2 epochs; both panels are titled "2 epochs" | (a) after 1, as section 3.3 says |
| "plausible", "identifiable": no number | the classifier's mean confidence; the perceptrons' over all ten |
| section 3.3: 55 minutes against 3 seconds an epoch, of two programs on another machine | both by the runs' logs |
| "more than 1000 times computational time" | the ratio above 1,000; its direction: above 1 |
"""

from agon.papers.expectation import Expectation
from agon.papers.item import Item
from agon.papers.tabak2016 import drawing
from agon.papers.tabak2016.measuring import epoch_rows
from agon.papers.tabak2016.panels import DIGITS, ONE, TRAININGS, TWO, VECTORS

FIGURE_4 = Item(
    name="tabak2016/figure4",
    paper="Tabak 2016, figure 4 and section 3.3",
    claim="a DCGAN is better after 2 epochs than after 1, and still worse than perceptrons, for far more time",
    trainings={
        "DCGAN": TRAININGS["mnist-dcgan"],
        **{f"{VECTORS}: {digit}": TRAININGS[f"mnist-digit-{digit}"] for digit in DIGITS},
    },
    measure=epoch_rows,
    draw=drawing.epochs,
    published={
        TWO: {"paper: time of an epoch": "55 mins", "paper: ratio": "more than 1000 times"},
        VECTORS: {"paper: time of an epoch": "3 sec"},
    },
    expects=[
        Expectation(says="digits are more identifiable after 2 epochs", score="confidence", row=TWO, above=ONE),
        Expectation(says="the vectors' digits are more plausible", score="confidence", row=VECTORS, above=TWO),
        Expectation(
            says="the DCGAN takes more than 1,000 times as long",
            score="ratio",
            row=TWO,
            above=1_000.0,
            direction=1.0,
            controls=("exchanged",),  # untrained networks take their time, too
        ),
    ],
    controls=("untrained", "exchanged"),
    seeds=3,
)
