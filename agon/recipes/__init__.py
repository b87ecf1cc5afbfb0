"""One module a paper, each a page of sentences in the library's own parts."""

from agon.errors import SettingError, unknown
from agon.recipes import first, metz2017, radford2015
from agon.recipes.item import Item
from agon.recipes.recipe import Recipe, Scale

LISTED: tuple[Recipe, ...] = (
    first.DIGITS,
    first.RING,
    *metz2017.RECIPES,
    radford2015.DCGAN,
)

RECIPES = {recipe.name: recipe for recipe in LISTED}

ITEMS = {item.name: item for item in (metz2017.FIGURE_1,)}


def find(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        SettingError: there is none; the sentence names the nearest.
    """
    if name not in RECIPES:
        raise SettingError(unknown("recipe", name, RECIPES))
    return RECIPES[name]


def find_item(name: str) -> Item:
    """The table or figure of that name.

    Raises:
        SettingError: there is none; the sentence names the nearest.
    """
    if name not in ITEMS:
        raise SettingError(unknown("item", name, ITEMS))
    return ITEMS[name]


__all__ = ["ITEMS", "RECIPES", "Item", "Recipe", "Scale", "find", "find_item"]
