"""Everything measured for an item, as plain values from which its page is written."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from agon import __version__
from agon.errors import RunError
from agon.experiment import Experiment
from agon.metrics import Score
from agon.metrics.directions import is_ratio
from agon.metrics.intervals import interval
from agon.papers.controls import plain
from agon.papers.intervals import TableRow, judge
from agon.papers.item import Item, Rows, TrainedRuns
from agon.papers.panel_row import PanelRow
from agon.papers.rows import with_rows
from agon.papers.sources import described
from agon.recipes import Scale
from agon.runs import Run, read

NO_CONTROLS: Mapping[str, Sequence[Rows]] = MappingProxyType({})


def numbers(
    item: Item,
    scale: Scale,
    runs: TrainedRuns,
    measured: Sequence[Rows],
    folder: Path,
    controls: Mapping[str, Sequence[Rows]] = NO_CONTROLS,
    panels: Sequence[PanelRow] = (),
) -> dict[str, Any]:
    """Collect all numbers of an item.

    Args:
        item: the table or figure.
        scale: scale of its trainings.
        runs: label -> a run for each seed.
        measured: the rows that the item's `measure` returned for each seed.
        folder: the runs' paths are written relative to it.
        controls: name of a control -> its rows for each seed.
        panels: comparisons of all seeds with all seeds.
    """
    seeds = [int(run.described["seed"]) for run in next(iter(runs.values()))]
    of_controls = {name: plain(of_seeds, seeds) for name, of_seeds in controls.items()}
    rows = [_row(label, [rows[label] for rows in measured], seeds) for label in measured[0]]
    return {
        "item": item.name,
        "paper": item.paper,
        "claim": item.claim,
        "scale": scale,
        "seeds": len(measured),
        "updates": item.updates,
        "trainings": [_training(item, label, of_label, folder) for label, of_label in runs.items()],
        "rows": rows,
        "theirs": {label: dict(row) for label, row in item.published.items()},
        "controls": of_controls,
        "expectations": _judged(item, rows, of_controls),
        "panels": [row.plain() for row in panels],
        "history": [_history(item, label, run) for label, of_label in runs.items() for run in of_label if item.history],
        "versions": {"agon": __version__, "torch": torch.__version__, "cores": os.cpu_count()},
    }


def rejudged(item: Item, known: Mapping[str, Any], controls: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Summarise and judge the numbers of an item again, from the scores of its seeds.

    Args:
        item: the table or figure, with the expectations of today.
        known: its numbers, of this or an earlier version.
        controls: name of a control -> its rows as in the numbers' file; by default those that the numbers have.
    """
    rows = [{**row, "summary": _summaries(row["seeds"])} for row in known["rows"]]
    kept = known.get("controls", {}) if controls is None else controls
    of_controls = {name: rows for name, rows in kept.items() if name in item.controls}
    asked = with_rows(item, known.get("asked", ()))
    again = {"rows": rows, "controls": of_controls, "expectations": _judged(asked, rows, of_controls)}
    return {name: again.get(name, value) for name, value in ({**known, "controls": of_controls}).items()}


def _judged(item: Item, rows: Sequence[TableRow], controls: Mapping[str, Sequence[TableRow]]) -> list[dict[str, Any]]:
    own = {name: made for name, made in _made_of(item, rows).items() if name in item.controls}
    return [judge(expectation, rows, {**controls, **own}) for expectation in item.expects]


def _made_of(item: Item, rows: Sequence[TableRow]) -> dict[str, Sequence[TableRow]]:
    """The controls that are made of an item's own rows."""
    named = {copied: label for label, copied in item.copies.items()}
    copies = [{**row, "label": named[row["label"]]} for row in rows if row["label"] in named]
    return {"copies": copies, "exchanged": rows}


def _row(label: str, of_seeds: Sequence[Sequence[Score]], seeds: Sequence[int]) -> dict[str, Any]:
    """One row: its scores for each seed, and their summary over the seeds."""
    by_seed = [
        {"seed": seed, "scores": {score.name: _plain(score.record()) for score in scores}}
        for seed, scores in zip(seeds, of_seeds, strict=True)
    ]
    return {"label": label, "summary": _summaries(by_seed), "seeds": by_seed}


def _summaries(seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Score -> its mean over seeds, their deviation, and half of the mean's interval.

    Of a ratio they are those of its logarithm, but the mean, which is the geometric one.
    """
    names = dict.fromkeys(name for seed in seeds for name in seed["scores"])
    return {
        name: _summary(name, [float(seed["scores"][name]["value"]) for seed in seeds if name in seed["scores"]])
        for name in names
    }


def _summary(name: str, values: Sequence[float]) -> dict[str, Any]:
    ratio = is_ratio(name) and all(0 < value < math.inf for value in values)
    found = interval([math.log(value) for value in values] if ratio else values)
    return {**found._asdict(), "mean": math.exp(found.mean) if ratio else found.mean, "ratio": ratio}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of a score that a page needs; distributions stay in the run."""
    return {key: record[key] for key in ("value", "error", "interval", "n", "n_real", "protocol")}


def _training(item: Item, label: str, runs: Sequence[Run], folder: Path) -> dict[str, Any]:
    recipe, experiment = item.trainings[label], Experiment.from_json(runs[0].experiment)
    records = [_last(run) for run in runs]
    return {
        "label": label,
        "recipe": recipe.name,
        "data": described(recipe, experiment.data),
        "steps": experiment.steps,
        "images": records[0]["images"],
        "arithmetic": {key: runs[0].compute.get(key) for key in ("device", "precision", "threads", "compile")},
        "runs": [
            {
                "run": run.path.relative_to(folder).as_posix(),
                "seed": run.described["seed"],
                "seconds": record["wall/seconds"],
            }
            for run, record in zip(runs, records, strict=True)
        ],
    }


def _last(run: Run) -> dict[str, Any]:
    """The last record of a finished training."""
    record: dict[str, Any] = next(reversed(read(run.log)), {})
    if not all(isinstance(record.get(name), int | float) for name in ("images", "wall/seconds")):
        raise RunError(f"{run.log}: expected the record of the last step, got none; remove the run and ask again")
    return record


def _history(item: Item, label: str, run: Run) -> dict[str, Any]:
    assert item.history is not None
    entries = [
        {"step": step, "updates": step * item.updates, **{score.name: score.value for score in scores}}
        for step, scores in item.history(run).items()
    ]
    return {"label": label, "seed": run.described["seed"], "entries": entries}
