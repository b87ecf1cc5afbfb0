"""A paper's table or figure by one command: trainings, scores over seeds, a picture, and all numbers behind it."""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from agon.errors import RunError, SettingError
from agon.experiment import Experiment
from agon.recipes import ITEMS, Item, Scale, find_item
from agon.report.embedding import spread
from agon.report.scores import number
from agon.runs import Run, read, write_atomically
from agon.training import Arithmetic

COLUMNS = 6  # steps of the table over training
LEVEL = 0.95  # of the intervals

__all__ = ["ITEMS", "interval", "reproduce"]


def reproduce(
    name: str,
    out: Path | None = None,
    *,
    scale: Scale = "quick",
    seeds: int = 5,
    arithmetic: Arithmetic | None = None,
    show: bool = True,
) -> Path:
    """Train what an item needs, measure it, and write its picture, its tables and its numbers.

    Trainings that were stopped go on, and finished ones are kept: asked again, it goes on where it was.

    Args:
        name: in ITEMS.
        out: the folder for the three files and, beside them, the runs; by default runs/NAME-SCALE.
        scale: of every training.
        seeds: how many; 0, 1, ...
        arithmetic: of each training; by default the best device in float32, one thread.
        show: whether to tell the progress on standard error.

    Returns:
        The page of tables; the picture and the numbers have its name with .png and .json.

    Raises:
        SettingError: an unknown item, or no seed.
        RunError: a folder that cannot be written, or holds trainings with other settings.
    """
    item = find_item(name)
    if seeds < 1:
        raise SettingError(f"seeds: expected at least 1, got {seeds}")
    folder = Path("runs", f"{name}-{scale}") if out is None else out
    trained = {
        label: _trained(
            recipe.experiment(scale=scale), folder / recipe.name.rpartition("/")[2], seeds, arithmetic, show
        )
        for label, recipe in item.trainings.items()
    }
    told = {
        "item": name,
        "paper": item.paper,
        "claim": item.claim,
        "scale": scale,
        "updates": item.updates,
        "rows": [_row(item, label, runs, folder) for label, runs in trained.items()],
    }
    stem = folder / name.rpartition("/")[2]
    picture = item.draw({label: runs[0] for label, runs in trained.items()})
    write_atomically(stem.with_suffix(".png"), picture)
    write_atomically(stem.with_suffix(".json"), (json.dumps(told, indent=1) + "\n").encode())
    write_atomically(stem.with_suffix(".md"), page(told, stem.name).encode())
    return stem.with_suffix(".md")


def _trained(
    experiment: Experiment, directory: Path, seeds: int, arithmetic: Arithmetic | None, show: bool
) -> list[Run]:
    """A finished run for each seed: begun, or gone on with."""
    from agon.replicates import FILE, replicate, resume

    if not (directory / FILE).exists():
        return replicate(experiment, directory, seeds, arithmetic=arithmetic, show=show)
    with suppress(OSError, ValueError, KeyError, TypeError):  # of a broken file, `resume` tells
        begun = len(json.loads((directory / FILE).read_bytes())["seeds"])
        if begun != seeds:
            raise RunError(
                f"{directory} was begun with {begun} seeds, and {seeds} are asked for; "
                f"use --seeds {begun}, or choose another folder with --out"
            )
    return resume(directory, experiment=experiment, show=show)


def _row(item: Item, label: str, runs: Sequence[Run], folder: Path) -> dict[str, Any]:
    """All numbers of one row: of each run, and over them."""
    told = [_numbers(item, run, folder) for run in runs]
    names = list(told[0]["scores"])
    return {
        "label": label,
        "recipe": item.trainings[label].name,
        "steps": json.loads(runs[0].experiment)["steps"],
        "arithmetic": runs[0].arithmetic,
        "summary": {name: interval([each["scores"][name]["value"] for each in told]) for name in names},
        "runs": told,
    }


