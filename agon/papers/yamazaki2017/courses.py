"""Figures 5.11 and 5.12: the score of samples over training, for networks of several depths.

CIFAR-10's claims are compared again by the second judge (`papers.second_judge`), from the images that a run keeps of
its fixed latents: of the same latents at every look, too, but fewer of them, and at fewer looks.
"""

from agon.papers.expectation import Expectation
from agon.papers.item import Item, each_alone, per_training
from agon.papers.second_judge import DISTANCE
from agon.papers.yamazaki2017.depth import on_cifar10, on_mnist
from agon.papers.yamazaki2017.drawing import score_curves
from agon.papers.yamazaki2017.measuring import course_scores
from agon.recipes.yamazaki2017 import images
from agon.recipes.yamazaki2017.settings import titled


def _course(figure: str, name: str) -> Item:
    title = images.SETS[name].data.title
    if name == "mnist":
        tail, expects = "batch normalisation in the critic raises them", on_mnist("late-score")
    else:
        tail = "they rise with depth if the critic has none"
        expects = (*on_cifar10("late-score", f"late-{DISTANCE}"), *_steadied())
    return Item(
        name=f"yamazaki2017/figure{figure}",
        paper=f"Yamazaki 2017, figure {figure}",
        claim=f"{title}: the scores of deeper networks rise faster and higher up to a depth; {tail}",
        trainings={**images.models(name, True), **images.models(name, False)},
        rows=each_alone((*images.models(name, True), *images.models(name, False))),
        measure=per_training(course_scores),
        draw=score_curves(name),
        expects=expects,
        seeds=1,
    )


def _steadied() -> tuple[Expectation, ...]:
    """Section 5.2: training is steadier without batch normalisation in the critic."""
    deep, weak = "M3_C", titled("M3_C", False)
    says = f"the score of {deep} goes up and down more than that of {weak}"
    second = f"{DISTANCE}-oscillation"
    return (Expectation(says=says, score="score-oscillation", row=deep, above=weak, second=second),)


FIGURES = (_course("5.11", "mnist"), _course("5.12", "cifar10"))
