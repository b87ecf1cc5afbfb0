"""Im, Kim, Jiang, Memisevic 2016, "Generating images with recurrent adversarial networks"."""

from agon.papers.im2016 import neighbours, samples, steps
from agon.papers.im2016.table1 import TABLE_1
from agon.papers.im2016.table2 import TABLE_2

ITEMS = (TABLE_1, TABLE_2, *samples.ITEMS, *neighbours.ITEMS, *steps.ITEMS)

__all__ = ["ITEMS"]
