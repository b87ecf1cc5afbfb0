"""A paper's table or figure by one command: trainings, scores over seeds, pictures, and all numbers behind them."""

from agon.recipes import ITEMS
from agon.reproduce.intervals import interval
from agon.reproduce.page import page
from agon.reproduce.reproducing import reproduce

__all__ = ["ITEMS", "interval", "page", "reproduce"]
