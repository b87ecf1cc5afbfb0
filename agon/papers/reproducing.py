"""reproduce: run an item's trainings, then write its pictures, tables and numbers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agon.errors import SettingError
from agon.jobs import PROCESSES, Place
from agon.papers.catalogue import find_item
from agon.papers.controls import measured_controls
from agon.papers.item import Item, TrainedRuns
from agon.papers.joining import check_joins, joined
from agon.papers.numbers import numbers
from agon.papers.page import page
from agon.papers.results import read_result
from agon.papers.rows import with_rows
from agon.papers.sources import places
from agon.papers.storing import addresses, begin
from agon.papers.trainings import PlacedExperiment, experiments
from agon.recipes import Scale
from agon.runs import Directory, Run
from agon.runs.files import AGAIN, clear
from agon.runs.mirrors import Addresses, mirror_now, sync_all
from agon.terminal.waiting import stage, tracked, waiting
from agon.training import Compute
from agon.training.replicates import train_many


def reproduce(
    name: str,
    out: Path | None = None,
    *,
    scale: Scale = "quick",
    seed: int = 0,
    seeds: int | None = None,
    join: Sequence[Path] = (),
    data: Sequence[str] = (),
    rows: Sequence[str] = (),
    compute: Compute | None = None,
    on: Place = PROCESSES,
    storage: str = "",
    show: bool = True,
) -> Path:
    """Train what an item needs, measure it and its controls, and write its pictures, tables and numbers.

    Items of a paper share trainings, each in its own folder `RECIPE/seed-0`. A second call resumes stopped trainings,
    keeps finished ones, and adds further seeds. The runs at step 0 of the controls are in `controls/untrained`.

    Args:
        name: a key of ITEMS.
        out: folder for the item's files and the runs; by default runs/PAPER-SCALE.
        scale: scale of every training.
        seed: the first seed of each training.
        seeds: number of seeds (`seed`, `seed` + 1, ...); by default the item's own number.
        join: JSON files of the item with other seeds, from another folder or machine, to judge all of them together
            (`joining`).
        data: replacements for sets of images: "mnist=FOLDER", or "FOLDER" for all; see `sources.places`.
        rows: words of the rows to make, such as "MNIST"; by default all of them, see `rows.with_rows`. Only what they
            need is trained.
        compute: how each training computes; by default on the best device in float32, with one thread.
        on: where the trainings run: "processes" of this machine, "ray", "ray://HOST:PORT", or with time limits an
            `agon.jobs.OnProcesses` or `OnRay`.
        storage: address at which the folder and all its runs are mirrored, as of `train`: the run of a recipe's seed 0
            below it at "RECIPE/seed-0". The same call goes on on another machine. By default the one that the folder
            has.
        show: whether to show progress on standard error.

    Returns:
        Path of the page of tables; pictures and numbers have the same name with .png and .json.

    Raises:
        SettingError: the item, a row or a set is unknown, or `seeds` is below 1.
        RunError: the folder cannot be written, or holds trainings with other settings; or the storage is of another
            paper or scale, or does not answer; or a file to join is not of the same trainings.
        NotMirroredError: the page is made, and storage does not have all of it.
        ReplicatesError: some trainings failed; the others are done.
        Interrupted: SIGINT or SIGTERM arrived; the same call resumes.
    """
    item = with_rows(find_item(name), rows)
    count = item.seeds if seeds is None else seeds
    if count < 1:
        raise SettingError(f"seeds: expected at least 1, got {count}")
    own_seeds, others = range(seed, seed + count), [read_result(path) for path in join]
    asked = {"asked": list(rows)} if rows else {}
    check_joins({"item": name, "scale": scale, **asked}, own_seeds, others)
    paper = name.partition("/")[0]
    folder = Path("runs", f"{paper}-{scale}") if out is None else out
    placed = experiments(item, folder, scale, own_seeds, places(data))
    paths = [each.path for of_seeds in placed.values() for each in of_seeds]
    mirrored_at = addresses(folder, paths, begin(folder, paper, scale, storage))
    runs = _trained(placed, mirrored_at, compute, on, show)
    with waiting(show):
        measured = _measured(item, folder, runs, own_seeds, scale, places(data), compute)
        if rows:
            measured |= {**asked, "left out": [row for row in find_item(name).rows if row not in item.rows]}
        with stage(f"drawing {name}"):
            pictures = item.draw(runs, scale)
    written = _written(folder, joined(item, measured, others) if others else measured, pictures)
    sync_all(mirrored_at, show)  # the scores, which were recorded in the runs
    mirror_now(folder)
    return written


def _measured(
    item: Item,
    folder: Path,
    runs: TrainedRuns,
    seeds: Sequence[int],
    scale: Scale,
    at: Mapping[str, str],
    compute: Compute | None,
) -> dict[str, Any]:
    """The numbers of an item and of its controls."""
    of_seeds = [
        item.measure({label: of_label[place] for label, of_label in runs.items()}, scale)
        for place in tracked(range(len(seeds)), f"measuring {item.name}, seed by seed", len(seeds))
    ]
    controls = measured_controls(item, folder, scale, seeds, at, compute)
    with stage(f"comparing the seeds of {item.name}"):
        panels = item.panels(runs, scale) if item.panels is not None else ()
    return numbers(item, scale, runs, of_seeds, folder, controls, panels)


def _written(folder: Path, measured: dict[str, Any], pictures: Mapping[str, bytes]) -> Path:
    """Write an item's pictures, numbers and page into the folder of its paper; the page."""
    short, files = measured["item"].partition("/")[2], Directory(folder, then=AGAIN)
    clear(folder)
    for ending, content in pictures.items():
        files.write(f"{short}{ending}", content)
    measured["pictures"] = [f"{short}{ending}" for ending in pictures]
    files.write(f"{short}.json", (json.dumps(measured, indent=1) + "\n").encode())
    files.write(f"{short}.md", page(measured).encode())
    return folder / f"{short}.md"


def _trained(
    placed: Mapping[str, Sequence[PlacedExperiment]],
    mirrored_at: Addresses,
    compute: Compute | None,
    on: Place,
    show: bool,
) -> dict[str, list[Run]]:
    """A finished run for every training and seed: newly trained, resumed, or already there."""
    known = {each.path: each for of_seeds in placed.values() for each in of_seeds}
    runs = train_many(
        {path: each.experiment for path, each in known.items()},
        compute=compute,
        callbacks={path: each.callback for path, each in known.items() if each.callback is not None},
        on=on,
        storage=mirrored_at,
        show=show,
    )
    return {label: [runs[each.path] for each in of_seeds] for label, of_seeds in placed.items()}
