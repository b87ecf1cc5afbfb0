"""Battles as tables: two critics' ratios with their intervals and verdicts; one critic's error on others' samples."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from agon.figures.colours import colour
from agon.figures.numbers import UNKNOWN, number
from agon.report.reading import Object, Score, View, finite, ordered
from agon.report.scores import uncertainty
from agon.runs import ends


class Row(NamedTuple):
    """One battle, told from the run's side, as in im2016's Table 1."""

    run: str
    colour: str
    opponent: str
    test: str
    sample: str
    winner: str
    verdict: str
    reason: str
    critics: list[str]


class Error(NamedTuple):
    """A critic's error on samples without a critic, as in im2016's Table 2; no colour if its run is not shown."""

    judge: str
    colour: str
    opponent: str
    value: str
    uncertainty: str
    n: str


def rows(views: Sequence[View]) -> list[Row]:
    """The latest battle of each run with each opponent."""
    called = _called(views)
    newest = {(index, score.opponent): score for index, score in _scores(views, "battle")}
    return [_row(index, views[index], score, called) for (index, _), score in newest.items()]


def errors(views: Sequence[View]) -> list[Error]:
    """The latest error of each critic on each opponent's samples; both runs record it, and it is told once."""
    called = _called(views)
    newest = {(_judge(index, score), score.opponent): (index, score) for index, score in _scores(views, "error")}
    return [_error(index, views, score, called) for index, score in newest.values()]


def _scores(views: Sequence[View], name: str) -> Iterator[tuple[int, Score]]:
    for index, view in enumerate(views):
        for score in ordered(view.scores):
            if score.name == name and score.opponent is not None:
                yield index, score


def _judge(index: int, score: Score) -> object:
    """Who was asked: a place is the same in every run, a mere name need not be."""
    return score.judge if _is_place(score.judge) else (index, score.judge)


def _called(views: Sequence[View]) -> dict[str, str]:
    """Place -> name, of the runs that are shown and of all others that they fought: the shortest that differ."""
    shown = {str(view.path.resolve()): view.name for view in views}
    fought = [place for view in views for score in view.scores for place in (score.judge, score.opponent)]
    places = list(dict.fromkeys([*shown, *(place for place in fought if place is not None and _is_place(place))]))
    return {**dict(zip(places, ends([PurePath(place) for place in places]), strict=True)), **shown}


def _is_place(told: str | None) -> bool:
    return told is not None and PurePath(told).is_absolute()


def _row(index: int, view: View, score: Score, called: dict[str, str]) -> Row:
    told = score.detail
    critics = told.get("critics")
    return Row(
        run=view.name,
        colour=colour(index),
        opponent=called.get(str(score.opponent), str(score.opponent or "?")),
        test=_ratio(told.get("r_test"), told.get("r_test_interval")),
        sample=_ratio(score.value, score.interval),
        winner=str(told.get("winner", "?")),
        verdict=str(told.get("verdict", "?")),
        reason=str(told.get("reason", "")),
        critics=[_critic(each) for each in critics if isinstance(each, dict)] if isinstance(critics, list) else [],
    )


def _error(index: int, views: Sequence[View], score: Score, called: dict[str, str]) -> Error:
    colours = {str(view.path.resolve()): colour(at) for at, view in enumerate(views)}
    return Error(
        judge=called.get(str(score.judge), score.judge or views[index].name),
        colour=colours.get(str(score.judge), "" if score.judge else colour(index)),
        opponent=called.get(str(score.opponent), score.opponent or UNKNOWN),
        value=number(score.value),
        uncertainty=uncertainty(score),
        n=number(score.n),
    )


def _ratio(value: object, interval: object) -> str:
    text = number(value) if finite(value) else "?"
    if isinstance(interval, list | tuple) and len(interval) == 2 and all(map(finite, interval)):
        text += f" [{number(interval[0], 3)}, {number(interval[1], 3)}]"
    return text


def _critic(told: Object) -> str:
    """A critic's error rates in words."""
    kinds = {"test": "real", "foreign": "the other's", "own": "its own", "train": "training"}
    found = {words: _value(told.get(kind)) for kind, words in kinds.items()}
    rates = [f"{words} {number(value, 3)}" for words, value in found.items() if value is not None]
    return f"{told.get('name', '?')}'s critic errs on samples: {', '.join(rates)}; {told.get('protocol', '')}"


def _value(rate: object) -> float | None:
    value = rate.get("value") if isinstance(rate, dict) else None
    return value if finite(value) else None
