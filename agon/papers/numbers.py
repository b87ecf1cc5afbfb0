"""Everything measured for an item, as plain values from which its page is written."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from agon import __version__
from agon.errors import RunError
from agon.experiment import Experiment
from agon.metrics import Score
from agon.metrics.intervals import interval
from agon.papers.intervals import judge
from agon.papers.item import Item, Rows, TrainedRuns
from agon.papers.sources import described
from agon.recipes import Scale
from agon.runs import Run, read


def numbers(item: Item, scale: Scale, runs: TrainedRuns, measured: Sequence[Rows], folder: Path) -> dict[str, Any]:
    """Collect all numbers of an item.

    Args:
        item: the table or figure.
        scale: scale of its trainings.
        runs: label -> a run for each seed.
        measured: the rows that the item's `measure` returned for each seed.
        folder: the runs' paths are written relative to it.
    """
    rows = [_row(label, [rows[label] for rows in measured]) for label in measured[0]]
    return {
        "item": item.name,
        "paper": item.paper,
        "claim": item.claim,
        "scale": scale,
        "seeds": len(measured),
        "updates": item.updates,
        "trainings": [_training(item, label, seeds, folder) for label, seeds in runs.items()],
        "rows": rows,
        "theirs": {label: dict(row) for label, row in item.published.items()},
        "expectations": [judge(expectation, rows) for expectation in item.expects],
        "history": [_history(item, label, run) for label, seeds in runs.items() for run in seeds if item.history],
        "versions": {"agon": __version__, "torch": torch.__version__, "cores": os.cpu_count()},
    }


def _row(label: str, seeds: Sequence[Sequence[Score]]) -> dict[str, Any]:
    """One row: its scores for each seed, and their summary over the seeds."""
    by_seed = [
        {"seed": seed, "scores": {score.name: _plain(score.record()) for score in scores}}
        for seed, scores in enumerate(seeds)
    ]
    names = list(dict.fromkeys(score.name for scores in seeds for score in scores))
    values = {
        name: [float(score.value) for scores in seeds for score in scores if score.name == name] for name in names
    }
    summary = {name: interval(of_seeds)._asdict() for name, of_seeds in values.items()}
    return {"label": label, "summary": summary, "seeds": by_seed}


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
