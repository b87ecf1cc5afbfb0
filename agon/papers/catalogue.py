"""All items of the five papers, and the search for one by its name."""

import re

from agon.errors import SettingError, unknown
from agon.papers import argan2018, im2016, metz2017, tabak2016, yamazaki2017
from agon.papers.item import Item

LISTED: tuple[Item, ...] = (*argan2018.ITEMS, *im2016.ITEMS, *metz2017.ITEMS, *tabak2016.ITEMS, *yamazaki2017.ITEMS)


def _place(item: Item) -> tuple[object, ...]:
    """The sort key: by number within a paper, figure 9 before figure 10; an appendix's figures and tables come last."""
    paper, _, short = item.name.partition("/")
    numbers = [int(digits) for digits in re.findall(r"[0-9]+", short)]
    return paper, short.rstrip("0123456789."), numbers


ITEMS = {item.name: item for item in sorted(LISTED, key=_place)}


def find_item(name: str) -> Item:
    """Find a table or figure by its name.

    Raises:
        SettingError: no item has that name; the message suggests the nearest.
    """
    if name not in ITEMS:
        raise SettingError(unknown("item", name, ITEMS))
    return ITEMS[name]


def items(name: str) -> list[str]:
    """Names of all items of a paper, or of the one item with that name.

    Raises:
        SettingError: no paper or item has that name; the message suggests the nearest.
    """
    of_paper = [item for item in ITEMS if item.startswith(f"{name}/")]
    return of_paper or [find_item(name).name]
