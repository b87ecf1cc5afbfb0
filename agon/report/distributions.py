"""What a score was made of, as curves: histograms of distances, densities, the learned and the optimal critic."""

from collections.abc import Iterator, Sequence
from typing import Any

from agon.report.colours import REAL, colour
from agon.report.curves import DASHES, Figure, Trace
from agon.report.reading import Score, View

DATA = "data"  # the series that is the same for all runs, drawn in grey


def figures(views: Sequence[View]) -> list[Figure]:
    """A plot for each score that tells a distribution or curves, with the latest of every run in it."""
    names = list(dict.fromkeys(score.name for view in views for score in view.scores))
    drawn = [_figure(name, views) for name in names]
    return [figure for figure in drawn if figure.traces]


def _figure(name: str, views: Sequence[View]) -> Figure:
    traces: list[Trace] = []
    shown: set[str] = set()
    for index, view in enumerate(views):
        score = _latest(view, name)
        for number, (label, x, y, steps) in enumerate(_series(score)):
            real = label.startswith(DATA)
            if real and label in shown:
                continue
            shown.add(label)
            trace = _trace(x, y, steps)
            trace["name"] = label if real or len(views) == 1 else f"{view.name} · {label}".replace("<", "‹")
            tint = REAL if real else colour(index if len(views) > 1 else number)
            dash = DASHES[0 if real or len(views) == 1 else max(number - 1, 0) % len(DASHES)]
            trace["line"] = {"width": 1.6, "color": tint, "dash": dash, **trace["line"]}
            traces.append(trace)
    return Figure(name, traces, False, [], axis=_axis(name))


def _latest(view: View, name: str) -> Score | None:
    scores = [score for score in view.scores if score.name == name]
    return max(scores, key=lambda score: score.step or 0) if scores else None


def _series(score: Score | None) -> Iterator[tuple[str, list[float], list[float], bool]]:
    """Label, x and y of each line, and whether it is a histogram's."""
    if score is None:
        return
    told = score.detail.get("distribution")
    if isinstance(told, dict) and _numbers(told.get("edges")):
        for label in (DATA, "model"):
            if _numbers(told.get(label)) and len(told["edges"]) == len(told[label]) + 1:
                yield label, told["edges"], [*told[label], told[label][-1]], True
        for label, median in (told.get("medians") or {}).items():
            if isinstance(median, int | float):
                yield f"{label}'s median", [median, median], [0.0, _top(told)], False
    curves = score.detail.get("curves")
    if isinstance(curves, dict) and _numbers(curves.get("x")):
        for label, y in curves.items():
            if label != "x" and _numbers(y) and len(y) == len(curves["x"]):
                yield str(label), curves["x"], y, False


def _trace(x: list[float], y: list[float], steps: bool) -> Trace:
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"shape": "hv"} if steps else {}}


def _top(told: dict[str, Any]) -> float:
    return max((value for label in (DATA, "model") for value in told.get(label) or []), default=1.0)


def _axis(name: str) -> str:
    return {"pairwise": "distance of a pair", "memorisation": "distance to the nearest training sample"}.get(name, "x")


def _numbers(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, int | float) for each in value)
