"""agon train and agon resume: train a recipe, and continue a run from its last checkpoint."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.cli.catalogue import check_metrics, check_name
from agon.cli.checks import check_budget, check_new, check_runs, check_samples, check_source
from agon.cli.shared import RunPath, SetOptions, assignments, changed, names, of_data, write_report
from agon.errors import NotInstalledError, SettingError
from agon.runs.named import check_run_name, is_named, local
from agon.terminal import warn


@dataclass
class Train:
    """Train a recipe into a new run directory."""

    recipe: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")]
    """Name of the recipe; agon recipes lists them. Or of a published run to train anew, e.g. hub:owner/name."""
    out: Path
    """Run directory to write, new or empty."""
    data: str | None = None
    """Data set: a folder, a file, a Hub name, or the name of a toy distribution; by default the recipe's own."""
    scale: Literal["smoke", "quick", "paper"] = "quick"
    """Size of the training: smoke takes seconds, quick takes minutes, paper is the paper's own size."""
    seed: int = 0
    """Seed of all random numbers."""
    seeds: int | None = None
    """Train this many seeds, from --seed on, each into its own run directory."""
    strategy: Literal["auto", "processes", "batched"] = "auto"
    """With --seeds: how to train several at once; auto measures and takes the fastest."""
    steps: int | None = None
    """Number of steps; by default the recipe's own."""
    set_: SetOptions = ()
    """Change one setting, e.g. --set game.generator.width=32 or --set game.objective=hinge."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device to compute on; auto takes the best one."""
    devices: int = 1
    """Number of processes, each with one device, that share every batch."""
    precision: Literal["fp32", "bf16", "fp64"] = "fp32"
    """Floating-point precision of the networks."""
    threads: int = 0
    """CPU threads of each process; 0 takes all cores, or one with --seeds."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Use torch.compile for unrolled steps or networks; auto does where it is known or measured to be faster."""
    memory: float = 4.0
    """GiB of decoded data to keep on the device; the rest is read from the cache on disk."""
    watch: str = ""
    """Metrics of agon evaluate to compute during the training, separated by commas."""
    watch_every: int = 1_000
    """With --watch: number of steps between evaluations."""
    watch_n: int = 5_000
    """With --watch: number of samples in each evaluation, always from the same latents."""
    watch_extractor: str = "inception"
    """With --watch: feature extractor; inception, classifier or pixels."""

    def __call__(self) -> None:
        self._check()
        from agon.training import Compute, is_main_process, train
        from agon.training.replicates import replicate

        arguments = ("device", "devices", "precision", "threads", "compile", "memory")
        compute = Compute(**{name: getattr(self, name) for name in arguments})
        if self.seeds is None:
            experiment = self.experiment()
            options = self.watch_every, self.watch_n, self.watch_extractor
            callback = watching(self.watch, *options, experiment.data, self.devices)
            run = train(experiment, self.out, compute=compute, callback=callback)
            if is_main_process():
                report([run], self.out)
        else:
            many = partial(replicate, self.experiment(), self.out, self.seeds, strategy=self.strategy)
            _replicated(partial(many, compute=compute), self.out)

    def experiment(self) -> Any:
        """Return the recipe's experiment with all changes; the data first, since layers take their sizes from them."""
        from agon.data import named
        from agon.recipes import find

        recipe = published(self.recipe) if is_named(self.recipe) else find(self.recipe)
        settings = assignments(self.set_)
        source = recipe.data(self.scale) if self.data is None else named(self.data)
        source = changed(source, of_data(pair for pair in settings if pair[0].startswith("data.")))
        experiment = recipe.experiment(source, self.scale)
        experiment = replace(experiment, seed=self.seed, steps=experiment.steps if self.steps is None else self.steps)
        return changed(experiment, [pair for pair in settings if not pair[0].startswith("data.")])

    def _check(self) -> None:
        """Refuse what can be refused before torch is imported."""
        if is_named(self.recipe):
            check_run_name(self.recipe)
        else:
            check_name("recipe", self.recipe)
        assignments(self.set_)
        _check_watch(self.watch, self.watch_every, self.watch_n, self.watch_extractor)
        if self.watch and self.seeds is not None:
            raise SettingError("--watch: expected one training, got --seeds; evaluate the runs afterwards")
        check_source(self.data)
        check_budget(self.steps, self.seed)
        check_new(self.out, self.seeds)


