"""Scores that ask the generator for more samples: the best ones for given images, and those along paths."""

from functools import partial

import torch
from torch import Tensor

from agon import metrics
from agon.data.points import Toy
from agon.errors import SettingError
from agon.evaluate.evidence import Evidence, Measured, Painter
from agon.figures.pictures import grid_png, to_uint8
from agon.latents import linear, spherical
from agon.metrics import Score
from agon.samples.reading import real_samples
from agon.training.randomness import stream

TARGETS = 1_280  # training images that are searched for
STARTS = 3
PATHS, STEPS = 64, 16  # paths between random latents, and samples on each
SHOWN = 32  # targets in the picture, spread from the best found to the worst


def reconstruction(evidence: Evidence, *, targets: int = TARGETS) -> Measured:
    """How near the generator can come to random training images: the mean squared error of pixels from 0 to 1."""
    painter = _painter(evidence, "reconstruction")
    seed = evidence.data_seed if isinstance(evidence.data, Toy) else evidence.seed
    wanted = real_samples(evidence.data, min(targets, evidence.n), seed=seed)
    latent = partial(_latents, painter)
    numbers = partial(_numbers, painter, evidence)
    found = metrics.reconstruct(numbers, _unit(wanted), latent, STARTS, seed=evidence.seed)
    pictures = {"reconstruction": _pairs(wanted, found.images, found.errors)} if evidence.images else {}
    images = to_uint8(found.images.float().cpu(), 0.0, 1.0) if evidence.images else found.images.float().cpu()
    arrays = {"errors": found.errors.float().cpu(), "images": images, "targets": wanted}
    return Measured([found.score()], pictures, arrays)


def paths(evidence: Evidence) -> Measured:
    """How evenly samples change along straight and spherical paths between random latents."""
    painter = _painter(evidence, "paths")
    rng = stream(evidence.seed, "paths")
    ends = painter.experiment.latent.sample(2 * PATHS, painter.game.latent_shape, rng)
    scores: list[Score] = []
    for name, walk in {"linear": linear, "spherical": spherical}.items():
        latents = torch.cat([walk(ends[2 * i], ends[2 * i + 1], STEPS) for i in range(PATHS)])
        with torch.no_grad():
            made = torch.cat([_numbers(painter, evidence, part).cpu() for part in torch.split(latents, 256)])
        scores += metrics.path_smoothness(made.reshape(PATHS, STEPS, *made.shape[1:]), name)
    return Measured(scores)


def _painter(evidence: Evidence, metric: str) -> Painter:
    if evidence.painter is None:
        raise SettingError(f"--metrics {metric}: expected a run, whose generator can be asked; got samples alone")
    return evidence.painter


def _latents(painter: Painter, n: int, rng: torch.Generator) -> Tensor:
    return painter.experiment.latent.sample(n, painter.game.latent_shape, rng)


def _numbers(painter: Painter, evidence: Evidence, latents: Tensor) -> Tensor:
    """Samples with pixels from 0 to 1; points as they are."""
    weight = next(painter.game.parameters())
    samples = painter.paint(latents.to(weight.device))
    bounds = evidence.data.range
    return samples if bounds is None else (samples - bounds[0]) / (bounds[1] - bounds[0])


def _unit(samples: Tensor) -> Tensor:
    return samples.float() / 255 if samples.dtype is torch.uint8 else samples


def _pairs(wanted: Tensor, found: Tensor, errors: Tensor) -> bytes:
    """Targets over what was found for them, from the best to the worst."""
    order = errors.cpu().argsort()
    order = order[torch.linspace(0, len(order) - 1, min(SHOWN, len(order))).round().long()]
    images = to_uint8(found.cpu()[order], 0.0, 1.0)
    across = 8
    rows = [torch.cat([wanted[order][i : i + across], images[i : i + across]]) for i in range(0, len(order), across)]
    return grid_png(torch.cat(rows), across)
