"""Few combinations of many choices in which every pair of choices meets at least once."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

Row = dict[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]


def always(row: Row) -> bool:
    return True


def pairs_of(row: Row) -> set[Pair]:
    """Every two of a row's choices, in the order of their factors' names."""
    return set(combinations(sorted(row.items()), 2))


def product(factors: Mapping[str, Sequence[str]], allowed: Callable[[Row], bool] = always) -> Iterator[Row]:
    """Every allowed combination; a partial row is allowed if `allowed` finds nothing against it."""
    rows: list[Row] = [{}]
    for name, choices in factors.items():
        rows = [{**row, name: choice} for row in rows for choice in choices if allowed({**row, name: choice})]
    yield from rows


def covering(
    factors: Mapping[str, Sequence[str]], allowed: Callable[[Row], bool] = always, tries: int = 20
) -> list[Row]:
    """Rows that contain every allowed pair: each begins with a pair still missing, and is filled up greedily.

    (After Cohen et al. 1997, "The AETG system", without its random order of factors for the first pair.)
    """
    rng = random.Random(0)
    missing = {pair for one, two in combinations(factors, 2) for pair in _pairs(factors, one, two, allowed)}
    rows = []
    while missing:
        begun = min(missing)
        found = [_filled(dict(begun), factors, missing, allowed, rng) for _ in range(tries)]
        best = max((row for row in found if row), key=lambda row: len(pairs_of(row) & missing))
        missing -= pairs_of(best)
        rows.append(best)
    return rows


def _pairs(factors: Mapping[str, Sequence[str]], one: str, two: str, allowed: Callable[[Row], bool]) -> Iterator[Pair]:
    for row in product({one: factors[one], two: factors[two]}, allowed):
        yield from pairs_of(row)


def _filled(
    row: Row,
    factors: Mapping[str, Sequence[str]],
    missing: set[Pair],
    allowed: Callable[[Row], bool],
    rng: random.Random,
) -> Row:
    """The row with a choice for every factor, each the one that meets most missing pairs; empty if none is allowed."""
    names = [name for name in factors if name not in row]
    rng.shuffle(names)
    for name in names:
        choices = [choice for choice in factors[name] if allowed({**row, name: choice})]
        if not choices:
            return {}
        rng.shuffle(choices)
        row = max(({**row, name: choice} for choice in choices), key=lambda each: len(pairs_of(each) & missing))
    return row
