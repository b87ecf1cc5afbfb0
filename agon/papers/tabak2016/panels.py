"""The rows of figures 3 and 4 and their trainings, as tables and pictures call them."""

from agon.recipes.recipe import by_name
from agon.recipes.tabak2016 import RECIPES

TRAININGS = by_name(RECIPES)
DIGITS = range(10)
DIGIT = 2  # of figure 3
PAIRS = {  # panel: what the generator ends in, layers of the critic, end of the recipe's name
    "(a)": ("tanh", 3, ""),
    "(b)": ("linear", 3, "-linear"),
    "(c)": ("linear", 4, "-linear-d4"),
}
ALL, DATA = "(a) all digits", f"data: {DIGIT}"
ONE, TWO, VECTORS = "DCGAN, 1 epoch", "DCGAN, 2 epochs", "vectors"
