"""Figures 5 to 8: samples of models on a set, with the scores that the set allows."""

from collections.abc import Callable, Sequence

from agon.papers.argan2018.drawing import beside_data
from agon.papers.argan2018.measuring import by_classes, by_pixels
from agon.papers.argan2018.models import PAPER, PROPOSED, training
from agon.papers.item import Item, Renderer, Scores, per_training
from agon.papers.pictures import sample_panels
from agon.recipes.scales import Scale
from agon.runs import Run


def _figure(
    number: int,
    claim: str,
    images: str,
    models: Sequence[str],
    measure: Callable[[Run, Scale], Scores],
    draw: Renderer,
) -> Item:
    return Item(
        name=f"argan2018/figure{number}",
        paper=f"{PAPER}, figure {number} and section 4.1",
        claim=claim,
        trainings={model: training(images, model) for model in models},
        measure=per_training(measure),
        draw=draw,
        seeds=1,
    )


FIGURES = (
    _figure(
        5,
        "samples of all three models look sharp, though not all of them have an object that one would recognise",
        "cifar10",
        PROPOSED,
        by_classes,
        sample_panels(across=8, count=64),
    ),
    _figure(
        6,
        "the three models make images of 48x48 pixels of a more varied set, too",
        "stl10-48",
        PROPOSED,
        by_pixels,
        sample_panels(across=6, count=36),
    ),
    _figure(
        7,
        "PARGAN scales to 96x96 pixels: certain objects are recognisable",
        "stl10-96",
        ["PARGAN"],
        by_pixels,
        beside_data(across=4),
    ),
    _figure(
        8,
        "faces look realistic in general, with small artefacts in some",
        "celeba",
        ["S-ARGAN"],
        by_pixels,
        beside_data(across=5),
    ),
)
