"""The command line: parses, looks names up, calls one function."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.arguments import parsed
from agon.errors import AgonError, SettingError

Set = Annotated[
    tuple[str, ...],
    tyro.conf.arg(name="set", metavar="PART.FIELD=VALUE", help="Change one setting; may be repeated."),
    tyro.conf.UseAppendAction,
]
Runs = Annotated[tuple[Path, ...], tyro.conf.Positional]
Where = Annotated[Path, tyro.conf.Positional]


def recipes(beginning: Annotated[str, tyro.conf.Positional] = "", /) -> None:
    """Tell what there is, to train and to reproduce: name, paper, claim, cost.

    Args:
        beginning: Of the names to tell, e.g. im2016 or im2016/mnist; by default all.
    """
    from agon.recipes import ITEMS, RECIPES, Item, Recipe

    listed: list[Recipe | Item] = [*RECIPES.values(), *ITEMS.values()]
    found = [each for each in listed if each.name.startswith(beginning)]
    if not found:
        papers = sorted({each.name.partition("/")[0] for each in listed})
        raise SettingError(f"no recipe's name begins with '{beginning}'; there are those of {', '.join(papers)}")
    for each in found:
        cost = ", ".join(f"{scale} {_minutes(m)}" for scale, m in each.minutes.items())
        print(f"{each.name}\n    {each.paper}: {each.claim}\n    {cost}")


def data(source: Annotated[str, tyro.conf.Positional], /, set_: Set = (), out: Path | None = None, n: int = 64) -> None:
    """Tell what a source is: count, shape, range, classes, splits.

    Args:
        source: A folder, a file, a Hub name, or the name of a toy.
        set_: Change one setting of the source.
        out: Write a picture of n samples here.
        n: How many samples the picture shows.
    """
    from agon.data import Stream, named
    from agon.data.description import describe
    from agon.sampling import write

    described = _changed(named(source), [setting.removeprefix("data.") for setting in set_])
    print(describe(described))
    if out is not None:
        print(write(Stream(described, batch=1, seed=0).first(n), described, out))


@dataclass
class Train:
    """Train a recipe from its beginning, into a new run directory."""

    recipe: tyro.conf.Positional[str]
    """Its name; agon recipes tells which there are."""
    out: Path
    """The run directory: new, or empty."""
    data: str | None = None
    """A folder, a file, a Hub name, or the name of a toy; by default the recipe's own."""
    scale: Literal["smoke", "quick", "paper"] = "quick"
    """Seconds, minutes, or the paper's own size."""
    seed: int = 0
    """Every random stream derives from it."""
    seeds: int | None = None
    """As many trainings, of this seed and those after it, each in a run directory of its own."""
    means: Literal["auto", "processes", "batched"] = "auto"
    """With --seeds, how several are trained at once; auto takes what measures fastest."""
    steps: int | None = None
    """Another budget than the recipe's."""
    set_: Set = ()
    """Change one setting, e.g. --set game.generator.width=32 or --set game.objective=hinge."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""
    devices: int = 1
    """Processes of one device each; they share each batch."""
    precision: Literal["fp32", "bf16", "fp64"] = "fp32"
    """Of the networks."""
    threads: int = 0
    """Of each process; 0 takes all cores, or with --seeds one."""
    compile: Literal["auto", "on", "off"] = "auto"
    """The look-ahead, or the networks, by torch's compiler; auto where it is known or measured to be faster."""

    memory: float = 4.0
    """GiB of decoded data that may stand on the device; more is mapped from the cache."""

    def __call__(self) -> None:
        from agon.replicates import replicate
        from agon.training import Arithmetic, train

        names = ("device", "devices", "precision", "threads", "compile", "memory")
        arithmetic = Arithmetic(**{name: getattr(self, name) for name in names})
        if self.seeds is None:
            _report([train(self.experiment(), self.out, arithmetic=arithmetic)], self.out)
        else:
            many = partial(replicate, self.experiment(), self.out, self.seeds, means=self.means)
            _replicated(partial(many, arithmetic=arithmetic), self.out)

    def experiment(self) -> Any:
        """The recipe's experiment, as changed; the data first, since layers take their sizes from it."""
        from agon.data import named
        from agon.recipes import find

        recipe = find(self.recipe)
        source = recipe.data(self.scale) if self.data is None else named(self.data)
        of_data = [s.removeprefix("data.") for s in self.set_ if s.startswith("data.")]
        experiment = recipe.experiment(_changed(source, of_data), self.scale)
        experiment = replace(experiment, seed=self.seed, steps=experiment.steps if self.steps is None else self.steps)
        return _changed(experiment, [s for s in self.set_ if not s.startswith("data.")])


