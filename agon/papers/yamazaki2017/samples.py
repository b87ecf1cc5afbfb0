"""Figures 5.13 to 5.15: samples that are good, bad and collapsed, and the training images nearest to the good ones."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from agon.data import Source
from agon.evaluate import evaluate
from agon.evaluate.evidence import ALL
from agon.experiment import Experiment
from agon.figures.tiles import panels_png
from agon.metrics import Score, nearest_neighbours
from agon.metrics.intervals import mean_score
from agon.papers.classified import CLASSIFIER
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, Scores, firsts, of_each
from agon.papers.yamazaki2017.scores import SAMPLES, SCORE
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale
from agon.recipes.yamazaki2017 import images
from agon.runs import Run, last_images
from agon.samples.making import load, sample
from agon.samples.reading import as_compared, real_samples

ACROSS = 8  # images in a row of figures 5.13 and 5.14
PAIRS = 5  # of a sample and its neighbour, in a row of figure 5.15
SHOWN = 100  # samples of figure 5.15, section 5.2.1
COMPARED: Mapping[Scale, int] = {"smoke": 20, "quick": 500, "paper": 1_000}
COLLAPSE, NEAREST = "class-divergence", "nearest"
TESTS = {"mnist": "MNIST test images", "cifar10": "CIFAR-10 test images"}


def judged(run: Run, scale: Scale) -> Scores:
    """How sure the classifier is, and how evenly the classes come."""
    return evaluate(run, metrics=["is", "classifier"], n=SAMPLES[scale], extractor=CLASSIFIER)


def grids(runs: Mapping[str, Run], words: Mapping[str, str]) -> bytes:
    """Beside each other, the last images of the fixed latents of each run."""
    panels = {f"{words[label]}: {label}": last_images(run) for label, run in runs.items()}
    return panels_png(panels, columns=len(panels), across=ACROSS)


class Best(NamedTuple):
    """The best of a set by the Inception score, as the paper has it.

    Attributes:
        name: of the set.
        label: of the model.
        recipe: of its training.
    """

    name: str
    label: str
    recipe: Recipe


def _best(name: str, depth: int, normalise: bool) -> Best:
    ((label, recipe),) = images.models(name, normalise, [depth]).items()
    return Best(name, label, recipe)


BEST = (_best("mnist", 3, True), _best("cifar10", 2, False))


def distance(name: str, looked_at: Tensor, source: Source) -> Score:
    """How far, in root mean squares of a pixel from 0 to 1, images lie from the nearest one of the training set."""
    train = real_samples(source, ALL)
    found = nearest_neighbours(looked_at, train).distances[:, 0] / (255 * looked_at[0].numel() ** 0.5)
    how = "root mean square difference of pixels from 0 to 1 to the nearest training image, mean over images"
    return mean_score(name, found, how, n=len(looked_at), n_real=len(train))


def beside_held_out(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """The samples' distance to the training set, and that of test images, which nobody has copied."""
    rows: dict[str, Scores] = {}
    for best in BEST:
        source, made = _made(runs[best.label], COMPARED[scale])
        rows[best.label] = [distance(NEAREST, made, source)]
        rows[TESTS[best.name]] = [distance(NEAREST, real_samples(source, COMPARED[scale], split="test"), source)]
    return rows


def pairs(runs: Mapping[str, Run], scale: Scale) -> bytes:
    """Two panels: samples, and at the right of each the nearest training image."""
    panels = {}
    for label, run in runs.items():
        source, made = _made(run, min(SHOWN, COMPARED[scale]))
        train = real_samples(source, ALL)
        near = train[nearest_neighbours(made, train).indices[:, 0]]
        panels[f"{label}: samples, and the nearest training image"] = woven(made, near)
    return panels_png(panels, columns=2, across=2 * PAIRS)


def woven(made: Tensor, near: Tensor) -> Tensor:
    """In turns an image of one and of the other."""
    return torch.stack([made, near], dim=1).flatten(0, 1)


def _made(run: Run, n: int) -> tuple[Source, Tensor]:
    """The set that a run was trained on, and n samples as bytes."""
    source = Experiment.from_json(run.experiment).data
    return source, as_compared(sample(load(run), n).cpu(), source)


def _kinds(figure: str, good: tuple[str, int, bool], bad: int, collapsed: tuple[int, bool]) -> Item:
    """Good samples, bad ones of too shallow networks, collapsed ones of too deep ones."""
    name, depth, normalise = good
    chosen = {
        "good": images.models(name, normalise, [depth]),
        "bad": images.models(name, True, [bad]),
        "collapsed": images.models(name, collapsed[1], [collapsed[0]]),
    }
    words = {
        label: f"({letter}) {word}"
        for letter, (word, each) in zip("abc", chosen.items(), strict=True)
        for label in each
    }
    best, shallow, deep = words
    title = images.SETS[name].data.title
    return Item(
        name=f"yamazaki2017/figure{figure}",
        paper=f"Yamazaki 2017, figure {figure}",
        claim=f"{title}: {best} makes good samples, {shallow} bad ones, not deep enough, {deep} few kinds, too deep",
        trainings={label: recipe for each in chosen.values() for label, recipe in each.items()},
        measure=of_each(judged),
        draw=lambda runs, scale: {".png": grids(firsts(runs), words)},
        expects=(
            Expectation(says=f"{best} scores above {shallow}", score=SCORE, row=best, above=shallow),
            Expectation(
                says=f"{deep} has collapsed: its classes' shares are further from the data's than those of {best}",
                score=COLLAPSE,
                row=deep,
                above=best,
            ),
        ),
        seeds=1,
    )


def _neighbours() -> Item:
    mnist, cifar10 = (best.label for best in BEST)
    return Item(
        name="yamazaki2017/figure5.15",
        paper="Yamazaki 2017, figure 5.15",
        claim=f"samples of {mnist} are almost training images, those of {cifar10} less so",
        trainings={best.label: best.recipe for best in BEST},
        measure=beside_held_out,
        draw=lambda runs, scale: {".png": pairs(firsts(runs), scale)},
        expects=(
            Expectation(
                says=f"samples of {mnist} lie nearer to training images than those of {cifar10}",
                score=NEAREST,
                row=mnist,
                below=cifar10,
            ),
            Expectation(
                says=f"samples of {mnist} are almost copies: nearer to training images than test images are",
                score=NEAREST,
                row=mnist,
                below=TESTS["mnist"],
            ),
        ),
        seeds=1,
    )


ITEMS = (
    _kinds("5.13", ("mnist", 3, True), 0, (5, False)),
    _kinds("5.14", ("cifar10", 2, False), 0, (3, True)),
    _neighbours(),
)
