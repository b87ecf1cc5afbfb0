"""Metz, Poole, Pfau, Sohl-Dickstein 2017, "Unrolled generative adversarial networks"."""

from agon.recipes.metz2017 import images, ring
from agon.recipes.metz2017.ring import RING_K0, RING_K10

RECIPES = (*ring.RECIPES, *images.RECIPES)

__all__ = ["RECIPES", "RING_K0", "RING_K10"]