def _check_watch(metrics: str, every: int, n: int, extractor: str) -> None:
    if metrics:
        check_metrics(names(metrics), extractor)
        if every < 1:
            raise SettingError(f"--watch-every: expected at least 1 step, got {every}")
        check_samples(n, "--watch-n")


def watching(metrics: str, every: int, n: int, extractor: str, source: Any, devices: int = 1) -> Any:
    """Return the callback that computes these metrics during a training, or None without metrics.

    Raises:
        SettingError: a metric is unknown, or several processes would have to train a classifier.
    """
    from agon.evaluation import EvaluationCallback, ExtractorSpec, asked
    from agon.training import Callback

    if not metrics:
        return None
    chosen = asked(names(metrics), source)
    if "classifier" in (*chosen, extractor) and (devices > 1 or "WORLD_SIZE" in os.environ):
        raise SettingError("--watch classifier: expected one process, got several; evaluate the run afterwards")
    return Callback(every, EvaluationCallback(chosen, n, ExtractorSpec(extractor)))


def resume(
    run: RunPath,
    /,
    steps: int | None = None,
    devices: int | None = None,
    trust: bool = False,
    watch: str = "",
    watch_every: int = 1_000,
    watch_n: int = 5_000,
    watch_extractor: str = "inception",
) -> None:
    """Continue a run, or a directory of many seeds, from its last good checkpoint, as if it had never stopped.

    Args:
        run: Run directory, or directory of many seeds.
        steps: Number of steps in all, for a longer training; by default the run's own.
        devices: Number of processes; by default the run's own.
        trust: Allow the run to import classes from outside agon, which runs their code.
        watch: Metrics of agon evaluate to compute during the training, separated by commas.
        watch_every: With --watch: number of steps between evaluations.
        watch_n: With --watch: number of samples in each evaluation, always from the same latents.
        watch_extractor: With --watch: feature extractor; inception, classifier or pixels.
    """
    _check_watch(watch, watch_every, watch_n, watch_extractor)
    run = local(run)
    check_runs([run])
    from agon.runs import Run
    from agon.runs.layout import REPLICATES
    from agon.training import is_main_process, replicates
    from agon.training import resume as resume_training

    if not (run / REPLICATES).exists():
        source = source_of(Run.open(run), trust) if watch else None
        callback = watching(watch, watch_every, watch_n, watch_extractor, source, devices or 1)
        trained = resume_training(run, steps=steps, devices=devices, trust=trust, callback=callback)
        if is_main_process():
            report([trained], run)
        return
    if devices is not None or watch:
        raise SettingError("agon resume: expected no --devices and no --watch for many seeds; leave them out")
    _replicated(partial(replicates.resume, run, steps=steps, trust=trust), run)


def _replicated(train: Callable[[], Sequence[Any]], directory: Path) -> None:
    """Train many seeds, and write one page about all of them, even where some failed."""
    from agon.training.replicates import ReplicatesError

    try:
        runs = train()
    except ReplicatesError as error:
        if error.runs:
            report(error.runs, directory)
        raise
    report(runs, directory)


def report(runs: Sequence[Any], directory: Path) -> None:
    """Write the page of runs into their directory, or warn that a package for it is missing."""
    from agon.runs.layout import REPORT

    try:
        write_report([run.path for run in runs], directory / REPORT)
    except NotInstalledError as error:
        warn(f"agon: no report: {error.typed}, then agon report {directory}")


def published(name: str) -> Any:
    """Return the experiment of a run on the Hub, or of one that agon brings, as a recipe; it has one scale."""
    from agon.experiment import Experiment
    from agon.recipes.recipe import Recipe
    from agon.runs import Run

    begun = Experiment.from_json(Run.open(name).experiment)
    parts: dict[str, Any] = {"data": lambda scale: begun.data, "make": lambda data, scale: replace(begun, data=data)}
    return Recipe(name=name, paper="", claim="", **parts)


def source_of(run: Any, trust: bool) -> Any:
    """Return the data that a run is trained on."""
    from agon.experiment import Experiment

    return Experiment.from_json(run.experiment, trust).data
