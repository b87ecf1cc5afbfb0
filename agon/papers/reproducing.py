"""reproduce: run an item's trainings, then write its pictures, tables and numbers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from agon.errors import SettingError
from agon.jobs import PROCESSES, Place
from agon.papers.catalogue import find_item
from agon.papers.controls import measured_controls
from agon.papers.numbers import numbers
from agon.papers.page import page
from agon.papers.rows import with_rows
from agon.papers.sources import places
from agon.papers.storing import addresses, begin
from agon.papers.trainings import PlacedExperiment, experiments
from agon.recipes import Scale
from agon.runs import Directory, Run
from agon.runs.files import clear
from agon.runs.mirrors import Addresses, mirror_now, sync_all
from agon.training import Compute
from agon.training.replicates import train_many


def reproduce(
    name: str,
    out: Path | None = None,
    *,
    scale: Scale = "quick",
    seeds: int | None = None,
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
        seeds: number of seeds (0, 1, ...); by default the item's own number.
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
            paper or scale, or does not answer.
        NotMirroredError: the page is made, and storage does not have all of it.
        ReplicatesError: some trainings failed; the others are done.
        Interrupted: SIGINT or SIGTERM arrived; the same call resumes.
    """
    item = with_rows(find_item(name), rows)
    count = item.seeds if seeds is None else seeds
    if count < 1:
        raise SettingError(f"seeds: expected at least 1, got {count}")
    paper, _, short = name.partition("/")
    folder = Path("runs", f"{paper}-{scale}") if out is None else out
    placed = experiments(item, folder, scale, range(count), places(data))
    paths = [each.path for of_seeds in placed.values() for each in of_seeds]
    mirrored_at = addresses(folder, paths, begin(folder, paper, scale, storage))
    runs = _trained(placed, mirrored_at, compute, on, show)
    measured_rows = [item.measure({label: run[seed] for label, run in runs.items()}, scale) for seed in range(count)]
    controls = measured_controls(item, folder, scale, count, places(data), compute)
    panels = item.panels(runs, scale) if item.panels is not None else ()
    measured = numbers(item, scale, runs, measured_rows, folder, controls, panels)
    if rows:
        measured |= {"asked": list(rows), "left out": [row for row in find_item(name).rows if row not in item.rows]}
    pictures, files = item.draw(runs, scale), Directory(folder)
    clear(folder)
    for ending, content in pictures.items():
        files.write(f"{short}{ending}", content)
    measured["pictures"] = [f"{short}{ending}" for ending in pictures]
    files.write(f"{short}.json", (json.dumps(measured, indent=1) + "\n").encode())
    files.write(f"{short}.md", page(measured).encode())
    sync_all(mirrored_at, show)  # the scores, which were recorded in the runs
    mirror_now(folder)
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
