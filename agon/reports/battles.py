"""Tables of battles: ratios of two critics with intervals and verdicts, and errors of one critic."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from agon.figures.colours import colour
from agon.figures.numbers import UNKNOWN, number
from agon.reports.reading import View, ordered
from agon.reports.scores import uncertainty
from agon.runs import ends
from agon.runs.scores import Object, ScoreRecord
from agon.untrusted import is_number


class BattleRow(NamedTuple):
    """One battle from the run's side, as in Table 1 of im2016."""

    run: str
    colour: str
    opponent: str
    test: str
    sample: str
    winner: str
    verdict: str
    reason: str
    areas: list[str]
    critics: list[str]


class ErrorRow(NamedTuple):
    """The error of a critic on samples without a critic, as in Table 2 of im2016; no colour if its run is not shown."""

    judge: str
    colour: str
    opponent: str
    value: str
    uncertainty: str
    n: str


def rows(views: Sequence[View]) -> list[BattleRow]:
    """Return the latest battle of each run with each opponent."""
    names = _names(views)
    newest = {(index, score.opponent): score for index, score in _scores(views, "battle")}
    return [_row(index, views[index], score, names) for (index, _), score in newest.items()]


def errors(views: Sequence[View]) -> list[ErrorRow]:
    """Return the latest error of each critic on each opponent's samples, once, although both runs record it."""
    names = _names(views)
    newest = {(_judge(index, score), score.opponent): (index, score) for index, score in _scores(views, "error")}
    return [_error(index, views, score, names) for index, score in newest.values()]


def _scores(views: Sequence[View], name: str) -> Iterator[tuple[int, ScoreRecord]]:
    for index, view in enumerate(views):
        for score in ordered(view.scores):
            if score.name == name and score.opponent is not None:
                yield index, score


def _judge(index: int, score: ScoreRecord) -> object:
    """Identify the judge: a path is the same in every run, a mere name need not be."""
    return score.judge if _is_path(score.judge) else (index, score.judge)


def _names(views: Sequence[View]) -> dict[str, str]:
    """Return path -> shortest distinct name, of the runs on the page and of all their opponents."""
    on_page = {str(view.path.resolve()): view.name for view in views}
    others = [name for view in views for score in view.scores for name in (score.judge, score.opponent)]
    paths = list(dict.fromkeys([*on_page, *(name for name in others if name is not None and _is_path(name))]))
    return {**dict(zip(paths, ends([PurePath(path) for path in paths]), strict=True)), **on_page}


def _is_path(name: str | None) -> bool:
    return name is not None and PurePath(name).is_absolute()


def _row(index: int, view: View, score: ScoreRecord, names: dict[str, str]) -> BattleRow:
    detail = score.detail
    critics = detail.get("critics")
    return BattleRow(
        run=view.name,
        colour=colour(index),
        opponent=names.get(str(score.opponent), str(score.opponent or "?")),
        test=_ratio(detail.get("r_test"), detail.get("r_test_interval")),
        sample=_ratio(score.value, score.interval),
        winner=str(detail.get("winner", "?")),
        verdict=str(detail.get("verdict", "?")),
        reason=str(detail.get("reason", "")),
        areas=_areas(detail.get("areas")),
        critics=[_critic(critic) for critic in critics if isinstance(critic, dict)]
        if isinstance(critics, list)
        else [],
    )


def _error(index: int, views: Sequence[View], score: ScoreRecord, names: dict[str, str]) -> ErrorRow:
    colours = {str(view.path.resolve()): colour(at) for at, view in enumerate(views)}
    return ErrorRow(
        judge=names.get(str(score.judge), score.judge or views[index].name),
        colour=colours.get(str(score.judge), "" if score.judge else colour(index)),
        opponent=names.get(str(score.opponent), score.opponent or UNKNOWN),
        value=number(score.value),
        uncertainty=uncertainty(score),
        n=number(score.n),
    )


def _ratio(value: object, interval: object) -> str:
    text = number(value) if is_number(value) else "?"
    if isinstance(interval, list | tuple) and len(interval) == 2 and all(map(is_number, interval)):
        text += f" [{number(interval[0], 3)}, {number(interval[1], 3)}]"
    return text


def _areas(areas: object) -> list[str]:
    """Say who wins by the areas under the critics' ROC curves, and whether the paper's rule disagrees."""
    if not isinstance(areas, dict):
        return []
    lines = [f"by areas, {areas.get('verdict', '?')}: {areas.get('reason', '')}", areas.get("disagreement")]
    return [str(line) for line in lines if line]


def _critic(critic: Object) -> str:
    """Describe a critic's error rates in words, and how often it finds a training sample more real than a test one."""
    kinds = {"test": "real", "foreign": "the other's", "own": "its own", "train": "training"}
    values = {words: _value(critic.get(kind)) for kind, words in kinds.items()}
    rates = [f"{words} {number(value, 3)}" for words, value in values.items() if value is not None]
    told = f"{critic.get('name', '?')}'s critic errs on samples: {', '.join(rates)}; {critic.get('protocol', '')}"
    seen = critic.get("seen")
    if not isinstance(seen, dict):
        return told
    area = _ratio(seen.get("value"), seen.get("interval"))
    return f"{told}; training before test samples {area} (0.5: it does not know them)"


def _value(rate: object) -> float | None:
    value = rate.get("value") if isinstance(rate, dict) else None
    return value if is_number(value) else None
