"""What a score was made of, as curves: histograms of distances, densities, the learned and the optimal critic."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeGuard

from agon.figures.colours import REAL, colour
from agon.reports.curves import DASHES, Figure, Trace, safe
from agon.reports.reading import View, finite, ordered
from agon.runs.scores import Object, ScoreRecord

DATA, MODEL = "data", "model"
GREY = (DATA, f"{DATA}'s median")  # drawn once where runs have the same


class Line(NamedTuple):
    """One line of a plot; `steps` where it is a histogram's."""

    label: str
    x: list[float]
    y: list[float]
    steps: bool


def figures(views: Sequence[View]) -> list[Figure]:
    """A plot for each score that tells a distribution or curves, with the latest of every run in it."""
    names = list(dict.fromkeys(score.name for view in views for score in view.scores))
    drawn = [_figure(name, views) for name in names]
    return [figure for figure in drawn if figure.traces]


def _figure(name: str, views: Sequence[View]) -> Figure:
    lines = [list(_lines(_latest(view, name))) for view in views]
    traces: list[Trace] = []
    shown: list[Line] = []
    for index, view in enumerate(views):
        for number, line in enumerate(lines[index]):
            if line.label in GREY and any(_same(line, other) for other in shown):
                continue
            shown.append(line)
            owned = len(views) > 1 and not (line.label in GREY and _alike(line, lines))
            traces.append(_trace(line, f"{view.name} · {line.label}" if owned else line.label))
            traces[-1]["line"] |= _look(line, index, number, len(views))
    return Figure(name, traces, False, [], axis=_axis(name))


def _alike(line: Line, lines: Sequence[Sequence[Line]]) -> bool:
    """Whether all runs have the same line of that label."""
    return all(_same(line, other) for of_run in lines for other in of_run if other.label == line.label)


def _same(one: Line, other: Line) -> bool:
    """Whether one need be drawn; a median's height is that of its plot."""
    return one.label == other.label and one.x == other.x and (one.y == other.y or one.label != DATA)


def _latest(view: View, name: str) -> ScoreRecord | None:
    return next((score for score in reversed(ordered(view.scores)) if score.name == name), None)


def _lines(score: ScoreRecord | None) -> Iterator[Line]:
    if score is None:
        return
    distribution, curves = score.detail.get("distribution"), score.detail.get("curves")
    if isinstance(distribution, dict):
        yield from _histograms(distribution)
    if isinstance(curves, dict) and _numbers(curves.get("x")):
        for label, y in curves.items():
            if label != "x" and _numbers(y) and len(y) == len(curves["x"]):
                yield Line(label, curves["x"], y, False)


def _histograms(distribution: Object) -> Iterator[Line]:
    """Those of the data and of the model, and a vertical line at the median of each."""
    edges = distribution.get("edges")
    heights = {label: distribution.get(label) for label in (DATA, MODEL)}
    whole = {label: y for label, y in heights.items() if _numbers(edges) and _numbers(y) and len(edges) == len(y) + 1}
    for label, y in whole.items():
        yield Line(label, edges or [], [*y, y[-1]], True)
    top = max((max(y) for y in whole.values()), default=1.0)
    medians = distribution.get("medians")
    for label in whole:
        median = medians.get(label) if isinstance(medians, dict) else None
        if finite(median):
            yield Line(f"{label}'s median", [median, median], [0.0, top], False)


def _trace(line: Line, name: str) -> Trace:
    shape = {"shape": "hv"} if line.steps else {}
    return {"type": "scatter", "mode": "lines", "name": safe(name), "x": line.x, "y": line.y, "line": shape}


def _look(line: Line, index: int, number: int, runs: int) -> dict[str, object]:
    """Data are grey; of one run, the lines have the colours; of several, the runs have them, and the lines dashes."""
    dash = DASHES[0 if runs == 1 else max(number - 1, 0) % len(DASHES)]
    if line.label in GREY:
        return {"width": 1.6, "color": REAL, "dash": DASHES[index % len(DASHES)]}
    return {"width": 1.6, "color": colour(index if runs > 1 else number), "dash": dash}


def _axis(name: str) -> str:
    return {"pairwise": "distance of a pair", "memorisation": "distance to the nearest training sample"}.get(name, "x")


def _numbers(value: object) -> TypeGuard[list[float]]:
    return isinstance(value, list) and bool(value) and all(map(finite, value))
