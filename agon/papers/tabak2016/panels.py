"""The rows of figures 3 and 4 and their trainings, under the names of tables and pictures."""

from agon.recipes.recipe import by_name
from agon.recipes.tabak2016 import RECIPES

TRAININGS = by_name(RECIPES)
DIGITS = range(10)
DIGIT = 2  # the digit in figure 3
PAIRS = {  # panel: the generator's last activation, layers of the critic, suffix of the recipe's name
    "(a)": ("tanh", 3, ""),
    "(b)": ("linear", 3, "-linear"),
    "(c)": ("linear", 4, "-linear-d4"),
}
ALL, DATA = "(a) all digits", f"data: {DIGIT}"
ONE, TWO, VECTORS = "DCGAN, 1 epoch", "DCGAN, 2 epochs", "vectors"
