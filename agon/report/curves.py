"""The log as curves: plain dictionaries that plotly's JavaScript draws in the page."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agon.report.colours import colour
from agon.report.reading import Record, View

GROUPS = {  # part of a key before "/" -> title; in this order, then what else was logged
    "loss": "Losses",
    "logit": "Mean logits (higher is more real)",
    "gradient": "Gradient norms",
    "penalty": "Penalties",
    "wall/images_per_second": "Images per second",
    "wall/seconds": "Seconds since the start",
}
ALONE = "wall"  # a group whose series have different units: one plot each
COUNTS = ("step", "images")  # not curves: what the others are drawn against
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # series, where colours are runs
MOST = 2000  # points of a drawn curve
FEW = 30  # points of a curve that are marked one by one

Trace = dict[str, Any]


class Figure(NamedTuple):
    """One plot: what plotly needs, and an honest sentence about what it cannot draw."""

    title: str
    traces: list[Trace]
    logarithmic: bool
    warnings: list[str]


def figures(views: Sequence[View]) -> list[Figure]:
    """A plot for each group of logged series, then one for each score made at several steps."""
    keys = list(dict.fromkeys(key for view in views for record in view.log for key in record))
    groups: dict[str, list[str]] = {title: [] for title in GROUPS}
    for key in keys:
        if key not in COUNTS:
            groups.setdefault(_group(key), []).append(key)
    logged = [_logged(group, keys, views) for group, keys in groups.items() if keys]
    return logged + _scored(views)


def series(log: Iterable[Record], key: str) -> tuple[list[int], list[float]]:
    """Steps and values of one logged quantity; records without it are passed over."""
    pairs = [(int(record["step"]), record[key]) for record in log if key in record]
    return [step for step, _ in pairs], [value for _, value in pairs]


def thin(steps: Sequence[int], values: Sequence[float], most: int = MOST) -> tuple[list[int], list[float]]:
    """At most `most` points that keep every peak: of each stretch its least and its greatest value.

    >>> thin(range(8), [0, 0, 9, 0, 0, -9, 0, 0], most=4)
    ([0, 2, 4, 5], [0, 9, 0, -9])
    """
    if len(steps) <= most:
        return list(steps), list(values)
    stretch = math.ceil(2 * len(steps) / most)
    kept: list[int] = []
    for start in range(0, len(steps), stretch):
        order = sorted(range(start, min(start + stretch, len(steps))), key=lambda at: _order(values[at]))
        kept += sorted({order[0], order[-1]})
    return [steps[at] for at in kept], [values[at] for at in kept]


def _logged(group: str, keys: Sequence[str], views: Sequence[View]) -> Figure:
    traces: list[Trace] = []
    warnings: list[str] = []
    for index, view in enumerate(views):
        for number, key in enumerate(keys):
            steps, values = series(view.log, key)
            if not steps:
                continue
            look = _look(index, number, len(views))
            traces.append(_trace(_label(_short(key), view, len(views)), steps, values, look))
            warnings += _warning(f"{view.name}: {key}" if len(views) > 1 else key, steps, values)
    return Figure(GROUPS.get(group, group), traces, group == "gradient" and _is_wide(traces), warnings)


def _scored(views: Sequence[View]) -> list[Figure]:
    names = dict.fromkeys(score.name for view in views for score in view.scores)
    drawn = []
    for name in names:
        traces = [trace for index, view in enumerate(views) for trace in _score_traces(index, view, name, views)]
        if any(len(trace["x"]) > 1 for trace in traces):
            drawn.append(Figure(f"Score: {name}", traces, False, []))
    return drawn


def _score_traces(index: int, view: View, name: str, views: Sequence[View]) -> list[Trace]:
    """One trace a protocol: values that were measured differently are not joined by a line."""
    made = [score for score in view.scores if score.name == name and score.step is not None]
    traces = []
    for number, protocol in enumerate(dict.fromkeys((score.protocol, score.n) for score in made)):
        scores = sorted(
            (score for score in made if (score.protocol, score.n) == protocol), key=lambda s: s.step or 0
        )
        steps = [score.step or 0 for score in scores]
        values = [math.nan if score.value is None else score.value for score in scores]
        trace = _trace(
            _label(f"n = {protocol[1]}", view, len(views)), steps, values, _look(index, number, len(views))
        )
        trace["error_y"] = {"array": [_plain(score.error or 0.0) for score in scores], "thickness": 1}
        traces.append(trace)
    return traces


def _trace(label: str, steps: Sequence[int], values: Sequence[float], look: Mapping[str, str]) -> Trace:
    x, y = thin(steps, values)
    marked = "lines+markers" if len(x) <= FEW else "lines"
    return {"type": "scatter", "name": label, "x": x, "y": [_plain(v) for v in y], "mode": marked, "line": look}


def _look(run: int, number: int, runs: int) -> dict[str, str]:
    """Of one run, the series have the colours; of several, the runs have them, and the series dashes."""
    if runs == 1:
        return {"color": colour(number), "dash": "solid"}
    return {"color": colour(run), "dash": DASHES[number % len(DASHES)]}


def _label(label: str, view: View, runs: int) -> str:
    """plotly reads a few tags in a name: the one character that starts them is replaced."""
    return (f"{view.name} · {label}" if runs > 1 else label).replace("<", "‹")


def _group(key: str) -> str:
    head, _, _ = key.partition("/")
    return key if head == ALONE else head


def _short(key: str) -> str:
    return key.partition("/")[2] or key


def _warning(key: str, steps: Sequence[int], values: Sequence[float]) -> list[str]:
    broken = [step for step, value in zip(steps, values, strict=True) if not math.isfinite(value)]
    if not broken:
        return []
    times = f"{len(broken):,} of {len(steps):,} records"
    return [f"{key} is not a finite number in {times}, first at step {broken[0]:,}."]


def _is_wide(traces: Sequence[Trace]) -> bool:
    """Whether a logarithmic axis tells more: all positive, over more than two decades."""
    values = [value for trace in traces for value in trace["y"] if value is not None]
    return bool(values) and min(values) > 0 and max(values) > 100 * min(values)


def _plain(value: float) -> float | None:
    """JSON has no NaN: a gap in the curve."""
    return value if math.isfinite(value) else None


def _order(value: float) -> float:
    return value if math.isfinite(value) else -math.inf  # a gap is kept: it is what the eye should see
