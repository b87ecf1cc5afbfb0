"""An item restricted to some of its rows: what a row does not need is not trained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agon.errors import SettingError, unknown
from agon.papers.expectation import Expectation
from agon.papers.item import Item

ALL = "leave --rows out to make all of it"


def with_rows(item: Item, words: Sequence[str]) -> Item:
    """Return the item with the rows that any of the words names, their trainings, and what is expected of them.

    A word names a row if it occurs in its label, or in the label or the recipe of a training that it needs, whatever
    the case: of im2016's table 1, "mnist" names two rows and three trainings. A training that belongs to no row, which
    others are compared with, is always made.

    >>> from agon.papers import find_item
    >>> list(with_rows(find_item("im2016/table1"), ["mnist: gran1 vs. gran3"]).trainings)
    ['MNIST: GRAN1', 'MNIST: GRAN3']

    Args:
        item: the table or figure.
        words: none for the whole item.

    Raises:
        SettingError: the item is one piece, or a word names no row of it.
    """
    if not words:
        return item
    if not item.rows:
        raise SettingError(f"--rows: {item.name} is one piece, whose rows are compared with each other; {ALL}")
    named = {row for word in words for row in _named(item, word)}
    rows = {row: labels for row, labels in item.rows.items() if row in named}
    spare = {label for row in item.rows.keys() - rows.keys() for label in item.rows[row]}
    needed = {label for labels in rows.values() for label in labels} | (item.trainings.keys() - spare)
    return replace(
        item,
        rows=rows,
        trainings={label: recipe for label, recipe in item.trainings.items() if label in needed},
        expects=[each for each in item.expects if _compared(each) & item.rows.keys() <= rows.keys()],
        published={row: values for row, values in item.published.items() if row not in item.rows or row in rows},
    )


def _named(item: Item, word: str) -> list[str]:
    """The rows that a word names."""
    recipes = {label: recipe.name for label, recipe in item.trainings.items()}
    found = [
        row for row, labels in item.rows.items() if any(_occurs(word, text) for text in _texts(row, labels, recipes))
    ]
    if not found:
        raise SettingError(unknown("row", word, item.rows))
    return found


def _texts(row: str, labels: Sequence[str], recipes: Mapping[str, str]) -> list[str]:
    """What a row can be called by."""
    return [row, *labels, *(recipes[label] for label in labels)]


def _occurs(word: str, text: str) -> bool:
    return word.casefold() in text.casefold()


def _compared(expectation: Expectation) -> set[str]:
    """The rows that an expectation compares."""
    return {each for each in (expectation.row, expectation.bound, expectation.direction) if isinstance(each, str)}
