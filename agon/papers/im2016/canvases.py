"""Canvases after each time step, of trained networks and of untrained ones, beside real images at equal contrast.

An untrained GRAN adds contrast from step to step, too: its last canvas has more "detail" than its first. So pictures
are compared at equal contrast, each image with the mean and the standard deviation that training images have on
average, and the network of the same seed before its first update is measured beside the trained one.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.data import Source
from agon.evaluation import ExtractorSpec
from agon.evaluation.extractors import real_features
from agon.experiment import Experiment
from agon.figures.pictures import to_uint8
from agon.games import Adversarial
from agon.metrics import kernel_distance
from agon.metrics.classes import class_coverage
from agon.metrics.extractors import Extractor, Features, extract
from agon.metrics.pixels import (
    at_equal_contrast,
    canvas_change,
    canvas_changes,
    detail,
    fineness,
    fineness_gain,
    redrawing,
    redrawing_gain,
    redrawn,
    relative_detail,
    roughness_by_contrast,
)
from agon.networks import gran
from agon.papers.classified import classifier_score
from agon.papers.im2016.measuring import UNLABELLED, UNTRAINED, at_first, pair_row
from agon.papers.item import Rows, Scores
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import latents, load
from agon.samples.reading import real_samples
from agon.training import Training

PAINTED = {"smoke": 20, "quick": 2_000, "paper": 10_000}  # samples whose canvases are measured
SUBSET, SUBSETS, SHUFFLED = (
    1_000,
    20,
    2020,
)  # samples in each of the kernel distance's subsets, how many, and their seed
CHUNK = 250  # samples that are painted at a time
SEED = 0  # seed of their latents


class Canvases(NamedTuple):
    """The canvases of n latents after each of T steps.

    Attributes:
        images: the canvases as bytes.
        level: the same at equal contrast.
        roughness: of each, by its contrast (`roughness_by_contrast`).
        redrawn: how much of each the step drew anew; 1 at the first step.
    """

    images: UInt8[Tensor, "t n c h w"]
    level: UInt8[Tensor, "t n c h w"]
    roughness: Float[Tensor, "t n"]
    redrawn: Float[Tensor, "t n"]


class Reference:
    """Training images that canvases are compared with: their contrast, and their features at equal contrast.

    Features are those of the set's own classifier, or of the extractor for photographs if the set has no classes.

    Args:
        source: the training's data.
        n: number of images.
    """

    def __init__(self, source: Source, n: int) -> None:
        self.source, self.labelled = source, source.shape[1] < UNLABELLED
        images = real_samples(source, n)
        levels = images.float() / 255
        self.mean = float(levels.mean())
        self.deviation = float(levels.var((1, 2, 3), unbiased=False).sqrt().mean())
        self.detail = float(detail(images).mean())
        self.roughness = float(roughness_by_contrast(levels).mean())
        spec = ExtractorSpec("classifier" if self.labelled else "auto").resolved()
        self.extractor: Extractor = spec.make(source)
        self.features = real_features(self.extractor, self.level(levels)).features

    def level(self, levels: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
        """Images with pixels in [0, 1] as bytes, each with the mean and deviation of training images."""
        return to_uint8(at_equal_contrast(levels, self.mean, self.deviation), 0.0, 1.0)

    def nearness(self, images: UInt8[Tensor, "n c h w"]) -> Scores:
        """The kernel distance of features at equal contrast, and the classifier's confidence if there is one."""
        features = extract(self.extractor, images)
        size = min(SUBSET, len(images), len(self.features))
        found = kernel_distance(self.features, features.features, subsets=SUBSETS, size=size, seed=SHUFFLED)
        protocol = f"{found.protocol}; {self.extractor.name}; both sides at equal contrast"
        return [replace(found, name="feature-distance", protocol=protocol), *self._confidence(features)]

    def _confidence(self, features: Features) -> Scores:
        if features.probabilities is None:
            return []
        protocol = f"{self.extractor.name}; at equal contrast"
        _, confidence = class_coverage(features.probabilities, self.source.classes, protocol)
        return [confidence]


def step_row(label: str, first: int, last: int | None = None) -> str:
    """The label of the row of one time step of a training, or of several."""
    return f"{label}, step {first}" if last is None else f"{label}, steps {first} to {last}"


