"""agon data and agon sample: what a source holds, and what a run generates."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from agon.cli.shared import Set, Where, assignments, changed, of_data
from agon.terminal import say


def data(
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")],
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
    settings = of_data(assignments(set_))
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
