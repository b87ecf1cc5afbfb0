"""reproduce: run an item's trainings, then write its pictures, tables and numbers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agon.errors import SettingError
from agon.evaluation import EvaluationCallback, ExtractorSpec
from agon.experiment import Experiment
from agon.papers.catalogue import find_item
from agon.papers.item import Item
from agon.papers.numbers import numbers
from agon.papers.page import page
from agon.papers.sources import places, source_of
from agon.recipes import Scale
from agon.recipes.recipe import EvaluationSchedule
from agon.runs import Directory, Run, unreadable
from agon.runs.files import clear
from agon.training import Callback, Compute
from agon.training.replicates import train_many
from agon.untrusted import NotRegularError


def reproduce(
    name: str,
    out: Path | None = None,
    *,
    scale: Scale = "quick",
    seeds: int | None = None,
    data: Sequence[str] = (),
    compute: Compute | None = None,
    show: bool = True,
) -> Path:
    """Train what an item needs, measure it, and write its pictures, tables and numbers.

    Items of a paper share trainings, each in its own folder `RECIPE/seed-0`. A second call resumes stopped trainings,
    keeps finished ones, and adds further seeds.

    Args:
        name: a key of ITEMS.
        out: folder for the item's files and the runs; by default runs/PAPER-SCALE.
        scale: scale of every training.
        seeds: number of seeds (0, 1, ...); by default the item's own number.
        data: replacements for sets of images: "mnist=FOLDER", or "FOLDER" for all; see `sources.places`.
        compute: how each training computes; by default on the best device in float32, with one thread.
        show: whether to show progress on standard error.

    Returns:
        Path of the page of tables; pictures and numbers have the same name with .png and .json.

    Raises:
        SettingError: the item or a set is unknown, or `seeds` is below 1.
        RunError: the folder cannot be written, or holds trainings with other settings.
        ReplicatesError: some trainings failed; the others are done.
        Interrupted: SIGINT or SIGTERM arrived; the same call resumes.
    """
    item = find_item(name)
    count = item.seeds if seeds is None else seeds
    if count < 1:
        raise SettingError(f"seeds: expected at least 1, got {count}")
    paper, _, short = name.partition("/")
    folder = Path("runs", f"{paper}-{scale}") if out is None else out
    runs = _trained(item, folder, scale, range(count), places(data), compute, show)
    rows = [item.measure({label: run[seed] for label, run in runs.items()}, scale) for seed in range(count)]
    measured = numbers(item, scale, runs, rows, folder)
    pictures, files = item.draw(runs, scale), Directory(folder)
    clear(folder)
    for ending, content in pictures.items():
        files.write(f"{short}{ending}", content)
    measured["pictures"] = [f"{short}{ending}" for ending in pictures]
    files.write(f"{short}.json", (json.dumps(measured, indent=1) + "\n").encode())
    files.write(f"{short}.md", page(measured).encode())
    return folder / f"{short}.md"


def _trained(
    item: Item,
    folder: Path,
    scale: Scale,
    seeds: Sequence[int],
    at: Mapping[str, str],
    compute: Compute | None,
    show: bool,
) -> dict[str, list[Run]]:
    """A finished run for every training and seed: newly trained, resumed, or already there."""
    experiments: dict[Path, Experiment] = {}
    callbacks: dict[Path, Callback] = {}
    paths: dict[str, list[Path]] = {}
    for label, recipe in item.trainings.items():
        experiment = recipe.experiment(source_of(recipe, scale, at), scale)
        paths[label] = [_inside(folder, f"{recipe.name.rpartition('/')[2]}/seed-{seed}") for seed in seeds]
        for seed, path in zip(seeds, paths[label], strict=True):
            experiments[path] = replace(experiment, seed=seed)
            if scale in recipe.evaluations:
                callbacks[path] = _callback(recipe.evaluations[scale])
    runs = train_many(experiments, compute=compute, callbacks=callbacks, show=show)
    return {label: [runs[path] for path in of_seeds] for label, of_seeds in paths.items()}


def _inside(folder: Path, name: str) -> Path:
    """The folder of a run, which must not be a link to another place."""
    try:
        return Directory(folder).folder(name)
    except NotRegularError as error:
        raise unreadable(error, folder / name, "put the run itself there, or choose another folder") from error


def _callback(schedule: EvaluationSchedule) -> Callback:
    return Callback(schedule.every, EvaluationCallback(schedule.metrics, schedule.n, ExtractorSpec(schedule.extractor)))
