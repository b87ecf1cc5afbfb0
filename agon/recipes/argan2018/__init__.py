"""Yazıcı, Yap, Winkler 2018, "Autoregressive generative adversarial networks"."""

from agon.recipes.argan2018.items import ITEMS
from agon.recipes.argan2018.trainings import RECIPES

__all__ = ["ITEMS", "RECIPES"]
