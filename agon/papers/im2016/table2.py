"""Table 2: whether the critics of GRAN1 and GRAN3 take the samples of DVAE and of DRAW for real.

| the paper | here |
|---|---|
| number of samples: not stated | 5,000 at quick, 10,000 at paper scale |
| the critic's error on real images and on its own samples: not told | "error-test", "error-own" |
| by what batch normalisation in D normalises what it judges: not stated | as in `table1`; "error-batch" likewise |
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agon.arena import Asked, battle
from agon.figures.tiles import panels_png
from agon.metrics import Score
from agon.metrics.gam.critic import Statistics
from agon.papers.expectation import Expectation
from agon.papers.im2016.table1 import JUDGED
from agon.papers.item import Item, Rows, Scores, firsts
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run, last_images

SHOWN = 16  # images of a model
PRINTED = {"GRAN1 vs. DVAE": "0.058", "GRAN3 vs. DVAE": "0.01", "GRAN1 vs. DRAW": "0.347", "GRAN3 vs. DRAW": "0.106"}


def scores(critic: Run, other: Run, scale: Scale) -> Scores:
    """The error of a GRAN's critic on the other's samples, on its own generator's, and on real test images."""
    found = _asked(critic, other, scale, "reestimated")
    own = _rate(found, "own", "share of its own generator's samples that a critic takes for real")
    test = _rate(found, "test", "share of real test images that a critic takes for generated")
    return [found, own, test, replace(_asked(critic, other, scale, "batch"), name="error-batch")]


def _asked(critic: Run, other: Run, scale: Scale, statistics: Statistics) -> Score:
    return battle(critic, other, asked=Asked(n=JUDGED[scale], statistics=statistics)).scores[0]


def _rate(found: Score, of: str, protocol: str) -> Score:
    """One of the rates beside the error, without an interval of its own."""
    return Score(
        name=f"error-{of}", value=found.detail[f"error_{of}"], n=found.n, n_real=found.n_real, protocol=protocol
    )


def _measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
    pairs = {row: row.split(" vs. ") for row in PRINTED}
    return {row: scores(runs[critic], runs[other], scale) for row, (critic, other) in pairs.items()}


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """The last samples of each model."""
    last = {label: last_images(run)[:SHOWN] for label, run in firsts(runs).items()}
    return {".png": panels_png(last, columns=4, across=4)}


def _less(row: str, than: str, says: str) -> Expectation:
    return Expectation(says=says, score="error", row=row, below=than)


TABLE_2 = Item(
    name="im2016/table2",
    paper="Im et al. 2016, table 2, sections 4 and 5",
    claim="a GRAN's critic tells the samples of DVAE and of DRAW from real ones, that of GRAN3 better than GRAN1's",
    trainings={label: TRAININGS[f"mnist-{label.lower()}"] for label in ("GRAN1", "GRAN3", "DVAE", "DRAW")},
    measure=_measure,
    draw=_draw,
    theirs={row: {"paper: error": told} for row, told in PRINTED.items()},
    expects=(
        *(Expectation(says=f"{row}: under 50 %", score="error", row=row, below=0.5) for row in PRINTED),
        _less("GRAN3 vs. DVAE", "GRAN1 vs. DVAE", "GRAN3's critic errs less on DVAE's samples than GRAN1's"),
        _less("GRAN3 vs. DRAW", "GRAN1 vs. DRAW", "GRAN3's critic errs less on DRAW's samples than GRAN1's"),
        _less("GRAN1 vs. DVAE", "GRAN1 vs. DRAW", "GRAN1's critic errs less on DVAE's samples than on DRAW's"),
        _less("GRAN3 vs. DVAE", "GRAN3 vs. DRAW", "GRAN3's critic errs less on DVAE's samples than on DRAW's"),
    ),
)
