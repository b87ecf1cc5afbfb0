"""Appendix C's conjecture: a deep critic is so sure because it has learned each of the 10,000 points.

| the paper | here |
|---|---|
| "A possible reason [...] that the dataset of 10000 samples was too small" | the same on endless points |
| "the discriminator was able to learn each and every sample" | "rejected": less often on endless points |
| "the highly confident predictions of the discriminator lead to oscillating x ~ P_g" | "movement": less of it |

If the conjecture is right, points that never come back take the critic's certainty away, and with it the oscillation.
"""

from collections.abc import Mapping

from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores, each_alone, per_training
from agon.papers.yamazaki2017.drawing import losses_beside_outputs
from agon.papers.yamazaki2017.measuring import loss_scores, point_scores
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale
from agon.recipes.yamazaki2017 import points
from agon.runs import Run

FINITE, ENDLESS = "10,000 points", "endless points"
PAIRS = {"m1": "M1_A", "g0d1": "shallow G against deep D"}


def scores(run: Run, scale: Scale) -> Scores:
    """Those of figures C.1 and C.3."""
    return [*loss_scores(run, scale), *point_scores(run, scale)]


def _rows() -> Mapping[str, Recipe]:
    return {
        f"{title}: {model}, {amount}": points.OF[f"{name}-{pair}{tail}"]
        for name, title in points.TITLES.items()
        for pair, model in PAIRS.items()
        for amount, tail in ((FINITE, ""), (ENDLESS, "-endless"))
    }


def _expected(score: str, what: str) -> tuple[Expectation, ...]:
    """Each pair's score is greater on a finite set."""
    rows = [row.removesuffix(f", {FINITE}") for row in _rows() if row.endswith(FINITE)]
    return tuple(
        Expectation(says=f"{row}: {what}", score=score, row=f"{row}, {FINITE}", above=f"{row}, {ENDLESS}")
        for row in rows
    )


APPENDIX_C = Item(
    name="yamazaki2017/appendixC",
    paper="Yamazaki 2017, appendix C",
    claim="a deep critic rejects samples so surely, and makes them oscillate, because it has learned the 10,000 points",
    trainings=_rows(),
    rows=each_alone(_rows()),
    measure=per_training(scores),
    draw=losses_beside_outputs(list(_rows())),
    expects=(
        *_expected("rejected", "samples are rejected surely less often where no point comes back"),
        *_expected("movement", "samples move less where no point comes back"),
    ),
    seeds=1,  # of eight trainings, 25 core-minutes
)
