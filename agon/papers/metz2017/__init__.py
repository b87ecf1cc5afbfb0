"""Metz, Poole, Pfau, Sohl-Dickstein 2017, "Unrolled generative adversarial networks"."""

from agon.papers.metz2017 import columns, pairs
from agon.papers.metz2017.figure1 import FIGURE_1

_SHOWN = {item.name: item for item in (FIGURE_1, *columns.ITEMS, *pairs.ITEMS)}
ITEMS = tuple(_SHOWN[f"metz2017/{name}"] for name in ("table1", *(f"figure{k}" for k in range(1, 11))))

__all__ = ["FIGURE_1", "ITEMS"]
