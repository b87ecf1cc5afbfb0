"""When an item's expectations were last changed, against its first result: from expected.json beside this file.

`python -m tools.expected` keeps the file from the declarations and from the history of the project's pages.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from agon.papers.expectation import Expectation
from agon.papers.item import Item

FILE = Path(__file__).with_name("expected.json")


class Expected(NamedTuple):
    """The history of an item's expectations.

    Attributes:
        digest: of the expectations as they are declared, see `digest`.
        date: when they were last changed.
        revision: the revision that changed them; one that ends in "+" is the last one before the change.
        first_date: when the item's first result was committed; None if it has none.
        first_revision: the revision of that.
        after: whether the expectations were changed after that.
        because: what was changed and why, if it was after.
    """

    digest: str
    date: str
    revision: str
    first_date: str | None = None
    first_revision: str | None = None
    after: bool = False
    because: str = ""


@cache
def expected() -> Mapping[str, Expected]:
    """Name of an item -> the history of its expectations, for every item that has some."""
    return {name: Expected(**values) for name, values in json.loads(FILE.read_text()).items()}


def digest(item: Item) -> str:
    """What tells whether expectations have changed: scores, rows, sides, bounds and judges, but not their words."""
    return hashlib.sha256(json.dumps([_compared(each) for each in item.expects]).encode()).hexdigest()[:16]


def _compared(each: Expectation) -> list[object]:
    """What an expectation compares; what few have comes last, and is not there for the others."""
    beyond = [each.beyond] if each.beyond else []
    second = [{"second": each.second}] if each.second else []
    return [each.score, each.row, each.sign, each.bound, each.direction, *beyond, *second]


def sentence(name: str) -> str:
    """A sentence for an item's page: whether what was expected was written before what is seen; empty if unknown."""
    if name not in expected():
        return ""
    known = expected()[name]
    since = f"The expectations were last changed on {known.date} ({_revision(known.revision)})"
    if known.first_date is None:
        return f"{since}; there is no result yet."
    order = "**after**" if known.after else "before"
    because = f" {known.because}" if known.because else ""
    return f"{since}, {order} the first result ({known.first_date}, `{known.first_revision}`).{because}"


def _revision(revision: str) -> str:
    return f"on top of `{revision[:-1]}`" if revision.endswith("+") else f"`{revision}`"
