"""The figures of time steps: the canvas after each, with one noise for all, and with a new one at each.

| the paper | here |
|---|---|
| figures 11, 12, 28: 3 steps by section 5, which numbers figures otherwise | 3 |
| figures 33 to 37 stand under "for GRAN5" | 5 |
| the canvas is not the sum, but its logistic function; which one is drawn is not stated | σ(ΔC_1 + ... + ΔC_t) |
| "more fine-grained", "more pronounced changes": by eye | "detail" and "change", see below |

Rows tell of single steps, and of all after the first, which paints on a blank canvas.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.data import Source
from agon.data.source import as_bytes
from agon.experiment import Experiment
from agon.figures.tiles import tiles_png
from agon.games import Adversarial
from agon.metrics import Score
from agon.metrics.intervals import mean_score
from agon.networks import gran
from agon.papers.classified import classifier_score
from agon.papers.expectation import Expectation
from agon.papers.im2016.samples import NEW, ONE, UNLABELLED
from agon.papers.item import Item, Rows, Scores, firsts
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import latents, load
from agon.samples.reading import real_samples

PAINTED = {"smoke": 20, "quick": 2_000, "paper": 10_000}  # samples whose canvases are measured
CHUNK = 250  # that are painted at a time
SEED = 0  # of their latents
SHOWN = {3: (16, 4), 5: (12, 3)}  # time steps -> canvases of each in the picture, and how many of them in a row
MOST = 16
FINE = "mean absolute difference of neighbouring pixels / that of training images"


@torch.no_grad()
def canvases(run: Run, n: int) -> UInt8[Tensor, "t n c h w"]:
    """The canvas after each time step, as bytes, of n latents, at a run's last checkpoint."""
    training = load(run)
    game = training.game
    assert isinstance(game, Adversarial)
    assert isinstance(game.generator, gran.Generator)
    parts = []
    with training.painting():
        for part in torch.split(latents(training, n, SEED), CHUNK):
            painted = game.generator.canvases(part.to(training.device))  # n t c h w
            parts.append(torch.stack([as_bytes(each.cpu(), training.experiment.data) for each in painted.unbind(1)]))
    return torch.cat(parts, dim=1)


def changes(painted: UInt8[Tensor, "t n c h w"]) -> Float[Tensor, "t n"]:
    """Mean squared change of an image's pixels, from 0 to 1, at each step; the blank canvas is σ(0) = 1/2."""
    levels = painted.flatten(2).float() / 255
    return torch.cat([(levels[:1] - 0.5), levels.diff(dim=0)]).square().mean(2)


def detail(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Mean absolute difference of neighbouring pixels, from 0 to 1, of each image."""
    levels = images.float() / 255
    down, across = (levels.diff(dim=axis).abs().flatten(1).mean(1) for axis in (2, 3))
    return (down + across) / 2


def at(label: str, first: int, last: int | None = None) -> str:
    """The row of a step, or of several, of a training."""
    return f"{label}, step {first}" if last is None else f"{label}, steps {first} to {last}"


def _measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        source = Experiment.from_json(run.experiment).data
        painted = canvases(run, PAINTED[scale])
        change = changes(painted)
        real = float(detail(real_samples(source, PAINTED[scale])).mean())
        for step, images in enumerate(painted):
            rows[at(label, step + 1)] = [
                _changed(change[step]),
                mean_score("detail", detail(images) / real, FINE, n=len(images)),
                *_by_classes(images, source),
            ]
        rows[at(label, 2, len(painted))] = [_changed(change[1:].mean(0))]
    return rows


def _changed(values: Float[Tensor, " n"]) -> Score:
    return mean_score("change", values, "mean squared change of a pixel, from 0 to 1, in a time step", n=len(values))


def _by_classes(images: UInt8[Tensor, "n c h w"], source: Source) -> Scores:
    """The score by the set's own classifier, where the paper's set has classes."""
    if source.shape[1] >= UNLABELLED:
        return []
    return classifier_score(images, source)


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """A row a training, a column a step; a place in a panel is one sample's."""
    painted = {label: canvases(run, MOST) for label, run in firsts(runs).items()}
    steps = len(next(iter(painted.values())))
    count, across = SHOWN[steps]
    rows = {label: [images[: count // len(runs)] for images in each] for label, each in painted.items()}
    return {".png": tiles_png(rows, [f"step {t + 1}" for t in range(steps)], across=across)}


def _item(figure: int, images: str, steps: int) -> Item:
    """A figure of a GRAN's canvases, with one noise for all steps."""
    label = f"GRAN{steps}"
    finer = Expectation(
        says=f"after step {steps} canvases are finer than after the first",
        score="detail",
        row=at(label, steps),
        above=at(label, 1),
    )
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}, and section 5, on intermediate time steps",
        claim="from step to step images become more fine-grained, and details come in that were missing",
        trainings={label: TRAININGS[f"{images}-gran{steps}"]},
        measure=_measure,
        draw=_draw,
        expects=[finer],
        seeds=3 if images == "mnist" else 1,
    )


def _noises(figure: int, images: str) -> Item:
    """A figure of GRAN5's canvases with a new noise at every step, beside those with one noise."""
    larger = Expectation(
        says="with new noises the changes from step to step are larger",
        score="change",
        row=at(NEW, 2, 5),
        above=at(ONE, 2, 5),
    )
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}, and section 5, on different noises",
        claim="with a new noise at every step, changes from step to step are more pronounced",
        trainings={NEW: TRAININGS[f"{images}-gran5-noises"], ONE: TRAININGS[f"{images}-gran5"]},
        measure=_measure,
        draw=_draw,
        expects=[larger],
        seeds=1,
    )


ITEMS = (
    _item(11, "cifar10", 3),
    _item(12, "lsun-church", 3),
    _item(28, "mnist", 3),
    _noises(33, "cifar10"),
    _noises(34, "lsun-church"),
    _item(35, "cifar10", 5),
    _item(36, "lsun-church", 5),
    _item(37, "lsun-rooms", 5),
)
