"""Yamazaki 2017, "On depth and complexity of generative adversarial networks"."""

from agon.papers.yamazaki2017 import clouds, courses, losses, samples
from agon.papers.yamazaki2017.endless import APPENDIX_C
from agon.papers.yamazaki2017.figure515 import FIGURE_5_15
from agon.papers.yamazaki2017.table51 import TABLE_5_1

ITEMS = (
    *clouds.CAPACITY,
    *losses.CAPACITY,
    TABLE_5_1,
    *courses.FIGURES,
    *samples.FIGURES,
    FIGURE_5_15,
    *losses.UNBALANCED,
    *clouds.UNBALANCED,
    APPENDIX_C,
)

__all__ = ["ITEMS"]
