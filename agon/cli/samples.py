"""agon data and agon sample: describe a data set, and draw samples from a run."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.arguments import check_samples, check_written
from agon.cli.checks import check_source, refuse_idle
from agon.cli.shared import (
    RunPath,
    ScriptOption,
    SetOptions,
    SizeOption,
    SkipOption,
    assignments,
    image_settings,
    of_data,
    run_script,
    source_named,
)
from agon.errors import SettingError
from agon.runs.named import local
from agon.runs.taken import refuse_no_run
from agon.terminal import say

N = 64  # samples by default
NAMED = 20  # rows of a grid whose classes are printed


def data(
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")],
    /,
    size: SizeOption = None,
    skip_corrupt: SkipOption = False,
    set_: SetOptions = (),
    out: Path | None = None,
    n: int = N,
    check: bool = False,
) -> None:
    """Describe a data set as a training will meet it: samples, sizes, classes, copies, broken files, memory, time.

    Args:
        source: A folder, a file, a Hub name, or the name of a toy distribution such as ring.
        size: Crop images at the centre and resize them to this side, e.g. 64, or to HEIGHTxWIDTH, e.g. 48x64.
        skip_corrupt: Leave out images that cannot be read, instead of refusing the set.
        set_: Change one setting of the source.
        out: Write a picture of n samples to this file.
        n: Number of samples in the picture.
        check: Look at every image, decode it, and list those that cannot be read.
    """
    settings = of_data([*image_settings(size, skip_corrupt), *assignments(set_)])
    check_source(source)
    if out is None:
        refuse_idle({"--n": n != N}, "--out FILE")
    else:
        check_samples(n)
        check_written(out)
    from agon.data import Images, settle
    from agon.data.description import describe
    from agon.samples import first_samples, write
    from agon.terminal.waiting import stage, waiting

    with waiting(), stage("opening the data"):
        described, reasons = settle(source_named(source, settings))
        lines = describe(described).splitlines()
    say(*lines, *aligned_reasons(reasons))
    if isinstance(described, Images) and not described.streaming:
        looked_at(described, check)
    elif check:
        with waiting(), stage("checking the data"):
            verdict = described.check().splitlines()
        say(*verdict)
    if out is not None:
        say(write(first_samples(described, n), described, out))


def aligned_reasons(reasons: Sequence[str]) -> list[str]:
    """Return a line for each setting that was chosen."""
    from agon.data.description import aligned

    return aligned([("chosen", reason) for reason in reasons])


def looked_at(images: Any, check: bool) -> None:
    """Print what an inspection of the images finds.

    Raises:
        DataError: with `check`, some images cannot be read, and are not left out.
    """
    from agon.data.description import aligned
    from agon.data.findings import findings
    from agon.data.inspection import inspect

    found = inspect(images, everything=check)
    say(*aligned(findings(images, found)))
    if check:
        say(found.verdict(images.skip_corrupt))


def sample(
    run: RunPath,
    /,
    out: Path,
    n: int = N,
    seed: int = 0,
    interpolate: int = 0,
    training: bool = False,
    class_: Annotated[str | None, tyro.conf.arg(name="class", metavar="CLASS")] = None,
    truncation: float | None = None,
    weights: Literal["average", "live"] = "average",
    step: int | None = None,
    trust: bool = False,
    from_: ScriptOption = None,
) -> None:
    """Draw samples from a run: a grid, arrays, a table of points, a folder of PNGs, or a moving picture.

    If the run's generator takes labels, each row of a grid shows one class, and arrays have the labels beside them.

    Args:
        run: Run directory.
        out: File NAME.png or NAME.npz, or a folder for one PNG a sample; NAME.csv for points; NAME.gif or NAME.mp4 with
            --interpolate or --training.
        n: Number of samples; with --interpolate, number of paths.
        seed: Seed of the latents.
        interpolate: Number of samples along each path between two latents (spherical for normal latents); 0 draws
            independent samples.
        training: Show the samples that the run kept at several steps of its training, as NAME.gif or NAME.mp4.
        class_: Draw this class alone, by its name or number, from a run whose generator takes labels.
        truncation: Draw coordinates of normal latents only within this many standard deviations: less variety, better
            samples. 0.7 is usual.
        weights: Sample with weights averaged over the last steps, if the run keeps an average, or with the live ones.
        step: Step of a checkpoint that the run has kept; by default the last one.
        trust: Allow the run to import classes from outside agon, which runs their code.
        from_: Run this script of yours, up to its first training, for the classes that the run has from it.
    """
    if interpolate < 0:
        raise SettingError(f"--interpolate: expected at least 1 sample along each path, got {interpolate}")
    if truncation is not None and not 0 < truncation < math.inf:
        raise SettingError(f"--truncation: expected a number over 0, got {truncation}; use 0.7")
    check_written(out)
    moving = out.suffix in (".gif", ".mp4")
    if moving and not (interpolate or training):
        raise SettingError(f"--out: expected --interpolate STEPS or --training for a moving picture, got {out} alone")
    check_samples(n)
    run = local(run)
    refuse_no_run(run)
    from agon import samples as sampling
    from agon.runs import Run
    from agon.samples.moving import write_training
    from agon.terminal.waiting import stage, waiting

    if training:
        others = {"--n": n != N, "--seed": seed != 0, "--interpolate": interpolate > 0, "--class": class_ is not None}
        others |= {
            "--truncation": truncation is not None,
            "--weights": weights != "average",
            "--step": step is not None,
        }
        _refuse_beside_training([option for option, given in others.items() if given])
        with waiting(), stage("moving picture"):
            write_training(Run.open(run), out)
        say(out)
        return
    run_script(from_)
    with waiting(), stage("samples"):
        loaded = sampling.load(Run.open(run), trust=trust, weights=weights, step=step)
        if interpolate:
            drawn = sampling.walked(loaded, n, interpolate, seed, label=class_, truncation=truncation)
        elif class_ is None and out.suffix == ".png":
            drawn = sampling.by_class(loaded, n, seed, truncation)
        else:
            drawn = sampling.draw(loaded, n, seed, class_, truncation)
        written = written_samples(drawn, loaded.experiment.data, out)
    say(*written)


def _refuse_beside_training(options: Sequence[str]) -> None:
    """Refuse options that the samples of a training, which the run has kept, cannot follow."""
    if options:
        raise SettingError(
            f"--training: expected no {' and no '.join(options)} beside it, which shows the samples that the run kept; "
            "leave one of them out"
        )


def written_samples(drawn: Any, source: Any, out: Path) -> list[str]:
    """Write samples, and return the path, and the classes of a grid's rows."""
    from agon.samples import write
    from agon.samples.moving import ENDINGS, write_walk

    if out.suffix in ENDINGS:
        return [str(write_walk(drawn.samples, source, drawn.columns, out))]
    lines = [str(write(drawn.samples, source, out, drawn.columns, drawn.labels))]
    if drawn.labels is not None and drawn.columns:
        rows = [source.classes[label] for label in drawn.labels[:: drawn.columns].tolist()]
        lines.append(f"rows from the top: {', '.join(rows[:NAMED])}{', ...' if len(rows) > NAMED else ''}")
    return lines
