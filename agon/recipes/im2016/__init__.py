"""Im, Kim, Jiang, Memisevic 2016, "Generating images with recurrent adversarial networks"."""

from agon.recipes.im2016 import autoencoders, gran

RECIPES = (*gran.RECIPES, *autoencoders.RECIPES)

__all__ = ["RECIPES"]
