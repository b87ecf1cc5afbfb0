"""One module a paper, each a page of sentences in the library's own parts."""

import re

from agon.errors import SettingError, unknown
from agon.recipes import (
    argan2018,
    arjovsky2017,
    berthelot2017,
    first,
    gulrajani2017,
    huang2024,
    im2016,
    mao2016,
    metz2017,
    miyato2018,
    radford2015,
    tabak2016,
    yamazaki2017,
    zhao2016,
)
from agon.recipes.item import Item
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale

LISTED: tuple[Recipe, ...] = (
    *argan2018.RECIPES,
    first.DIGITS,
    first.RING,
    *im2016.RECIPES,
    *metz2017.RECIPES,
    *tabak2016.RECIPES,
    radford2015.DCGAN,
    *mao2016.RECIPES,
    *zhao2016.RECIPES,
    *arjovsky2017.RECIPES,
    *gulrajani2017.RECIPES,
    *berthelot2017.RECIPES,
    *miyato2018.RECIPES,
    *huang2024.RECIPES,
    *yamazaki2017.RECIPES,
)

RECIPES = {recipe.name: recipe for recipe in LISTED}

SHOWN: tuple[Item, ...] = (*argan2018.ITEMS, *im2016.ITEMS, *metz2017.ITEMS, *tabak2016.ITEMS, *yamazaki2017.ITEMS)


def _place(item: Item) -> tuple[object, ...]:
    """By the numbers within a paper: figure 9 before figure 10, figures of an appendix and then tables last."""
    paper, _, short = item.name.partition("/")
    numbers = [int(digits) for digits in re.findall(r"[0-9]+", short)]
    return paper, short.rstrip("0123456789."), numbers


ITEMS = {item.name: item for item in sorted(SHOWN, key=_place)}


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


def items(name: str) -> list[str]:
    """The names of all items of a paper, or of the one that is named.

    Raises:
        SettingError: there is none; the sentence names the nearest.
    """
    of_paper = [each for each in ITEMS if each.startswith(f"{name}/")]
    return of_paper or [find_item(name).name]


__all__ = ["ITEMS", "RECIPES", "Item", "Recipe", "Scale", "find", "find_item", "items"]
