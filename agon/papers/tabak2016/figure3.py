"""Figure 3: digits as vectors, one pair of perceptrons for each digit.

| the report | here |
|---|---|
| figure 3: 16 samples of the digit 2 by each of three pairs; of other digits in a supplement | all ten digits by (a) |
| "all 16 images look like digit 2", "almost all": no number | the classifier takes over 0.9 of them for it |
| tanh "has more contrast", its values saturate: no number | pixels within 1/20 of the range of black or white |
| 4 layers are "blurry": no number | by eye: differences of neighbouring pixels rise with noise, too |
"""

from agon.papers.expectation import Expectation
from agon.papers.item import Item
from agon.papers.tabak2016 import drawing
from agon.papers.tabak2016.measuring import digit_rows
from agon.papers.tabak2016.panels import ALL, DIGIT, DIGITS, PAIRS, TRAININGS

MOST = 0.9  # share of the images that we read as "almost all"

FIGURE_3 = Item(
    name="tabak2016/figure3",
    paper="Tabak 2016, figure 3 and section 3.2",
    claim="perceptrons make images that are plainly the digit they saw; tanh gives contrast, a deeper critic blur",
    trainings={
        **{f"{panel} {DIGIT}": TRAININGS[f"mnist-digit-{DIGIT}{ending}"] for panel, (_, _, ending) in PAIRS.items()},
        **{f"(a) {digit}": TRAININGS[f"mnist-digit-{digit}"] for digit in DIGITS if digit != DIGIT},
    },
    measure=digit_rows,
    draw=drawing.digits,
    expects=[
        *(
            Expectation(says=says, score="recognised", row=row, above=MOST)
            for row, says in (
                *((f"{panel} {DIGIT}", "all 16 images look like the digit 2") for panel in PAIRS),
                (ALL, "it is the same for other digits"),
            )
        ),
        Expectation(
            says="tanh has more contrast than a linear output",
            score="saturated",
            row=f"(a) {DIGIT}",
            above=f"(b) {DIGIT}",
        ),
    ],
    seeds=3,
)
