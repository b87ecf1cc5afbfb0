"""One module a paper, each a page of sentences in the library's own parts."""

from agon.errors import SettingError, unknown
from agon.recipes import first, radford2015
from agon.recipes.recipe import Recipe, Scale

RECIPES = {recipe.name: recipe for recipe in (first.DIGITS, first.RING, radford2015.DCGAN)}


def find(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        SettingError: there is none; the sentence names the nearest.
    """
    if name not in RECIPES:
        raise SettingError(unknown("recipe", name, RECIPES))
    return RECIPES[name]


__all__ = ["RECIPES", "Recipe", "Scale", "find"]
