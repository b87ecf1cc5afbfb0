"""Table 2: whether the critics of GRAN1 and GRAN3 take samples of DVAE and DRAW for real.

| the paper | here |
|---|---|
| number of samples: not stated | 5,000 at quick, 10,000 at paper scale |
| the critic's error on real images and on its own generator's samples: not given | "error-test", "error-own" |
| which statistics batch normalisation in D uses: not stated | as in `table1`; "error-batch" likewise |
"""

from functools import partial

from agon.papers.expectation import Expectation
from agon.papers.im2016.measuring import critic_rows
from agon.papers.im2016.panels import critic_panel_rows
from agon.papers.item import Item
from agon.papers.pictures import sample_panels
from agon.recipes.im2016.trainings import TRAININGS

PRINTED = {"GRAN1 vs. DVAE": "0.058", "GRAN3 vs. DVAE": "0.01", "GRAN1 vs. DRAW": "0.347", "GRAN3 vs. DRAW": "0.106"}


PAIRS = {row: (row.split(" vs. ")[0], row.split(" vs. ")[1]) for row in PRINTED}
ORDERS = {  # surer critics first
    "DVAE: GRAN3's critics surer than GRAN1's": ("GRAN3 vs. DVAE", "GRAN1 vs. DVAE"),
    "DRAW: GRAN3's critics surer than GRAN1's": ("GRAN3 vs. DRAW", "GRAN1 vs. DRAW"),
    "GRAN1's critics: surer of DVAE than of DRAW": ("GRAN1 vs. DVAE", "GRAN1 vs. DRAW"),
    "GRAN3's critics: surer of DVAE than of DRAW": ("GRAN3 vs. DVAE", "GRAN3 vs. DRAW"),
}


def _less(row: str, than: str, says: str) -> Expectation:
    return Expectation(says=says, score="error", row=row, below=than)


TABLE_2 = Item(
    name="im2016/table2",
    paper="Im et al. 2016, table 2, sections 4 and 5",
    claim="a GRAN's critic tells the samples of DVAE and of DRAW from real ones, that of GRAN3 better than GRAN1's",
    trainings={label: TRAININGS[f"mnist-{label.lower()}"] for label in ("GRAN1", "GRAN3", "DVAE", "DRAW")},
    rows=PAIRS,
    measure=critic_rows(PAIRS),
    panels=partial(critic_panel_rows, PAIRS, ORDERS),
    draw=sample_panels(across=4, count=16, columns=4),
    published={row: {"paper: error": error} for row, error in PRINTED.items()},
    expects=(
        *(Expectation(says=f"{row}: under 50 %", score="error", row=row, below=0.5) for row in PRINTED),
        _less("GRAN3 vs. DVAE", "GRAN1 vs. DVAE", "GRAN3's critic errs less on DVAE's samples than GRAN1's"),
        _less("GRAN3 vs. DRAW", "GRAN1 vs. DRAW", "GRAN3's critic errs less on DRAW's samples than GRAN1's"),
        _less("GRAN1 vs. DVAE", "GRAN1 vs. DRAW", "GRAN1's critic errs less on DVAE's samples than on DRAW's"),
        _less("GRAN3 vs. DVAE", "GRAN3 vs. DRAW", "GRAN3's critic errs less on DVAE's samples than on DRAW's"),
    ),
)
