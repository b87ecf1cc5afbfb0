"""Im, Kim, Jiang, Memisevic 2016, "Generating images with recurrent adversarial networks"."""

from agon.recipes.im2016.choices import RATES
from agon.recipes.im2016.trainings import RECIPES

__all__ = ["RATES", "RECIPES"]
