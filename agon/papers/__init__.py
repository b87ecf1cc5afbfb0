"""Tables and figures of the five papers: trainings, scores over seeds, pictures, and all numbers behind them."""

from agon.metrics.intervals import interval
from agon.papers.catalogue import ITEMS, find_item, items
from agon.papers.item import Item
from agon.papers.page import page
from agon.papers.reproducing import reproduce

__all__ = ["ITEMS", "Item", "find_item", "interval", "items", "page", "reproduce"]
