"""Figures 5.13 and 5.14: good, bad and collapsed samples."""

from agon.papers.expectation import Expectation
from agon.papers.item import Item, each_alone, per_training
from agon.papers.pictures import sample_panels
from agon.papers.second_judge import DISTANCE
from agon.papers.yamazaki2017.measuring import SCORE, kind_scores
from agon.recipes.yamazaki2017 import images

ACROSS = 8  # images in a row


def _kinds(figure: str, good: tuple[str, int, bool], bad: int, collapsed: tuple[int, bool]) -> Item:
    """A figure of good samples, bad ones by networks that are too shallow, collapsed ones by too deep networks."""
    name, depth, normalise = good
    chosen = {
        "good": images.models(name, normalise, [depth]),
        "bad": images.models(name, True, [bad]),
        "collapsed": images.models(name, collapsed[1], [collapsed[0]]),
    }
    words = {
        label: f"({letter}) {word}"
        for letter, (word, models) in zip("abc", chosen.items(), strict=True)
        for label in models
    }
    best, shallow, deep = words
    title = images.SETS[name].data.title
    return Item(
        name=f"yamazaki2017/figure{figure}",
        paper=f"Yamazaki 2017, figure {figure}",
        claim=f"{title}: {best} makes good samples, {shallow} bad ones, not deep enough, {deep} few kinds, too deep",
        trainings={label: recipe for models in chosen.values() for label, recipe in models.items()},
        rows=each_alone(words),
        measure=per_training(kind_scores),
        draw=sample_panels(across=ACROSS, titles={label: f"{word}: {label}" for label, word in words.items()}),
        expects=(
            Expectation(
                says=f"{best} scores above {shallow}",
                score=SCORE,
                row=best,
                above=shallow,
                second=DISTANCE if name == "cifar10" else None,
            ),
            Expectation(
                says=f"{deep} has collapsed: its classes' shares are further from the data's than those of {best}",
                score="class-divergence",
                row=deep,
                above=best,
            ),
        ),
        seeds=1,
    )


FIGURES = (
    _kinds("5.13", ("mnist", 3, True), 0, (5, False)),
    _kinds("5.14", ("cifar10", 2, False), 0, (3, True)),
)
