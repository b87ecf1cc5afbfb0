"""Curves behind scores: histograms of distances, densities, and the learned and the optimal critic."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeGuard

from agon.figures.colours import REAL, colour
from agon.reports.curves import DASHES, Figure, Trace, safe
from agon.reports.reading import View, ordered
from agon.runs.scores import Object, ScoreRecord
from agon.untrusted import is_number

DATA, MODEL = "data", "model"
GREY = (DATA, f"{DATA}'s median")  # drawn once if runs share them


class PlotLine(NamedTuple):
    """One line of a plot; `steps` if it is a histogram."""

    label: str
    x: list[float]
    y: list[float]
    steps: bool


def figures(views: Sequence[View]) -> list[Figure]:
    """Return a plot for each score with a distribution or curves, with the latest of every run."""
    names = list(dict.fromkeys(score.name for view in views for score in view.scores))
    candidates = [_figure(name, views) for name in names]
    return [figure for figure in candidates if figure.traces]


def _figure(name: str, views: Sequence[View]) -> Figure:
    lines = [list(_lines(_latest(view, name))) for view in views]
    traces: list[Trace] = []
    drawn: list[PlotLine] = []
    for index, view in enumerate(views):
        for number, line in enumerate(lines[index]):
            if line.label in GREY and any(_same(line, other) for other in drawn):
                continue
            drawn.append(line)
            needs_run = len(views) > 1 and not (line.label in GREY and _alike(line, lines))
            traces.append(_trace(line, f"{view.name}: {line.label}" if needs_run else line.label))
            traces[-1]["line"] |= _style(line, index, number, len(views))
    return Figure(name, traces, False, [], axis=_axis(name))


def _alike(line: PlotLine, lines: Sequence[Sequence[PlotLine]]) -> bool:
    """Whether all lines with this label are the same."""
    return all(_same(line, other) for of_run in lines for other in of_run if other.label == line.label)


def _same(one: PlotLine, other: PlotLine) -> bool:
    """Whether two lines are the same; the heights of medians, which depend on the plot, do not count."""
    return one.label == other.label and one.x == other.x and (one.y == other.y or one.label != DATA)


def _latest(view: View, name: str) -> ScoreRecord | None:
    return next((score for score in reversed(ordered(view.scores)) if score.name == name), None)


def _lines(score: ScoreRecord | None) -> Iterator[PlotLine]:
    if score is None:
        return
    distribution, curves = score.detail.get("distribution"), score.detail.get("curves")
    if isinstance(distribution, dict):
        yield from _histograms(distribution)
    if isinstance(curves, dict) and _numbers(curves.get("x")):
        for label, y in curves.items():
            if label != "x" and _numbers(y) and len(y) == len(curves["x"]):
                yield PlotLine(label, curves["x"], y, False)


def _histograms(distribution: Object) -> Iterator[PlotLine]:
    """Yield the histograms of the data and of the model, and a vertical line at the median of each."""
    edges = distribution.get("edges")
    heights = {label: distribution.get(label) for label in (DATA, MODEL)}
    whole = {label: y for label, y in heights.items() if _numbers(edges) and _numbers(y) and len(edges) == len(y) + 1}
    for label, y in whole.items():
        yield PlotLine(label, edges or [], [*y, y[-1]], True)
    top = max((max(y) for y in whole.values()), default=1.0)
    medians = distribution.get("medians")
    for label in whole:
        median = medians.get(label) if isinstance(medians, dict) else None
        if is_number(median):
            yield PlotLine(f"{label}'s median", [median, median], [0.0, top], False)


def _trace(line: PlotLine, name: str) -> Trace:
    shape = {"shape": "hv"} if line.steps else {}
    return {"type": "scatter", "mode": "lines", "name": safe(name), "x": line.x, "y": line.y, "line": shape}


def _style(line: PlotLine, index: int, number: int, runs: int) -> dict[str, object]:
    """Draw data in grey; colour lines if there is one run; else colour runs, and dash lines."""
    dash = DASHES[0 if runs == 1 else max(number - 1, 0) % len(DASHES)]
    if line.label in GREY:
        return {"width": 1.6, "color": REAL, "dash": DASHES[index % len(DASHES)]}
    return {"width": 1.6, "color": colour(index if runs > 1 else number), "dash": dash}


def _axis(name: str) -> str:
    return {"pairwise": "distance of a pair", "memorisation": "distance to the nearest training sample"}.get(name, "x")


def _numbers(value: object) -> TypeGuard[list[float]]:
    return isinstance(value, list) and bool(value) and all(map(is_number, value))