def resume(run: Where, /, steps: int | None = None, devices: int | None = None, trust: bool = False) -> None:
    """Go on with a run from its last good checkpoint, bit for bit; or with all of train --seeds.

    Args:
        run: The run directory, or that of many seeds.
        steps: A longer budget.
        devices: Another number of processes.
        trust: Allow the run to import classes that are not agon's.
    """
    from agon import replicates
    from agon.training import resume as go_on

    if not (run / replicates.FILE).exists():
        _report([go_on(run, steps=steps, devices=devices, trust=trust)], run)
        return
    if devices is not None:
        raise SettingError("agon resume: expected no --devices for a directory of many seeds; leave it out")
    _replicated(partial(replicates.resume, run, steps=steps, trust=trust), run)


def sample(run: Where, /, out: Path, n: int = 64, seed: int = 0, interpolate: int = 0, trust: bool = False) -> None:
    """Sample a run: a grid (.png), arrays (.npz), or a folder of PNGs.

    Args:
        run: The run directory.
        out: NAME.png, NAME.npz, or a folder.
        n: How many samples; with --interpolate, how many paths.
        seed: Of the latents.
        interpolate: Samples along each path between two latents (spherical for normal latents); 0 for none.
        trust: Allow the run to import classes that are not agon's.
    """
    from agon import sampling
    from agon.runs import Run

    training = sampling.load(Run.open(run), trust=trust)
    if interpolate:
        samples, columns = sampling.interpolate(training, n, interpolate, seed), interpolate
    else:
        samples, columns = sampling.sample(training, n, seed), None
    print(sampling.write(samples, training.experiment.data, out, columns))


def evaluate(runs: Runs, /, n: int = 500, seed: int = 0, trust: bool = False) -> None:
    """Score the samples of runs: of images by a classifier of their own data, of points by the modes they cover.

    Args:
        runs: Run directories.
        n: How many samples.
        seed: Of the latents.
        trust: Allow the runs to import classes that are not agon's.
    """
    from agon.evaluate import evaluate as score
    from agon.runs import Run

    if not runs:
        raise SettingError("agon evaluate: expected one run directory or more, got none")
    for path in runs:
        for each in score(Run.open(path), n=n, seed=seed, trust=trust):
            print(each)


def report(runs: Runs, /, out: Path | None = None) -> None:
    """Write one page about one run, or several side by side.

    Args:
        runs: Run directories.
        out: The page; by default report.html in the first run.
    """
    if not runs:
        raise SettingError("agon report: expected one run directory or more, got none")
    _page(runs, out or runs[0] / "report.html")


def reproduce(
    item: Annotated[str, tyro.conf.Positional],
    /,
    scale: Literal["smoke", "quick", "paper"] = "quick",
    seeds: int = 5,
    out: Path | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> None:
    """Train, measure and draw what a paper's table or figure shows; going on where it was stopped.

    Args:
        item: Its name, e.g. metz2017/figure1; agon recipes tells which there are.
        scale: Seconds, minutes, or the paper's own size.
        seeds: How many of each training.
        out: The folder of its files and runs; by default runs/ITEM-SCALE.
        device: Where to compute.
    """
    from agon.reproduce import reproduce as make
    from agon.training import Arithmetic

    print(make(item, out, scale=scale, seeds=seeds, arithmetic=Arithmetic(device=device)))


INTERNAL = 70  # EX_SOFTWARE of sysexits.h

COMMANDS: dict[str, Callable[..., object]] = {
    "recipes": recipes,
    "data": data,
    "train": Train,
    "resume": resume,
    "sample": sample,
    "evaluate": evaluate,
    "report": report,
    "reproduce": reproduce,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; users' errors are one sentence on standard error and a non-zero status."""
    try:
        parsed(COMMANDS, sys.argv[1:] if arguments is None else arguments)()
    except AgonError as error:
        if int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0:
            print(f"agon: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # agon ... | head
        return 0
    except Exception as error:  # a bug of ours: still no traceback unless it is asked for
        if "AGON_DEBUG" in os.environ:
            raise
        print(f"agon: internal error: {error!r}; please report it with what AGON_DEBUG=1 shows", file=sys.stderr)
        return INTERNAL
    return 0


def _changed(owner: Any, settings: Sequence[str]) -> Any:
    from agon.experiment import changed

    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise SettingError(f"--set: expected PART.FIELD=VALUE, got '{setting}'; an example is batch=32")
        owner = changed(owner, path, value)
    return owner


def _replicated(train: Callable[[], Sequence[Any]], directory: Path) -> None:
    """One page of all seeds, those that failed among them."""
    from agon.replicates import ReplicatesError

    try:
        runs = train()
    except ReplicatesError as error:
        if error.runs:
            _report(error.runs, directory)
        raise
    _report(runs, directory)


def _report(runs: Sequence[Any], directory: Path) -> None:
    _page([run.path for run in runs], directory / "report.html")


def _page(runs: Sequence[Path], out: Path) -> None:
    from agon.report import write

    print(write(runs, out))


def _minutes(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g} min"


if __name__ == "__main__":
    sys.exit(main())
