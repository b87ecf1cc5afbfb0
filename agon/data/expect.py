"""Checks of settings: each raises a SettingError that says what was expected and what it got."""

from collections.abc import Mapping
from typing import Any

from agon.errors import SettingError
from agon.untrusted import is_number


def setting(owner: object, name: str, expected: str, got: object) -> SettingError:
    """Make the error for a field with an unexpected value.

    >>> print(setting(3, "std", "a number above 0", -1))
    int expects std to be a number above 0, got -1
    """
    return SettingError(f"{type(owner).__name__} expects {name} to be {expected}, got {got!r}")


def whole(owner: object, *, least: int, most: int | None = None, **fields: Any) -> None:
    """Check that every field is an int (not a bool) of at least `least` and at most `most`."""
    for name, value in fields.items():
        if type(value) is not int or value < least:
            raise setting(owner, name, f"a whole number of at least {least}", value)
        if most is not None and value > most:
            raise setting(owner, name, f"a whole number of at most {most:,}", value)


def finite(owner: object, **fields: Any) -> None:
    """Check that every field is a finite number."""
    for name, value in fields.items():
        if not is_number(value):
            raise setting(owner, name, "a finite number", value)


def positive(owner: object, **fields: Any) -> None:
    """Check that every field is a finite number above 0."""
    for name, value in fields.items():
        if not is_number(value) or value <= 0:
            raise setting(owner, name, "a number above 0", value)


def interval(owner: object, **fields: Any) -> None:
    """Check that every field is a pair (low, high) of finite numbers with low < high; a list becomes a tuple."""
    for name, value in fields.items():
        pair = tuple(value) if isinstance(value, list | tuple) else ()
        if len(pair) != 2 or not all(map(is_number, pair)) or not pair[0] < pair[1]:
            raise setting(owner, name, "a pair (low, high) of numbers with low < high", value)
        object.__setattr__(owner, name, (float(pair[0]), float(pair[1])))


def flags(owner: object, fields: Mapping[str, Any]) -> None:
    """Check that every field is True or False."""
    for name, value in fields.items():
        if type(value) is not bool:
            raise setting(owner, name, "True or False", value)


def share(owner: object, **fields: Any) -> None:
    """Check that every field is a number from 0 to below 1."""
    finite(owner, **fields)
    for name, value in fields.items():
        if not 0 <= value < 1:
            raise setting(owner, name, "a share from 0 to below 1", value)


def optional_text(owner: object, **fields: Any) -> None:
    """Check that every field is a non-empty string or None."""
    for name, value in fields.items():
        if value is not None and (not isinstance(value, str) or not value):
            raise setting(owner, name, "a word, or None", value)


def split(owner: object, value: object, *, validation: bool = False) -> None:
    """Check that the value is "train" or "test", or "validation" for sources that have this split."""
    splits = ("train", "validation", "test") if validation else ("train", "test")
    if value not in splits:
        raise setting(owner, "split", " or ".join(map(repr, splits)), value)
