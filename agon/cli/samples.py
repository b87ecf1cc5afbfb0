"""agon data and agon sample: describe a data set, and draw samples from a run."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from agon.cli.checks import check_samples, check_source
from agon.cli.shared import RunPath, SetOptions, assignments, changed, of_data
from agon.errors import SettingError
from agon.runs.named import local
from agon.runs.taken import refuse_no_run
from agon.terminal import say


def data(
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")],
    /,
    set_: SetOptions = (),
    out: Path | None = None,
    n: int = 64,
    check: bool = False,
) -> None:
    """Describe a data set: number of samples, shape, range, classes, splits.

    Args:
        source: A folder, a file, a Hub name, or the name of a toy distribution such as ring.
        set_: Change one setting of the source.
        out: Write a picture of n samples to this file.
        n: Number of samples in the picture.
        check: Decode every image, and list those that cannot be read.
    """
    settings = of_data(assignments(set_))
    check_source(source)
    if out is not None:
        check_samples(n)
    from agon.data import named
    from agon.data.description import describe
    from agon.samples import first_samples, write

    described = changed(named(source), settings)
    say(*describe(described).splitlines())
    if check:
        say(*described.check().splitlines())
    if out is not None:
        say(write(first_samples(described, n), described, out))


def sample(
    run: RunPath,
    /,
    out: Path,
    n: int = 64,
    seed: int = 0,
    interpolate: int = 0,
    weights: Literal["averaged", "live"] = "averaged",
    trust: bool = False,
) -> None:
    """Draw samples from a run: a grid (.png), arrays (.npz), or a folder of PNGs.

    Args:
        run: Run directory.
        out: File NAME.png or NAME.npz, or a folder for one PNG a sample.
        n: Number of samples; with --interpolate, number of paths.
        seed: Seed of the latents.
        interpolate: Number of samples along each path between two latents (spherical for normal latents); 0 draws
            independent samples.
        weights: Sample with weights averaged over the last steps, if the run keeps an average, or with the last ones.
        trust: Allow the run to import classes from outside agon, which runs their code.
    """
    if interpolate < 0:
        raise SettingError(f"--interpolate: expected at least 1 sample along each path, got {interpolate}")
    check_samples(n)
    run = local(run)
    refuse_no_run(run)
    from agon import samples as sampling
    from agon.runs import Run

    training = sampling.load(Run.open(run), trust=trust, weights=weights)
    if interpolate:
        samples, columns = sampling.interpolate(training, n, interpolate, seed), interpolate
    else:
        samples, columns = sampling.sample(training, n, seed), None
    say(sampling.write(samples, training.experiment.data, out, columns))
