"""The four models on CIFAR-10 in table 1 and figures 3 to 10, and what these items share."""

from collections.abc import Sequence

from agon.papers.expectation import Expectation
from agon.papers.item import Item, Measure, Published, Renderer
from agon.recipes.metz2017.images import RECIPES
from agon.recipes.recipe import by_name

UPDATES = 2  # steps of the paper in one of our rounds
AHEAD = (0, 1, 5, 10)
SEEDS = 5
PAPER = "Metz et al. 2017, {}, section 3.3 and appendix C"
OF = by_name(RECIPES)
TRAININGS = {f"K = {k}": OF[f"cifar10-k{k}"] for k in AHEAD}

BETTER = tuple(
    Expectation(
        says=f"with K = {k}, training images are reconstructed better than with none",
        score="reconstruction",
        row="K = 0",
        above=f"K = {k}",
    )
    for k in AHEAD[1:]
)


def on_cifar10(
    name: str,
    claim: str,
    measure: Measure,
    draw: Renderer,
    expects: Sequence[Expectation] = (),
    published: Published | None = None,
) -> Item:
    """Make a table or figure of the four models: "table 1", "figure 3"."""
    return Item(
        name=f"metz2017/{name.replace(' ', '')}",
        paper=PAPER.format(name),
        claim=claim,
        trainings=TRAININGS,
        measure=measure,
        draw=draw,
        expects=expects,
        published=published or {},
        updates=UPDATES,
        seeds=SEEDS,
    )
