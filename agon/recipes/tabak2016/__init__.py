"""Tabak 2016, "Generative adversarial networks" (a course report)."""

from agon.recipes.tabak2016 import digits, gaussians
from agon.recipes.tabak2016.trainings import RECIPES

ITEMS = (*gaussians.ITEMS, *digits.ITEMS)

__all__ = ["ITEMS", "RECIPES"]
