"""What the text names and shows no numbers of: other ways to look ahead, on figure 1's ring.

| the paper | here |
|---|---|
| section 2.3: "several update steps of the discriminator [...] before each single update step for the generator" | 10 |
| section 3: fixed or re-sampled mini-batches "did not significantly impact the result" | on the ring, K = 10 |
| section 4: "further perturb the training gradient" in the direction of "a single unrolling step" | 10 times as far |
| section 4: "unroll G when updating D as well" | both look 10 steps ahead at the other |
| section 4: "recursive: G could react [...] as if G and D had already updated" | G looks ahead at both, K = 10 |

A way of looking ahead works if it does what unrolling does in figure 1: it spreads the mass over the modes, which a
training without look-ahead does not.
"""

from agon.papers.expectation import Expectation
from agon.papers.item import Item, per_training
from agon.papers.metz2017.drawing import points_over_time
from agon.papers.metz2017.measuring import mode_scores, modes_over_time
from agon.papers.metz2017.models import UPDATES
from agon.recipes.metz2017.ring import (
    RING_BOTH,
    RING_D10,
    RING_FAR,
    RING_FRESH,
    RING_K0,
    RING_K10,
    RING_RECURSIVE,
)
from agon.recipes.recipe import Recipe

NONE, TEN = "K = 0", "K = 10"


def _item(
    section: str, claim: str, trainings: dict[str, Recipe], expects: tuple[Expectation, ...], seeds: int = 3
) -> Item:
    return Item(
        name=f"metz2017/section{section}",
        paper=f"Metz et al. 2017, section {section.rstrip('abc')}",
        claim=claim,
        trainings={**trainings, TEN: RING_K10, NONE: RING_K0},
        expects=expects,
        updates=UPDATES,
        seeds=seeds,
        measure=per_training(mode_scores),
        history=modes_over_time,
        draw=points_over_time,
    )


def _spreads(row: str) -> tuple[Expectation, ...]:
    """The mass is spread more evenly, and over more modes, than without look-ahead."""
    return (
        Expectation(
            says=f"{row}: the mass is spread more evenly than without", score="mode-divergence", row=row, below=NONE
        ),
        Expectation(says=f"{row}: more modes than without", score="modes", row=row, above=NONE),
    )


FRESH, CRITIC_STEPS = "K = 10, new batches", "10 critic steps, K = 0"
FAR, BOTH, RECURSIVE = "K = 1, ten times as far", "both look ahead", "recursive"
SECTION_2_3 = _item(
    "2.3",
    "unrolling is another approach than several critic steps before each of the generator",
    {CRITIC_STEPS: RING_D10},
    (
        Expectation(
            says="unrolling spreads the mass more evenly than critic steps do",
            score="mode-divergence",
            row=TEN,
            below=CRITIC_STEPS,
        ),
        Expectation(says="over more modes", score="modes", row=TEN, above=CRITIC_STEPS),
    ),
)
SECTION_3 = _item(
    "3",
    "re-sampled mini-batches do not change what fixed ones do",
    {FRESH: RING_FRESH},
    _spreads(FRESH),
)
SECTION_4A = _item(
    "4a",
    "it may suffice to perturb the gradient further in the direction in which one unrolling step does",
    {FAR: RING_FAR},
    _spreads(FAR),
)
SECTION_4B = _item("4b", "the critic can look ahead, too", {BOTH: RING_BOTH}, _spreads(BOTH))
SECTION_4C = _item(
    "4c",
    "the look-ahead can be recursive",
    {RECURSIVE: RING_RECURSIVE},
    _spreads(RECURSIVE),
    seeds=2,  # of 14 core-minutes each
)
ITEMS = (SECTION_2_3, SECTION_3, SECTION_4A, SECTION_4B, SECTION_4C)
