"""Im, Kim, Jiang, Memisevic 2016, "Generating images with recurrent adversarial networks"."""

from agon.papers.im2016 import neighbours, samples, steps
from agon.papers.im2016.section3 import SECTION_3
from agon.papers.im2016.section4 import SECTION_4
from agon.papers.im2016.section5 import SECTION_5
from agon.papers.im2016.table1 import TABLE_1
from agon.papers.im2016.table2 import TABLE_2

ITEMS = (TABLE_1, TABLE_2, *samples.ITEMS, *neighbours.ITEMS, *steps.ITEMS, SECTION_3, SECTION_4, SECTION_5)

__all__ = ["ITEMS"]