def _numbers(item: Item, run: Run, folder: Path) -> dict[str, Any]:
    scores = {score.name: score.record() for score in item.measure(run)}
    history = [
        {"step": step, "updates": step * item.updates, **{score.name: score.value for score in scored}}
        for step, scored in item.history(run).items()
    ]
    return {
        "run": run.path.relative_to(folder).as_posix(),
        "seed": json.loads(run.experiment)["seed"],
        "seconds": read(run.log)[-1]["wall/seconds"],
        "scores": scores,
        "history": history,
    }


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """Mean, standard deviation, and half of the 95 % interval of the mean by Student's t.

    >>> told = interval([1.0, 2.0, 3.0])
    >>> told["mean"], told["deviation"], round(told["half"], 3)
    (2.0, 1.0, 2.484)
    """
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return {"mean": fmean(values), "deviation": None, "half": None}
    deviation = stdev(values)
    factor = float(stdtrit(n - 1, (1 + LEVEL) / 2))
    return {"mean": fmean(values), "deviation": deviation, "half": factor * deviation / math.sqrt(n)}


def page(told: Mapping[str, Any], stem: str) -> str:
    """The numbers as a page of tables in Markdown."""
    runs, updates = told["rows"][0]["runs"], told["updates"]
    steps = " and ".join(dict.fromkeys(f"{row['steps']:,}" for row in told["rows"]))
    each = f" of {updates} updates, which the paper counts" if updates > 1 else ""
    protocols = {name: score["protocol"] for name, score in runs[0]["scores"].items()}
    return (
        "\n\n".join(
            [
                f"# {told['paper']}",
                f"{told['claim'][0].upper()}{told['claim'][1:]}.",
                f"![{told['item']}]({stem}.png)",
                f"`agon reproduce {told['item']} --scale {told['scale']} --seeds {len(runs)}`: {steps} steps{each}. "
                f"The picture is seed {runs[0]['seed']}.",
                _summary(told["rows"]),
                f"Means over {len(runs)} seeds ± half of their 95 % interval (Student's t).",
                "\n".join(f"* {name}: {protocol}" for name, protocol in protocols.items()),
                "## Over training\n\nMeans over seeds of the samples that were kept.",
                _over_training(told["rows"]),
                "## Seed by seed",
                _by_seed(told["rows"]),
            ]
        )
        + "\n"
    )


def _summary(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(rows[0]["summary"])
    body = [[row["label"], *(_uncertain(**row["summary"][name]) for name in names)] for row in rows]
    return _table(["", *names], body)


def _uncertain(mean: float, deviation: float | None, half: float | None) -> str:
    return number(mean, 3) if half is None else f"{number(mean, 3)} ± {number(half, 2)}"


def _over_training(rows: Sequence[Mapping[str, Any]]) -> str:
    """A column for each of some steps, a line for each row and score."""
    marks = spread([entry["updates"] for entry in rows[0]["runs"][0]["history"]], COLUMNS)
    body = []
    for row in rows:
        by_step = [{entry["updates"]: entry for entry in run["history"]} for run in row["runs"]]
        for name in (key for key in row["runs"][0]["history"][0] if key not in ("step", "updates")):
            values = [[run[mark][name] for run in by_step if mark in run] for mark in marks]
            body.append([row["label"], name, *(number(fmean(each) if each else None, 3) for each in values)])
    return _table(["", "step", *(f"{mark:,}" for mark in marks)], body)


def _by_seed(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(rows[0]["summary"])
    body = [
        [
            row["label"],
            str(run["seed"]),
            *(_scored(run["scores"][name]) for name in names),
            f"{run['seconds'] / 60:.1f}",
        ]
        for row in rows
        for run in row["runs"]
    ]
    return _table(["", "seed", *names, "minutes"], body)


def _scored(score: Mapping[str, Any]) -> str:
    error = "" if score["error"] is None else f" ± {number(score['error'], 2)}"
    return number(score["value"], 3) + error


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
