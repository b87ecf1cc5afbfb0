"""The paper's trainings by name, which items share."""

from agon.recipes.im2016 import autoencoders, gran
from agon.recipes.recipe import by_name

RECIPES = (*gran.RECIPES, *autoencoders.RECIPES)
TRAININGS = by_name(RECIPES)
