"""The paper's trainings by name: items share them."""

from agon.recipes.im2016 import autoencoders, gran

RECIPES = (*gran.RECIPES, *autoencoders.RECIPES)
TRAININGS = {recipe.name.rpartition("/")[2]: recipe for recipe in RECIPES}
