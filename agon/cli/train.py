"""agon train and agon resume: a recipe from its beginning, and a run from its last checkpoint."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.cli.catalogue import check_metrics, check_name
from agon.cli.shared import Set, Where, assignments, changed, names, of_data, write_report
from agon.errors import NotInstalledError, SettingError
from agon.terminal import warn


@dataclass
class Train:
    """Train a recipe from its beginning, into a new run directory."""

    recipe: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")]
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
    strategy: Literal["auto", "processes", "batched"] = "auto"
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
    watch: str = ""
    """Metrics to take while it trains, as agon evaluate names them, with commas between."""
    watch_every: int = 1_000
    """Steps from one to the next."""
    watch_n: int = 5_000
    """Samples of each, always of the same latents."""
    watch_extractor: str = "inception"
    """Of their features: inception, classifier or pixels."""

    def __call__(self) -> None:
        self._check()
        from agon.training import Compute, is_main_process, train
        from agon.training.replicates import replicate

        arguments = ("device", "devices", "precision", "threads", "compile", "memory")
        compute = Compute(**{name: getattr(self, name) for name in arguments})
        if self.seeds is None:
            experiment = self.experiment()
            how = self.watch_every, self.watch_n, self.watch_extractor
            watch = watching(self.watch, *how, experiment.data, self.devices)
            run = train(experiment, self.out, compute=compute, callback=watch)
            if is_main_process():
                report([run], self.out)
        else:
            many = partial(replicate, self.experiment(), self.out, self.seeds, strategy=self.strategy)
            _replicated(partial(many, compute=compute), self.out)

    def experiment(self) -> Any:
        """The recipe's experiment, as changed; the data first, since layers take their sizes from it."""
        from agon.data import named
        from agon.recipes import find

        recipe = find(self.recipe)
        settings = assignments(self.set_)
        source = recipe.data(self.scale) if self.data is None else named(self.data)
        source = changed(source, of_data(pair for pair in settings if pair[0].startswith("data.")))
        experiment = recipe.experiment(source, self.scale)
        experiment = replace(experiment, seed=self.seed, steps=experiment.steps if self.steps is None else self.steps)
        return changed(experiment, [pair for pair in settings if not pair[0].startswith("data.")])

    def _check(self) -> None:
        """Refuse what can be refused before torch is imported, which takes seconds."""
        check_name("recipe", self.recipe)
        assignments(self.set_)
        _check_watch(self.watch, self.watch_every, self.watch_extractor)
        if self.watch and self.seeds is not None:
            raise SettingError("--watch: expected one training, got --seeds; evaluate the runs afterwards")


def _check_watch(metrics: str, every: int, extractor: str) -> None:
    if metrics:
        check_metrics(names(metrics), extractor)
        if every < 1:
            raise SettingError(f"--watch-every: expected at least 1 step, got {every}")


def watching(metrics: str, every: int, n: int, extractor: str, source: Any, devices: int = 1) -> Any:
    """What takes those metrics during a training; None where none are asked for.

    Raises:
        SettingError: an unknown metric, or a classifier that several processes would have to train.
    """
    from agon.evaluation import EvaluationCallback, ExtractorSpec, asked
    from agon.training import Callback

    if not metrics:
        return None
    wanted = asked(names(metrics), source)
    if "classifier" in (*wanted, extractor) and (devices > 1 or "WORLD_SIZE" in os.environ):
        raise SettingError("--watch classifier: expected one process, got several; evaluate the run afterwards")
    return Callback(every, EvaluationCallback(wanted, n, ExtractorSpec(extractor)))


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
    _check_watch(watch, watch_every, watch_extractor)
    from agon.runs import Run
    from agon.runs.layout import REPLICATES
    from agon.training import is_main_process, replicates
    from agon.training import resume as go_on

    if not (run / REPLICATES).exists():
        source = source_of(Run.open(run), trust) if watch else None
        looks = watching(watch, watch_every, watch_n, watch_extractor, source, devices or 1)
        trained = go_on(run, steps=steps, devices=devices, trust=trust, callback=looks)
        if is_main_process():
            report([trained], run)
        return
    if devices is not None or watch:
        raise SettingError("agon resume: expected no --devices and no --watch for many seeds; leave them out")
    _replicated(partial(replicates.resume, run, steps=steps, trust=trust), run)


def _replicated(train: Callable[[], Sequence[Any]], directory: Path) -> None:
    """One page of all seeds, those that failed among them."""
    from agon.training.replicates import ReplicatesError

    try:
        runs = train()
    except ReplicatesError as error:
        if error.runs:
            report(error.runs, directory)
        raise
    report(runs, directory)


def report(runs: Sequence[Any], directory: Path) -> None:
    """The page of runs, in their directory; without the packages that it needs, why there is none."""
    from agon.runs.layout import REPORT

    try:
        write_report([run.path for run in runs], directory / REPORT)
    except NotInstalledError as error:
        warn(f"agon: no report: {error.typed}, then agon report {directory}")


def source_of(run: Any, trust: bool) -> Any:
    """The data that a run is trained on."""
    from agon.experiment import Experiment

    return Experiment.from_json(run.experiment, trust).data
