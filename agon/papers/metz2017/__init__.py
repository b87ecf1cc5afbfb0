"""Metz, Poole, Pfau, Sohl-Dickstein 2017, "Unrolled generative adversarial networks"."""

from agon.papers.metz2017.figure1 import FIGURE_1
from agon.papers.metz2017.figure2 import FIGURE_2
from agon.papers.metz2017.figure3 import FIGURE_3
from agon.papers.metz2017.figure4 import APPENDIX_D, FIGURE_4
from agon.papers.metz2017.figure5 import FIGURE_5
from agon.papers.metz2017.second_term import SECTION_2_4
from agon.papers.metz2017.sections import ITEMS as SECTIONS
from agon.papers.metz2017.table1 import TABLE_1

ITEMS = (TABLE_1, FIGURE_1, FIGURE_2, FIGURE_3, FIGURE_4, FIGURE_5, *APPENDIX_D, SECTION_2_4, *SECTIONS)

__all__ = ["ITEMS"]