def step_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each time step of each training and one for the steps after the first; the same for it untrained.

    Of two trainings, a row compares how much of a picture their steps redraw; their data must be the same.
    """
    (source,) = {Experiment.from_json(run.experiment).data for run in runs.values()}
    reference = Reference(source, PAINTED[scale])
    measured = {label: _of_network(load(run), scale, reference) for label, run in runs.items()}
    first = {  # a run at step 0, of a control, is its own network before its first update
        label: measured[label] if run.kept == [0] else _of_network(at_first(run), scale, reference)
        for label, run in runs.items()
    }
    return {**_labelled(measured, ""), **_labelled(first, UNTRAINED)}


class Measured(NamedTuple):
    """A network's canvases, measured.

    Attributes:
        steps: the scores of each time step's.
        later: those of the steps after the first, together.
        redrawn: how much of each sample these steps redraw, on average.
    """

    steps: list[Scores]
    later: Scores
    redrawn: Float[Tensor, " n"]


def _labelled(measured: Mapping[str, Measured], suffix: str) -> Rows:
    """The rows of networks by their labels, each with the suffix; of two, one that compares them."""
    rows: dict[str, Scores] = {}
    for label, each in measured.items():
        rows |= {step_row(label + suffix, step): scores for step, scores in enumerate(each.steps, 1)}
        rows[step_row(label + suffix, 2, len(each.steps))] = each.later
    if len(measured) == 2:
        rows[pair_row(*measured) + suffix] = [redrawing_gain(*(each.redrawn for each in measured.values()))]
    return rows


def _of_network(training: Training, scale: Scale, reference: Reference) -> Measured:
    painted = canvases(training, PAINTED[scale], reference)
    changes = canvas_changes(painted.images)
    steps: list[Scores] = [
        [
            canvas_change(changes[step]),
            redrawing(painted.redrawn[step]),
            relative_detail(painted.images[step], reference.detail),
            fineness(painted.roughness[step], reference.roughness),
            *reference.nearness(painted.level[step]),
            *(classifier_score(painted.images[step], reference.source) if reference.labelled else []),
        ]
        for step in range(len(painted.images))
    ]
    later = [
        canvas_change(changes[1:].mean(0)),
        redrawing(painted.redrawn[1:].mean(0)),
        fineness_gain(painted.roughness[-1], painted.roughness[0]),
    ]
    return Measured(steps, later, painted.redrawn[1:].mean(0))


def canvases(training: Training, n: int, reference: Reference | None = None) -> Canvases:
    """Paint n latents with a training's generator, step by step.

    Args:
        training: of a GRAN.
        n: number of latents.
        reference: whose contrast the levelled canvases get; without one they are the canvases.
    """
    with training.painting():
        parts = [
            levelled(_painted(training, part), reference) for part in torch.split(latents(training, n, SEED), CHUNK)
        ]
    return Canvases(*(torch.cat(tensors, dim=1) for tensors in zip(*parts, strict=True)))


def levelled(painted: Float[Tensor, "t n c h w"], reference: Reference | None) -> Canvases:
    """Canvases after each of some steps, the first of which starts from grey, from their pixels in [0, 1]."""
    before = torch.cat([torch.full_like(painted[:1], 0.5), painted[:-1]])
    raw = torch.stack([to_uint8(images, 0.0, 1.0) for images in painted])
    return Canvases(
        raw,
        raw if reference is None else torch.stack([reference.level(images) for images in painted]),
        torch.stack([roughness_by_contrast(images) for images in painted]),
        torch.stack([redrawn(*pair) for pair in zip(painted, before, strict=True)]),
    )


@torch.no_grad()
def _painted(training: Training, part: Float[Tensor, "n ..."]) -> Float[Tensor, "t n c h w"]:
    """The canvases after each step, pixels in [0, 1]."""
    game = training.game
    assert isinstance(game, Adversarial)
    assert isinstance(game.generator, gran.Generator)
    low, high = training.experiment.data.range or (-1.0, 1.0)
    painted = game.generator.canvases(part.to(training.device)).float().cpu()  # n t c h w
    return ((painted - low) / (high - low)).transpose(0, 1)
