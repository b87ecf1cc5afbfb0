"""agon report and agon reproduce: a page about runs, and a paper's tables and figures."""

from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.arguments import check_seed
from agon.cli.catalogue import check_items, check_rows
from agon.cli.checks import check_sets, check_shown
from agon.cli.shared import (
    CpusOption,
    DataOptions,
    GpusOption,
    MinutesOption,
    OnOption,
    ProgressOption,
    RunPaths,
    ScriptOption,
    StorageOption,
    place_named,
    run_script,
    spread,
    write_report,
)
from agon.errors import SettingError
from agon.runs.entered import is_arena
from agon.runs.layout import SWEEP
from agon.runs.mirrors import check_storage
from agon.runs.named import local
from agon.terminal import say

JoinOption = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE"), tyro.conf.UseAppendAction]
RowsOption = Annotated[tuple[str, ...], tyro.conf.arg(metavar="WORD"), tyro.conf.UseAppendAction]


def report(runs: RunPaths, /, out: Path | None = None, trust: bool = False, from_: ScriptOption = None) -> None:
    """Write one HTML page about one run, several side by side, a sweep, or a tournament.

    Args:
        runs: Run directories, or directories of many seeds; or the folder of a sweep; or that of a tournament, and
            JSON files of comparisons to show with it.
        out: File to write; by default report.html in the first directory.
        trust: Allow the runs to import classes from outside agon, which runs their code, to diagnose them.
        from_: Run this script of yours, up to its first training, for the classes that the runs have from it.
    """
    if not runs:
        raise SettingError("agon report: expected one run directory or more, got none")
    runs = tuple(map(local, runs))
    if is_arena(runs) or (len(runs) == 1 and (runs[0] / SWEEP).is_file()):
        write_report(runs, out)
        return
    check_shown(runs)
    from agon.runs.layout import REPORT

    run_script(from_)
    write_report(spread(runs), out or runs[0] / REPORT, trust)


def reproduce(
    item: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ITEM")],
    /,
    scale: Literal["smoke", "quick", "paper"] = "quick",
    seed: int = 0,
    seeds: int | None = None,
    join: JoinOption = (),
    out: Path | None = None,
    data: DataOptions = (),
    rows: RowsOption = (),
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    on: OnOption = "processes",
    cpus_per_job: CpusOption = None,
    gpus_per_job: GpusOption = None,
    minutes_per_job: MinutesOption = None,
    minutes_without_progress: ProgressOption = None,
    storage: StorageOption = "",
) -> None:
    """Reproduce a table or figure of a paper: train, measure and draw. The same command continues what was stopped.

    Args:
        item: Name of an item, e.g. metz2017/figure1, or of a paper for all its items; agon recipes lists them.
        scale: Size of the trainings: smoke takes seconds, quick takes minutes, paper is the paper's own size.
        seed: First seed of each training.
        seeds: Number of seeds of each training, from --seed on; by default the item's own.
        join: The item's JSON with other seeds, from another folder or machine, to judge all seeds together.
        out: Folder for results and runs, which the items of a paper share; by default runs/PAPER-SCALE.
        data: Read a set of images from here, e.g. mnist=FOLDER.
        rows: Make these rows alone, and train what they need, e.g. MNIST; a word of a row, a training or a recipe.
        device: Device to compute on; auto takes the best one.
        on: Where the trainings run.
        cpus_per_job: With --on ray, cores of each training.
        gpus_per_job: With --on ray, GPUs of each training.
        minutes_per_job: Time limit of each training.
        minutes_without_progress: Limit of the time without a step.
        storage: Mirror the folder and its runs to this address; the same command goes on on any machine.
    """
    check_items(item)
    check_rows(item, rows)
    where = place_named(on, cpus_per_job, gpus_per_job, minutes_per_job, minutes_without_progress)
    check_sets(data)
    check_storage(storage)
    if seeds is not None and seeds < 1:
        raise SettingError(f"seeds: expected at least 1, got {seeds}")
    check_seed(seed, "--seed")
    from agon.papers import items
    from agon.papers import reproduce as reproduce_item
    from agon.training import Compute

    which: dict[str, Any] = {"scale": scale, "seed": seed, "seeds": seeds, "join": join, "rows": rows}
    how: dict[str, Any] = {"data": data, "on": where, "storage": storage}
    for name in items(item):
        say(reproduce_item(name, out, compute=Compute(device=device), **which, **how))
