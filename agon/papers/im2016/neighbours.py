"""The figures of nearest neighbours: whether a GRAN's samples are copies of training images.

| the paper | here |
|---|---|
| distance: not stated | Euclidean, of pixels |
| figures 9, 27, 32: GRAN's number of time steps is not stated | 3 as in figure 10; 32: 5 as in figure 31 beside it |
| judged by eye | and by how often a training image is nearer than a held-out one |
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agon.evaluate import evaluate
from agon.figures.pictures import read_grid
from agon.figures.tiles import tiles_png
from agon.metrics import Score
from agon.metrics.intervals import NORMAL
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores, firsts, of_each
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run

SEARCHED = {"smoke": 60, "quick": 2_000, "paper": 10_000}  # samples whose neighbours are looked for
ACROSS, SHOWN = 8, 5  # images in a row of the picture that the metric keeps, and rows of it
WORDS = "at the left a sample, then its nearest training images, the nearest first"
FEW = 0.1  # share of copies from which on the paper's eye would have found some


def scores(run: Run, scale: Scale) -> Scores:
    """How often a training image is nearer than a held-out one: of samples, of held-out images, and what that means."""
    found = _memorisation(run, scale)
    held = float(found.detail["held"])
    honest = Score(
        name="memorisation-held",
        value=held,
        n=found.n,
        n_real=found.n_real,
        protocol="memorisation of one half of the held-out images, the other half held out",
    )
    return [found, honest, copied(found, held), _exact(found)]


def copied(found: Score, held: float) -> Score:
    """The share c of copies that would explain the memorisation m, if all other samples had what held-out images have.

        m = c + (1 - c) h,   so   c = (m - h) / (1 - h), or 0 where m < h.

    Args:
        found: m, with its interval.
        held: h, below 1.
    """
    assert found.interval is not None  # Wilson's
    low, value, high = (
        max(0.0, (each - held) / (1 - held)) for each in (found.interval[0], found.value, found.interval[1])
    )
    return replace(
        found,
        name="copied",
        value=value,
        error=(high - low) / 2 / NORMAL,  # not 0 where all samples or none are nearer
        interval=(low, high),
        protocol="share of copies that would explain the memorisation",
        detail={},
    )


def _memorisation(run: Run, scale: Scale) -> Score:
    (found,) = evaluate(run, metrics=["neighbours"], n=SEARCHED[scale])
    return found


def _exact(found: Score) -> Score:
    copies = float(found.detail["copies"])
    return Score(name="exact-copies", value=copies, n=found.n, protocol="share of samples that are a training image")


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """A row a sample: itself, then its nearest training images, the nearest first."""
    rows = {}
    for label, run in firsts(runs).items():
        picture = run.path / _memorisation(run, scale).passport["pictures"]["neighbours"]
        rows[label] = [read_grid(picture)[: ACROSS * SHOWN]]
    return {".png": tiles_png(rows, [WORDS], across=ACROSS)}


def _item(figure: int, name: str) -> Item:
    """A figure of the neighbours of a training's samples."""
    images, _, steps = name.partition("-gran")
    label = f"GRAN{steps}"
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}, and section 5, on overfitting",
        claim="no sample is a replicate of a training image",
        trainings={label: TRAININGS[name]},
        measure=of_each(scores),
        draw=_draw,
        expects=[Expectation(says="fewer than 1 sample in 10 is a copy", score="copied", row=label, below=FEW)],
        seeds=3 if images == "mnist" else 1,
    )


ITEMS = (
    _item(9, "cifar10-gran3"),
    _item(10, "lsun-church-gran3"),
    _item(27, "mnist-gran3"),
    _item(31, "lsun-church-gran5"),
    _item(32, "lsun-rooms-gran5"),
)
