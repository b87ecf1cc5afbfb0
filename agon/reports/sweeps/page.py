"""Assemble the page of a sweep: its table, what follows, parallel coordinates, and curves."""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agon.errors import installed, require
from agon.figures.colours import colour
from agon.figures.parallel import Coordinate, parallel_png
from agon.metrics.directions import direction_of
from agon.reports.pages import rendered
from agon.reports.sweeps import curves
from agon.runs.layout import SWEEP
from agon.sweeps import SweepFolder, SweepRecord, SweepResult, result_of
from agon.sweeps.trials import short_names


class Row(NamedTuple):
    """A trial in the table."""

    colour: str
    name: str
    cells: list[str]
    best: bool


class Fact(NamedTuple):
    """A setting of the sweep."""

    name: str
    value: str


def is_sweep(paths: Sequence[Path]) -> bool:
    """Whether a path is the folder of a sweep, alone."""
    return len(paths) == 1 and (paths[0] / SWEEP).is_file()


def page(folder: Path) -> str:
    """Return the page of a sweep as text; its files are only read.

    Raises:
        RunError: it cannot be read.
        NotInstalledError: the extra for reports is not installed.
    """
    require("jinja2", "markupsafe", "scipy")
    place = SweepFolder(folder)
    record = place.read()
    result = result_of(place, record)
    names = [trial.name for trial in result.trials]
    figures = curves.figures(place, record, names, result.score)
    head, *rows = result.table
    direction = direction_of(result.score)
    contents = {
        "title": f"Sweep {folder.resolve().name}",
        "facts": _facts(record, result),
        "sentences": result.sentence.splitlines(),
        "head": head,
        "rows": [Row(colour(index), names[index], cells, index == 0) for index, cells in enumerate(rows)],
        "words": f"{result.score}: {direction.words}" if direction else "",
        "picture": _picture(record, result),
        "figures": figures,
        "shown": min(len(names), curves.SHOWN),
        "drawing": [{"traces": it.traces, "logarithmic": it.logarithmic, "axis": it.axis} for it in figures],
        "plan": _plan(record),
        "diverged": [Fact(name, sentence) for name, sentence in record.diverged.items()],
    }
    return rendered("sweep.html", contents, ["style.css"], ["curves.js"] if figures else [])


def _facts(record: SweepRecord, result: SweepResult) -> list[str]:
    plan = record.plan
    facts = [f"{len(plan.trials)} trials", f"{len(plan.seeds)} seeds each", f"decided by {plan.scoring.metric}"]
    if plan.halving is not None:
        facts.append(f"successive halving by {plan.halving.factor}")
    if plan.search is not None:
        facts.append(f"Bayesian search, {plan.search.at_once} trials at once")
    if record.diverged:
        facts.append(f"{len(record.diverged)} runs diverged")
    if not record.result:
        facts.append("not finished")
    return facts


def _plan(record: SweepRecord) -> list[Fact]:
    plan = record.plan
    return [
        *(Fact(path, ", ".join(values)) for path, values in plan.over.items()),
        Fact("seeds", ", ".join(map(str, plan.seeds))),
        Fact("metric", f"{plan.scoring.metric}, {plan.scoring.n:,} samples, extractor {plan.scoring.extractor}"),
    ]


def _picture(record: SweepRecord, result: SweepResult) -> str:
    """The parallel coordinates as a data: URL; empty without matplotlib, or without any score."""
    if not installed("matplotlib") or not result.score:
        return ""
    short = short_names(list(result.best.settings))
    coordinates = [
        Coordinate(label, [trial.settings[path] for trial in result.trials]) for path, label in short.items()
    ]
    direction = direction_of(result.score)
    label = f"{result.score} {direction.sign if direction else ''}".strip()
    means = [trial.mean if trial.values else None for trial in result.trials]
    png = parallel_png([*coordinates, Coordinate(label, means)], best=0)
    return f"data:image/png;base64,{b64encode(png).decode('ascii')}"
