"""Tabak 2016, "Generative adversarial networks" (a course report)."""

from agon.papers.tabak2016.figure2 import FIGURE_2
from agon.papers.tabak2016.figure3 import FIGURE_3
from agon.papers.tabak2016.figure4 import FIGURE_4

ITEMS = (FIGURE_2, FIGURE_3, FIGURE_4)

__all__ = ["ITEMS"]
