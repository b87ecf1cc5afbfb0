"""Yamazaki 2017, "On depth and complexity of generative adversarial networks"."""

from agon.papers.yamazaki2017 import clouds, losses, samples, scores

ITEMS = (
    *clouds.CAPACITY,
    *losses.CAPACITY,
    *scores.ITEMS,
    *samples.ITEMS,
    *losses.UNBALANCED,
    *clouds.UNBALANCED,
)

__all__ = ["ITEMS"]
