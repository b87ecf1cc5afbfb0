"""Curves of the log and of scores, as plain dictionaries that curves.js draws in the page."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agon.figures.colours import REAL, colour
from agon.reports.reading import View, ordered
from agon.runs.scores import ScoreRecord

GROUPS = {  # part of a key before "/" -> title, in this order; other groups follow
    "loss": "Losses",
    "logit": "Mean logits (higher is more real)",
    "energy": "Mean energies (lower is more real)",
    "elbo": "Evidence lower bound, nats",
    "reconstruction": "Reconstruction, nats",
    "divergence": "Divergence of the posterior from the prior, nats",
    "accuracy": "Accuracy on the batch",
    "equilibrium": "Equilibrium",
    "augmentation": "Augmentation: probability p, overfitting r",
    "gradient": "Gradient norms",
    "penalty": "Penalties",
}
COUNTS = ("step", "images")  # horizontal axes, not curves
CLOCK = "wall"  # a group that the page sums up in words
DASHES = (
    "solid",
    "dash",
    "dot",
    "dashdot",
    "longdash",
    "longdashdot",
)  # of series, where colours are of runs
MOST = 2000  # largest number of points of a curve
FEW = 30  # largest number of points that get markers

Trace = dict[str, Any]


class Figure(NamedTuple):
    """One plot: its traces, and warnings about values that cannot be drawn."""

    title: str
    traces: list[Trace]
    logarithmic: bool
    warnings: list[str]
    axis: str = "step"


def figures(views: Sequence[View]) -> list[Figure]:
    """Return a plot for each group of logged series, then for each score measured at several steps."""
    keys = list(dict.fromkeys(key for view in views for record in view.log for key in record))
    groups: dict[str, list[str]] = {title: [] for title in GROUPS}
    for key in keys:
        if key.rpartition("/")[2] not in COUNTS and _group(key) != CLOCK:
            groups.setdefault(_group(key), []).append(key)
    logged = [_logged(group, keys, views) for group, keys in groups.items() if keys]
    return logged + _scored(views)


def series(log: Iterable[Mapping[str, float]], key: str) -> tuple[list[int], list[float]]:
    """Return the steps and values of one logged quantity, from the records that have it."""
    pairs = [(int(record["step"]), record[key]) for record in log if key in record]
    return [step for step, _ in pairs], [value for _, value in pairs]


def thin(steps: Sequence[int], values: Sequence[float], most: int = MOST) -> tuple[list[int], list[float]]:
    """Thin a curve to at most `most` points: of each stretch, keep the least and the greatest value.

    >>> thin(range(8), [0, 0, 9, 0, 0, -9, 0, 0], most=4)
    ([0, 2, 5, 7], [0, 9, -9, 0])
    """
    if len(steps) <= most:
        return list(steps), list(values)
    stretch = math.ceil(len(steps) / (most // 2))  # records in a stretch, of which two are kept
    kept: list[int] = []
    for start in range(0, len(steps), stretch):
        order = sorted(range(start, min(start + stretch, len(steps))), key=lambda at: _order(values[at]))
        kept += sorted({order[0], order[-1]})
    return [steps[at] for at in kept], [values[at] for at in kept]


def _logged(group: str, keys: Sequence[str], views: Sequence[View]) -> Figure:
    traces = _legend([_short(key) for key in keys], len(views))
    warnings: list[str] = []
    for index, view in enumerate(views):
        for number, key in enumerate(keys):
            steps, values = series(view.log, key)
            if steps:
                traces.append(_trace(_Place(index, number, len(views)), view, _short(key), steps, values))
                warnings += _warning(f"{view.name}: {key}" if len(views) > 1 else key, steps, values)
    return Figure(GROUPS.get(group, group), traces, group == "gradient" and _is_wide(traces), warnings)


def _scored(views: Sequence[View]) -> list[Figure]:
    names = dict.fromkeys(score.name for view in views for score in view.scores)
    by_name = [(name, _score_traces(name, views)) for name in names]
    return [
        Figure(f"Score: {name}", traces, False, [])
        for name, traces in by_name
        if any(len(trace["x"]) > 1 for trace in traces)
    ]


def _score_traces(name: str, views: Sequence[View]) -> list[Trace]:
    """Return a trace for each kind of measurement, so that a line joins only comparable values."""
    by_step = [_by_step(name, view) for view in views]
    kinds = {key: score for scores in by_step for (key, _), score in scores.items()}
    names = labels(list(kinds.values()))
    traces = _legend(names, len(views))
    for index, view in enumerate(views):
        for number, kind in enumerate(kinds):
            scores = [score for (key, _), score in by_step[index].items() if key == kind]
            if scores:
                traces.append(_score_trace(_Place(index, number, len(views)), view, names[number], scores))
    return traces


def _by_step(name: str, view: View) -> dict[tuple[object, int], ScoreRecord]:
    """Return the scores of a name by measurement and step; the newest if one was repeated."""
    scores = [score for score in ordered(view.scores) if score.name == name]
    return {(score.key, score.step): score for score in scores if score.step is not None}


def labels(kinds: Sequence[ScoreRecord]) -> list[str]:
    """Label each measurement by n, seed, and whatever else differs between them."""
    columns = [
        [f"against {score.detail.get('opponent', score.opponent)}" for score in kinds],
        [f"among {', '.join(score.among)}" for score in kinds],
        [f"features {score.features or score.extractor.get('name')}" for score in kinds],
        [" ".join(score.how) for score in kinds],
    ]
    differing = [column for column in columns if len(set(column)) > 1]
    return [
        ", ".join([f"n = {score.n}, seed {score.seed}", *(column[at] for column in differing if column[at])])
        for at, score in enumerate(kinds)
    ]


def _score_trace(place: "_Place", view: View, label: str, scores: Sequence[ScoreRecord]) -> Trace:
    values = [math.nan if score.value is None else score.value for score in scores]
    trace = _trace(place, view, label, [score.step or 0 for score in scores], values)
    if len(trace["x"]) == len(scores):  # a thinned curve is too dense for error bars
        errors = [_plain(score.error or 0.0) for score in scores]
        trace["error_y"] = {"type": "data", "array": errors, "thickness": 1, "width": 3}
    return trace


class _Place(NamedTuple):
    """The run and the series of a trace, and the number of runs."""

    run: int
    series: int
    runs: int

    @property
    def line(self) -> dict[str, str]:
        """Colour series if there is one run; else colour runs, and dash series."""
        if self.runs == 1:
            return {"color": colour(self.series), "dash": "solid"}
        return {"color": colour(self.run), "dash": DASHES[self.series % len(DASHES)]}


def _trace(place: _Place, view: View, label: str, steps: Sequence[int], values: Sequence[float]) -> Trace:
    x, y = thin(steps, values)
    return {
        "type": "scatter",
        "name": safe(label if place.runs == 1 else f"{view.name}: {label}"),
        "legendgroup": str(place.series),
        "showlegend": place.runs == 1,
        "x": x,
        "y": [_plain(value) for value in y],
        "mode": "lines+markers" if len(x) <= FEW else "lines",
        "marker": {"size": 5},
        "line": {"width": 1.6, **place.line},
    }


def _legend(labels: Sequence[str], runs: int) -> list[Trace]:
    """Return grey legend entries for the dashes of series; the page shows the colours of runs once."""
    if runs == 1 or len(labels) == 1:
        return []
    return [
        {
            "type": "scatter",
            "name": safe(label),
            "legendgroup": str(number),
            "x": [None],
            "y": [None],
            "mode": "lines",
            "line": {"width": 1.6, "color": REAL, "dash": DASHES[number % len(DASHES)]},
        }
        for number, label in enumerate(labels)
    ]


def safe(label: str) -> str:
    """Replace "<" by a look-alike, so that no name is ever read as a tag."""
    return label.replace("<", "‹")


def _group(key: str) -> str:
    return key.partition("/")[0]


def _short(key: str) -> str:
    return key.partition("/")[2] or key


def _warning(key: str, steps: Sequence[int], values: Sequence[float]) -> list[str]:
    broken = [step for step, value in zip(steps, values, strict=True) if not math.isfinite(value)]
    if not broken:
        return []
    times = f"{len(broken):,} of {len(steps):,} records"
    return [f"{key} is not a finite number in {times}, first at step {broken[0]:,}."]


def _is_wide(traces: Sequence[Trace]) -> bool:
    """Whether all values are positive and span more than two decades, which suits a logarithmic axis."""
    values = [value for trace in traces for value in trace["y"] if value is not None]
    return bool(values) and min(values) > 0 and max(values) > 100 * min(values)


def _plain(value: float) -> float | None:
    """Return None, a gap in the curve, for what JSON cannot write."""
    return value if math.isfinite(value) else None


def _order(value: float) -> float:
    return value if math.isfinite(value) else -math.inf  # so that thinning keeps gaps
