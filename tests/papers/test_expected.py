"""What was expected is written before what is seen, or it says that it was not."""

from dataclasses import replace
from datetime import date

import pytest

from agon.papers import ITEMS, find_item
from agon.papers.expected import digest, expected, sentence
from tools import pages

CLAIMED = [name for name, item in ITEMS.items() if item.expects]


def test_every_item_with_expectations_is_listed() -> None:
    assert list(expected()) == CLAIMED


@pytest.mark.parametrize("name", CLAIMED)
def test_the_date_is_that_of_the_expectations_of_today(name: str) -> None:
    """If this fails, an expectation has changed: python -m tools.expected "what and why"."""
    known = expected()[name]
    assert known.digest == digest(find_item(name))
    assert date.fromisoformat(known.date)
    assert (known.first_date is not None) >= (pages.numbers_of(name) is not None)
    if known.first_date is not None and known.date < known.first_date:
        assert not known.after
    if known.first_date is not None and known.date > known.first_date:
        assert known.after
    assert known.after <= bool(known.because)


def test_another_bound_is_another_expectation_and_other_words_are_not() -> None:
    item = find_item("tabak2016/figure4")
    first, *others = item.expects
    assert digest(replace(item, expects=[replace(first, says="in other words"), *others])) == digest(item)
    for changed in (replace(first, row="DCGAN, 1 epoch"), replace(first, direction=0.5)):
        assert digest(replace(item, expects=[changed, *others])) != digest(item)
    table = find_item("argan2018/table1")
    assert digest(replace(table, expects=[replace(each, second=None) for each in table.expects])) != digest(table)


def test_the_page_says_which_came_first() -> None:
    for name in CLAIMED:
        if expected()[name].first_date is None:
            continue
        order = "**after** the first result" if expected()[name].after else "before the first result"
        assert order in sentence(name)
        assert sentence(name) in pages.page_of(name).read_text()
    assert sentence("no item") == ""
