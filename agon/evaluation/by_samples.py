"""Scores of distances: among samples, to real ones in both directions, and along paths between latents."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from agon import metrics
from agon.data.points import Toy
from agon.errors import Change, DataError, SettingError
from agon.evaluation.evidence import ALL, EvaluationContext, Measurement, Painter
from agon.figures.pictures import grid_png, to_uint8
from agon.latents import linear, spherical
from agon.metrics import Score
from agon.samples.reading import real_samples
from agon.training.randomness import stream

PAIRS = 10_000
SHOWN, NEIGHBOURS = 8, 7  # rows and, after the sample itself, columns of the picture
TARGETS = 1_280  # training images that are searched for
STARTS = 3
PAIRED = 32  # targets in the picture, spread from the best found to the worst
PATHS, ALONG = 64, 16  # paths between random latents, and samples on each


def pairwise(evidence: EvaluationContext) -> Measurement:
    """How far the distribution of distances between random pairs of samples is from that of the data."""
    score = metrics.pairwise_distance_gap(evidence.real, evidence.fake, pairs=PAIRS)
    return Measurement([_in_units(score, 255) if evidence.images else score])


def neighbours(evidence: EvaluationContext) -> Measurement:
    """Whether samples lie nearer to training images than to held-out ones, and the nearest ones to look at.

    Raises:
        DataError: training data without end, or nothing is held out.
    """
    n_train, n_held = evidence.data.count("train"), evidence.data.count("test")
    if n_train is None or n_held is None:
        raise DataError(
            "--metrics neighbours: expected a finite set of training data, got one without an end or a known size; "
            "of an endless set nothing can be copied"
        )
    if not n_held:
        holdout = Change("data.holdout", 0.1)
        raise DataError(f"--metrics neighbours: expected held-out samples, got none; set {holdout}", holdout)
    score = metrics.memorisation(evidence.fake, evidence.train, evidence.held)
    if n_train > ALL:
        score = replace(score, protocol=f"{score.protocol}; the first {ALL:,} of {n_train:,} training images")
    if evidence.images:
        score = _in_units(score, 255)
    pictures = {"neighbours": _neighbours_png(evidence)} if evidence.images else {}
    return Measurement([_beside_held(score, evidence.train, evidence.held)], pictures)


def reconstruction(evidence: EvaluationContext, *, targets: int = TARGETS) -> Measurement:
    """How near the generator can come to random training images: the mean squared error of pixels from 0 to 1."""
    painter = _painter(evidence, "reconstruction")
    seed = evidence.data_seed if isinstance(evidence.data, Toy) else evidence.seed
    real = real_samples(evidence.data, min(targets, evidence.n), seed=seed)
    generate = partial(_unit_samples, painter, evidence)
    nearest = metrics.reconstruct(generate, _unit(real), partial(_latents, painter), STARTS, seed=evidence.seed)
    pictures = {"reconstruction": _pairs_png(real, nearest.images, nearest.errors)} if evidence.images else {}
    images = to_uint8(nearest.images.float().cpu(), 0.0, 1.0) if evidence.images else nearest.images.float().cpu()
    arrays = {"errors": nearest.errors.float().cpu(), "images": images, "targets": real}
    return Measurement([nearest.score()], pictures, arrays)


def paths(evidence: EvaluationContext) -> Measurement:
    """How evenly samples change along straight and spherical paths between random latents."""
    painter = _painter(evidence, "paths")
    rng = stream(evidence.seed, "paths")
    ends = painter.experiment.latent.sample(2 * PATHS, painter.game.latent_shape, rng)
    scores: list[Score] = []
    for name, walk in {"linear": linear, "spherical": spherical}.items():
        latents = torch.cat([walk(ends[2 * i], ends[2 * i + 1], ALONG) for i in range(PATHS)])
        with torch.no_grad():
            parts = [_unit_samples(painter, evidence, part).cpu() for part in torch.split(latents, 256)]
        samples = torch.cat(parts)
        scores += metrics.path_smoothness(samples.reshape(PATHS, ALONG, *samples.shape[1:]), name)
    return Measurement(scores)


def _beside_held(score: Score, train: Tensor, held: Tensor) -> Score:
    """With what held-out images would get: less than 0.5 where they come from elsewhere, as other writers' digits."""
    if len(held) < 2:
        return score
    share = metrics.memorisation(held[::2], train, held[1::2]).value
    return replace(score, detail={**score.detail, "held": share, "told": f"held-out images get {share:.3f}"})


def _in_units(score: Score, unit: float) -> Score:
    """Distances of bytes as those of pixels from 0 to 1; their densities the other way round."""
    detail = dict(score.detail)
    for name in ("median_train", "median_held"):
        if name in detail:
            detail[name] = detail[name] / unit
    histogram = dict(detail.get("distribution", {}))
    if histogram:
        histogram["edges"] = [edge / unit for edge in histogram["edges"]]
        histogram |= {side: [density * unit for density in histogram[side]] for side in ("data", "model")}
        histogram["medians"] = {side: median / unit for side, median in histogram.get("medians", {}).items()}
        detail["distribution"] = histogram
    return replace(score, detail=detail)


def _neighbours_png(evidence: EvaluationContext) -> bytes:
    """A row a sample: itself, then its nearest training images, the nearest first."""
    shown = evidence.fake[:SHOWN]
    k = min(NEIGHBOURS, len(evidence.train))
    nearest = metrics.nearest_neighbours(shown, evidence.train, k).indices
    rows = [torch.cat([image[None], evidence.train[indices]]) for image, indices in zip(shown, nearest, strict=True)]
    return grid_png(torch.cat(rows), k + 1)


def _painter(evidence: EvaluationContext, metric: str) -> Painter:
    if evidence.painter is None:
        raise SettingError(f"--metrics {metric}: expected a run, whose generator can be asked; got samples alone")
    return evidence.painter


def _latents(painter: Painter, n: int, rng: torch.Generator) -> Tensor:
    return painter.experiment.latent.sample(n, painter.game.latent_shape, rng)


def _unit_samples(painter: Painter, evidence: EvaluationContext, latents: Tensor) -> Tensor:
    """Samples with pixels from 0 to 1; points as they are."""
    weight = next(painter.game.parameters())
    samples = painter.paint(latents.to(weight.device))
    bounds = evidence.data.range
    return samples if bounds is None else (samples - bounds[0]) / (bounds[1] - bounds[0])


def _unit(samples: Tensor) -> Tensor:
    return samples.float() / 255 if samples.dtype is torch.uint8 else samples


def _pairs_png(targets: Tensor, nearest: Tensor, errors: Tensor) -> bytes:
    """Targets "n c h w" over the samples found for them, from the best to the worst."""
    order = errors.cpu().argsort()
    order = order[torch.linspace(0, len(order) - 1, min(PAIRED, len(order))).round().long()]
    images = to_uint8(nearest.cpu()[order], 0.0, 1.0)
    across = 8
    rows = [torch.cat([targets[order][i : i + across], images[i : i + across]]) for i in range(0, len(order), across)]
    return grid_png(torch.cat(rows), across)
