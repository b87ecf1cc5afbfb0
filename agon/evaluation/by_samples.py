"""Metrics of distances: among samples, to real samples, and along paths between latents."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from agon import metrics
from agon.data.points import Toy
from agon.evaluation.evidence import ALL, EvaluationContext, Measurement, Painter
from agon.evaluation.requirements import finite_and_held_out, generator, unconditional
from agon.figures.pictures import grid_png, to_uint8
from agon.latents import linear, spherical
from agon.metrics import Score
from agon.networks.searched import searched
from agon.samples.reading import real_samples
from agon.training.randomness import stream

PAIRS = 10_000
SHOWN, NEIGHBOURS = 8, 7  # rows of the picture, and columns after the sample itself
TARGETS = 1_280  # training images to reconstruct
STARTS = 3
PAIRED = 32  # targets in the picture, from the best to the worst reconstruction
PATHS, ALONG = 64, 16  # paths between random latents, and samples on each


def pairwise(context: EvaluationContext) -> Measurement:
    """Compare the distances between random pairs of samples with those between pairs of real samples."""
    score = metrics.pairwise_distance_gap(context.real, context.fake, pairs=PAIRS)
    return Measurement([_in_units(score, 255) if context.images else score])


def neighbours(context: EvaluationContext) -> Measurement:
    """Measure whether samples lie nearer to training images than to held-out ones, and show the nearest.

    Raises:
        DataError: the training data are endless, or nothing is held out.
    """
    n_train = finite_and_held_out(context)
    score = metrics.memorisation(context.fake, context.train, context.held)
    if n_train > ALL:
        score = replace(score, protocol=f"{score.protocol}; the first {ALL:,} of {n_train:,} training images")
    if context.images:
        score = _in_units(score, 255)
    pictures = {"neighbours": _neighbours_png(context)} if context.images else {}
    return Measurement([_with_held_out(score)], pictures)


def reconstruction(context: EvaluationContext, *, targets: int = TARGETS) -> Measurement:
    """Measure how well the generator reconstructs random training images, by mean squared error of pixels in [0, 1]."""
    painter = unconditional(context)
    seed = context.data_seed if isinstance(context.data, Toy) else context.seed
    real = real_samples(context.data, min(targets, context.n), seed=seed)
    generate = partial(_unit_samples, painter, context)
    with searched(painter.game):
        nearest = metrics.reconstruct(generate, _unit(real), partial(_latents, painter), STARTS, seed=context.seed)
    pictures = {"reconstruction": _pairs_png(real, nearest.images, nearest.errors)} if context.images else {}
    images = to_uint8(nearest.images.float().cpu(), 0.0, 1.0) if context.images else nearest.images.float().cpu()
    arrays = {"errors": nearest.errors.float().cpu(), "images": images, "targets": real}
    return Measurement([nearest.score()], pictures, arrays)


def paths(context: EvaluationContext) -> Measurement:
    """Measure how evenly samples change along straight and spherical paths between random latents."""
    painter = generator(context)
    rng = stream(context.seed, "paths")
    ends = painter.experiment.latent.sample(2 * PATHS, painter.game.latent_shape, rng)
    scores: list[Score] = []
    for name, walk in {"linear": linear, "spherical": spherical}.items():
        latents = torch.cat([walk(ends[2 * i], ends[2 * i + 1], ALONG) for i in range(PATHS)])
        parts = torch.split(latents, 256)
        asked = [None] * len(parts) if context.labels is None else torch.split(_path_labels(context.labels), 256)
        with torch.no_grad():
            samples = torch.cat(
                [_unit_samples(painter, context, *inputs).cpu() for inputs in zip(parts, asked, strict=True)]
            )
        scores += metrics.path_smoothness(samples.reshape(PATHS, ALONG, *samples.shape[1:]), name)
    return Measurement(scores)


def _with_held_out(score: Score) -> Score:
    """Say what held-out images get, which is not 0.5 if they differ from the training images, e.g. in writers."""
    if "held" not in score.detail:
        return score
    held, error = score.detail["held"], score.detail["held_error"]
    return replace(score, detail={**score.detail, "told": f"held-out images get {held:.3f} ± {error:.2g}"})


def _in_units(score: Score, unit: float) -> Score:
    """Divide distances of bytes by the unit, for pixels in [0, 1], and multiply densities by it."""
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


def _neighbours_png(context: EvaluationContext) -> bytes:
    """Draw one row for each sample: the sample, then its nearest training images, nearest first."""
    shown = context.fake[:SHOWN]
    k = min(NEIGHBOURS, len(context.train))
    nearest = metrics.nearest_neighbours(shown, context.train, k).indices
    rows = [torch.cat([image[None], context.train[indices]]) for image, indices in zip(shown, nearest, strict=True)]
    return grid_png(torch.cat(rows), k + 1)


def _latents(painter: Painter, n: int, rng: torch.Generator) -> Tensor:
    return painter.experiment.latent.sample(n, painter.game.latent_shape, rng)


def _path_labels(labels: Tensor) -> Tensor:
    """A label for each sample along the paths: one for each path, in turn those of the samples."""
    return labels[torch.arange(PATHS) % len(labels)].repeat_interleave(ALONG)


def _unit_samples(
    painter: Painter, context: EvaluationContext, latents: Tensor, labels: Tensor | None = None
) -> Tensor:
    """Generate samples with pixels in [0, 1]; points are unchanged."""
    weight = next(painter.game.parameters())
    samples = painter.paint(latents.to(weight.device), labels)
    bounds = context.data.range if context.images else None
    return samples if bounds is None else (samples - bounds[0]) / (bounds[1] - bounds[0])


def _unit(samples: Tensor) -> Tensor:
    return samples.float() / 255 if samples.dtype is torch.uint8 else samples


def _pairs_png(targets: Tensor, nearest: Tensor, errors: Tensor) -> bytes:
    """Draw targets "n c h w" over their reconstructions, from the best to the worst."""
    order = errors.cpu().argsort()
    order = order[torch.linspace(0, len(order) - 1, min(PAIRED, len(order))).round().long()]
    images = to_uint8(nearest.cpu()[order], 0.0, 1.0)
    across = 8
    rows = [torch.cat([targets[order][i : i + across], images[i : i + across]]) for i in range(0, len(order), across)]
    return grid_png(torch.cat(rows), across)
