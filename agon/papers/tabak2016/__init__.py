"""Tabak 2016, "Generative adversarial networks" (a course report)."""

from agon.papers.tabak2016 import digits, gaussians

ITEMS = (*gaussians.ITEMS, *digits.ITEMS)

__all__ = ["ITEMS"]
