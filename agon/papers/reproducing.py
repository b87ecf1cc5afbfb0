"""reproduce: an item's trainings, and what is written when they are done."""

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
    """Train what an item needs, measure it, and write its pictures, its tables and its numbers.

    Items of a paper share trainings, one folder each, `RECIPE/seed-0`: trainings that were stopped go on, finished
    ones are kept, and further seeds are added. Asked again, it goes on where it was.

    Args:
        name: in ITEMS.
        out: the folder of the item's files and, beside them, the runs; by default runs/PAPER-SCALE.
        scale: of every training.
        seeds: how many; 0, 1, ...; by default the item's own number.
        data: what stands at the place of sets of images: "mnist=FOLDER", or "FOLDER" for all; see `sources.places`.
        compute: of each training; by default the best device in float32, one thread.
        show: whether to show the progress on standard error.

    Returns:
        The page of tables; pictures and numbers have its name with .png and .json.

    Raises:
        SettingError: an unknown item or set, or no seed.
        RunError: a folder that cannot be written, or holds trainings with other settings.
        ReplicatesError: some trainings have failed; the others are done.
        Interrupted: SIGINT or SIGTERM came; the same call goes on.
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
    """A finished run for every training and seed: begun, gone on with, or found."""
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
    """Of a run, which is there itself, and not a link to another place."""
    try:
        return Directory(folder).folder(name)
    except NotRegularError as error:
        raise unreadable(error, folder / name, "put the run itself there, or choose another folder") from error


def _callback(schedule: EvaluationSchedule) -> Callback:
    return Callback(schedule.every, EvaluationCallback(schedule.metrics, schedule.n, ExtractorSpec(schedule.extractor)))
