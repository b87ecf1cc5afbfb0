"""Battles as a table: the two ratios with their intervals, the paper's verdict, and what the samples can tell."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from agon.report.colours import colour
from agon.report.reading import Score, View
from agon.report.scores import number


class Row(NamedTuple):
    """One battle, told from the run's side."""

    run: str
    colour: str
    opponent: str
    test: str
    sample: str
    winner: str
    verdict: str
    reason: str
    critics: list[str]


def rows(views: Sequence[View]) -> list[Row]:
    """The latest battle of each run with each opponent."""
    newest: dict[tuple[int, str], tuple[View, Score]] = {}
    for index, view in enumerate(views):
        for score in view.scores:
            if score.name == "battle":
                newest[index, str(score.detail.get("opponent"))] = view, score
    return [_row(index, view, score) for (index, _), (view, score) in newest.items()]


def _row(index: int, view: View, score: Score) -> Row:
    told = score.detail
    return Row(
        run=view.name,
        colour=colour(index),
        opponent=str(told.get("opponent", "?")),
        test=_ratio(told.get("r_test"), told.get("r_test_interval")),
        sample=_ratio(score.value, score.interval),
        winner=str(told.get("winner", "?")),
        verdict=str(told.get("verdict", "?")),
        reason=str(told.get("reason", "")),
        critics=[_critic(each) for each in told.get("critics") or [] if isinstance(each, dict)],
    )


def _ratio(value: object, interval: object) -> str:
    text = number(value) if isinstance(value, int | float) else "?"
    if isinstance(interval, list | tuple) and len(interval) == 2:
        text += f" [{number(interval[0], 3)}, {number(interval[1], 3)}]"
    return text


def _critic(told: dict[str, Any]) -> str:
    """A critic's error rates in words."""
    kinds = {"test": "real", "foreign": "the other's", "own": "its own", "train": "training"}
    rates = [
        f"{words} {number(told[kind]['value'], 3)}"
        for kind, words in kinds.items()
        if isinstance(told.get(kind), dict) and isinstance(told[kind].get("value"), int | float)
    ]
    return f"{told.get('name', '?')}'s critic errs on samples: {', '.join(rates)}; {told.get('protocol', '')}"
