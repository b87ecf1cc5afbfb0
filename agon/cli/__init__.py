"""The command line: parses, looks names up, calls one function."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro

from agon.cli.arguments import parsed
from agon.cli.battle import Battle
from agon.cli.evaluate import Evaluate
from agon.cli.shared import Runs, Set, Sets, Where, changed, page, replicated, source_of, spread
from agon.cli.shared import report as reported
from agon.cli.train import Train, watching
from agon.errors import AgonError, Interrupted, SettingError, refused
from agon.terminal import let_go, say, usable_streams, warn


def recipes(beginning: Annotated[str, tyro.conf.Positional] = "", /) -> None:
    """Tell what there is, to train and to reproduce: name, paper, claim, cost.

    Args:
        beginning: Of the names to tell, e.g. im2016 or im2016/mnist; by default all.
    """
    from agon.papers import ITEMS, Item
    from agon.recipes import RECIPES, Recipe

    listed: list[Recipe | Item] = [*RECIPES.values(), *ITEMS.values()]
    found = [each for each in listed if each.name.startswith(beginning)]
    if not found:
        papers = sorted({each.name.partition("/")[0] for each in listed})
        raise SettingError(f"no recipe's name begins with '{beginning}'; there are those of {', '.join(papers)}")
    for each in found:
        cost = ", ".join(f"{scale} {_minutes(m)}" for scale, m in each.minutes.items())
        say(each.name, f"    {each.paper}: {each.claim}", f"    {cost}")


def data(
    source: Annotated[str, tyro.conf.Positional],
    /,
    set_: Set = (),
    out: Path | None = None,
    n: int = 64,
    check: bool = False,
) -> None:
    """Tell what a source is: count, shape, range, classes, splits.

    Args:
        source: A folder, a file, a Hub name, or the name of a toy.
        set_: Change one setting of the source.
        out: Write a picture of n samples here.
        n: How many samples the picture shows.
        check: Decode every image, and name those that cannot be read.
    """
    from agon.data import named
    from agon.data.description import describe
    from agon.samples import first_samples, write

    described = changed(named(source), [setting.removeprefix("data.") for setting in set_])
    say(*describe(described).splitlines())
    if check:
        say(*described.check().splitlines())
    if out is not None:
        say(write(first_samples(described, n), described, out))


def resume(
    run: Where,
    /,
    steps: int | None = None,
    devices: int | None = None,
    trust: bool = False,
    watch: str = "",
    watch_every: int = 1_000,
    watch_n: int = 5_000,
    watch_extractor: str = "inception",
) -> None:
    """Go on with a run from its last good checkpoint, bit for bit; or with all of train --seeds.

    Args:
        run: The run directory, or that of many seeds.
        steps: A longer budget.
        devices: Another number of processes.
        trust: Allow the run to import classes that are not agon's.
        watch: Metrics to take while it trains, as agon evaluate names them, with commas between.
        watch_every: Steps from one to the next.
        watch_n: Samples of each, always of the same latents.
        watch_extractor: Of their features: inception, classifier or pixels.
    """
    from agon.runs import Run
    from agon.training import is_main_process, replicates
    from agon.training import resume as go_on

    if not (run / REPLICATES).exists():
        source = source_of(Run.open(run), trust) if watch else None
        looks = watching(watch, watch_every, watch_n, watch_extractor, source, devices or 1)
        trained = go_on(run, steps=steps, devices=devices, trust=trust, watch=looks)
        if is_main_process():
            reported([trained], run)
        return
    if devices is not None or watch:
        raise SettingError("agon resume: expected no --devices and no --watch for many seeds; leave them out")
    replicated(partial(replicates.resume, run, steps=steps, trust=trust), run)


def sample(
    run: Where,
    /,
    out: Path,
    n: int = 64,
    seed: int = 0,
    interpolate: int = 0,
    weights: Literal["averaged", "live"] = "averaged",
    trust: bool = False,
) -> None:
    """Sample a run: a grid (.png), arrays (.npz), or a folder of PNGs.

    Args:
        run: The run directory.
        out: NAME.png, NAME.npz, or a folder.
        n: How many samples; with --interpolate, how many paths.
        seed: Of the latents.
        interpolate: Samples along each path between two latents (spherical for normal latents); 0 for none.
        weights: The average over the last steps, where the run keeps one, or those of the last step.
        trust: Allow the run to import classes that are not agon's.
    """
    from agon import samples as sampling
    from agon.runs import Run

    training = sampling.load(Run.open(run), trust=trust, weights=weights)
    if interpolate:
        samples, columns = sampling.interpolate(training, n, interpolate, seed), interpolate
    else:
        samples, columns = sampling.sample(training, n, seed), None
    say(sampling.write(samples, training.experiment.data, out, columns))


def report(runs: Runs, /, out: Path | None = None) -> None:
    """Write one page about one run, or several side by side.

    Args:
        runs: Run directories, or those of many seeds.
        out: The page; by default report.html in the first of these directories.
    """
    from agon.runs.layout import REPORT

    if not runs:
        raise SettingError("agon report: expected one run directory or more, got none")
    page(spread(runs), out or runs[0] / REPORT)


def reproduce(
    item: Annotated[str, tyro.conf.Positional],
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
    from agon.papers import items
    from agon.papers import reproduce as make
    from agon.training import Arithmetic

    for name in items(item):
        say(make(name, out, scale=scale, seeds=seeds, data=data, arithmetic=Arithmetic(device=device)))


INTERNAL = 70  # EX_SOFTWARE of sysexits.h

COMMANDS: dict[str, Callable[..., object]] = {
    "recipes": recipes,
    "data": data,
    "train": Train,
    "resume": resume,
    "sample": sample,
    "evaluate": Evaluate,
    "battle": Battle,
    "report": report,
    "reproduce": reproduce,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; users' errors are one sentence on standard error and a non-zero status."""
    with usable_streams():
        try:
            parsed(COMMANDS, sys.argv[1:] if arguments is None else arguments)()
        except AgonError as error:
            return _told(error)
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:  # agon ... | head
            let_go()
        except Exception as error:
            return _unforeseen(error)
        return 0


def _told(error: AgonError) -> int:
    """Say what a user can mend, once for all processes of a training; the first one alone says that it was stopped."""
    if os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) in ("", "0"):
        warn(f"agon: {error.typed}")
    if isinstance(error, Interrupted):
        from agon.training import is_main_process

        return error.status if is_main_process() else 0
    return error.status


def _unforeseen(error: Exception) -> int:
    """What the system refused, as any user's error; or a bug of ours: no traceback unless it is asked for."""
    if "AGON_DEBUG" in os.environ:
        raise error
    known = refused(error)
    if known is not None:
        return _told(known)
    warn(f"agon: internal error: {error!r}; please report it with what AGON_DEBUG=1 shows")
    return INTERNAL


def _minutes(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g} min"
