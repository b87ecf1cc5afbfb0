"""Metz, Poole, Pfau, Sohl-Dickstein 2017, "Unrolled generative adversarial networks"."""

from agon.recipes.metz2017 import columns, images, pairs, ring
from agon.recipes.metz2017.ring import FIGURE_1, RING_K0, RING_K10

RECIPES = (*ring.RECIPES, *images.RECIPES)
_SHOWN = {item.name: item for item in (*ring.ITEMS, *columns.ITEMS, *pairs.ITEMS)}
ITEMS = tuple(_SHOWN[f"metz2017/{name}"] for name in ("table1", *(f"figure{k}" for k in range(1, 11))))

__all__ = ["FIGURE_1", "ITEMS", "RECIPES", "RING_K0", "RING_K10"]
