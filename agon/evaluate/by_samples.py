"""Scores of the samples themselves: distances among them, and to the real ones they may have been copied from."""

import torch

from agon import metrics
from agon.errors import DataError
from agon.evaluate.evidence import Evidence, Measured
from agon.pictures import grid_png

PAIRS = 10_000
SHOWN, NEIGHBOURS = 8, 7  # rows and, after the sample itself, columns of the picture


def pairwise(evidence: Evidence) -> Measured:
    """How far the distribution of distances between random pairs of samples is from that of the data."""
    real, fake = evidence.numbers(evidence.real), evidence.numbers(evidence.fake)
    return Measured([metrics.pairwise_distance_gap(real, fake, pairs=PAIRS)])


def neighbours(evidence: Evidence) -> Measured:
    """Whether samples lie nearer to training images than to held-out ones, and the nearest ones to look at.

    Raises:
        DataError: nothing is held out.
    """
    if evidence.data.count("test") == 0:
        raise DataError("--metrics neighbours: expected held-out samples, got none; set data.holdout above 0")
    train, held, fake = (evidence.numbers(each) for each in (evidence.train, evidence.held, evidence.fake))
    pictures = {"neighbours": _picture(evidence)} if evidence.images else {}
    return Measured([metrics.memorisation(fake, train, held)], pictures)


def _picture(evidence: Evidence) -> bytes:
    """A row a sample: itself, then its nearest training images, the nearest first."""
    shown = evidence.fake[:SHOWN]
    k = min(NEIGHBOURS, len(evidence.train))
    found = metrics.nearest_neighbours(evidence.numbers(shown), evidence.numbers(evidence.train), k).indices
    rows = [torch.cat([image[None], evidence.train[at]]) for image, at in zip(shown, found, strict=True)]
    return grid_png(torch.cat(rows), k + 1)
