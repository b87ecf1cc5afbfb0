"""Scores of the samples themselves: distances among them, and to the real ones they may have been copied from."""

from dataclasses import replace

import torch
from torch import Tensor

from agon import metrics
from agon.errors import Change, DataError
from agon.evaluate.evidence import ALL, Evidence, Measured
from agon.figures.pictures import grid_png
from agon.metrics import Score

PAIRS = 10_000
SHOWN, NEIGHBOURS = 8, 7  # rows and, after the sample itself, columns of the picture


def pairwise(evidence: Evidence) -> Measured:
    """How far the distribution of distances between random pairs of samples is from that of the data."""
    score = metrics.pairwise_distance_gap(evidence.real, evidence.fake, pairs=PAIRS)
    return Measured([_in_units(score, 255) if evidence.images else score])


def neighbours(evidence: Evidence) -> Measured:
    """Whether samples lie nearer to training images than to held-out ones, and the nearest ones to look at.

    Raises:
        DataError: training data without end, or nothing is held out.
    """
    train, held = evidence.data.count("train"), evidence.data.count("test")
    if train is None or held is None:
        raise DataError(
            "--metrics neighbours: expected a finite set of training data, got one without an end or a known size; "
            "of an endless set nothing can be copied"
        )
    if not held:
        some = Change("data.holdout", 0.1)
        raise DataError(f"--metrics neighbours: expected held-out samples, got none; set {some}", some)
    score = metrics.memorisation(evidence.fake, evidence.train, evidence.held)
    if train > ALL:
        score = replace(score, protocol=f"{score.protocol}; the first {ALL:,} of {train:,} training images")
    if evidence.images:
        score = _in_units(score, 255)
    pictures = {"neighbours": _picture(evidence)} if evidence.images else {}
    return Measured([_beside_held(score, evidence.train, evidence.held)], pictures)


def _beside_held(score: Score, train: Tensor, held: Tensor) -> Score:
    """With what held-out images would get: less than 0.5 where they come from elsewhere, as other writers' digits."""
    if len(held) < 2:
        return score
    honest = metrics.memorisation(held[::2], train, held[1::2]).value
    return replace(score, detail={**score.detail, "held": honest, "told": f"held-out images get {honest:.3f}"})


def _in_units(score: Score, unit: float) -> Score:
    """Distances of bytes as those of pixels from 0 to 1; their densities the other way round."""
    detail = dict(score.detail)
    for name in ("median_train", "median_held"):
        if name in detail:
            detail[name] = detail[name] / unit
    told = dict(detail.get("distribution", {}))
    if told:
        told["edges"] = [edge / unit for edge in told["edges"]]
        told |= {side: [density * unit for density in told[side]] for side in ("data", "model")}
        told["medians"] = {side: median / unit for side, median in told.get("medians", {}).items()}
        detail["distribution"] = told
    return replace(score, detail=detail)


def _picture(evidence: Evidence) -> bytes:
    """A row a sample: itself, then its nearest training images, the nearest first."""
    shown = evidence.fake[:SHOWN]
    k = min(NEIGHBOURS, len(evidence.train))
    found = metrics.nearest_neighbours(shown, evidence.train, k).indices
    rows = [torch.cat([image[None], evidence.train[at]]) for image, at in zip(shown, found, strict=True)]
    return grid_png(torch.cat(rows), k + 1)
