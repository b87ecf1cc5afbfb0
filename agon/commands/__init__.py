"""The commands that are more than a call: their arguments, and what they do with them."""

from agon.commands.battle import Battle
from agon.commands.evaluate import Evaluate
from agon.commands.train import Train

__all__ = ["Battle", "Evaluate", "Train"]
