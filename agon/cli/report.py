"""agon report and agon reproduce: the page of runs, and the pages of a paper's tables and figures."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from agon.cli.catalogue import check_items
from agon.cli.shared import Runs, Sets, spread, write_report
from agon.errors import SettingError
from agon.terminal import say


def report(runs: Runs, /, out: Path | None = None) -> None:
    """Write one page about one run, or several side by side.

    Args:
        runs: Run directories, or those of many seeds.
        out: The page; by default report.html in the first of these directories.
    """
    if not runs:
        raise SettingError("agon report: expected one run directory or more, got none")
    from agon.runs.layout import REPORT

    write_report(spread(runs), out or runs[0] / REPORT)


def reproduce(
    item: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ITEM")],
    /,
    scale: Literal["smoke", "quick", "paper"] = "quick",
    seeds: int | None = None,
    out: Path | None = None,
    data: Sets = (),
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> None:
    """Train, measure and draw what a paper's table or figure shows; going on where it was stopped.

    Args:
        item: Its name, e.g. metz2017/figure1, or a paper's, for all of its items; agon recipes tells which there are.
        scale: Seconds, minutes, or the paper's own size.
        seeds: How many of each training; by default the item's own number.
        out: The folder of its files and runs, which the items of a paper share; by default runs/PAPER-SCALE.
        data: What stands at the place of a set of images, e.g. mnist=FOLDER, or FOLDER for all; may be repeated.
        device: Where to compute.
    """
    check_items(item)
    from agon.papers import items
    from agon.papers import reproduce as make
    from agon.training import Compute

    for name in items(item):
        say(make(name, out, scale=scale, seeds=seeds, data=data, compute=Compute(device=device)))
