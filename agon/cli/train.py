"""agon train: train a recipe, an experiment from a file, or a run anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.arguments import PROCESSES, check_count, check_resources, check_seed, check_snapshots
from agon.cli.catalogue import check_name
from agon.cli.checks import check_minutes, check_new, check_source, refuse_idle
from agon.cli.evaluations import EVERY, N, check_evaluations, evaluation_callback
from agon.cli.shared import (
    CpusOption,
    GpusOption,
    MinutesOption,
    OnOption,
    ProgressOption,
    SetOptions,
    SizeOption,
    SkipOption,
    StorageOption,
    assignments,
    changed,
    image_settings,
    names,
    of_data,
    place_of,
    say_report,
    source_named,
)
from agon.cli.trained import check_trained, earlier, file_of, is_file, recipe_named
from agon.errors import SettingError
from agon.runs.mirrors import check_storage
from agon.runs.origin import Origin
from agon.runs.tracking import check_tracker
from agon.terminal import warn

MARKS = ("log_every", "sample_every", "checkpoint_every")


@dataclass
class Train:
    """Train a recipe into a new run directory."""

    recipe: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")]
    """Name of the recipe; agon recipes lists them. Or a file NAME.json, .toml or .yaml that describes an experiment, or
    a run to train anew: its directory, or a published one, e.g. hub:owner/name."""
    out: Path
    """Run directory to write, new or empty."""
    data: str | None = None
    """Data set: a folder, a file, a Hub name, or the name of a toy distribution; by default the recipe's own."""
    size: SizeOption = None
    skip_corrupt: SkipOption = False
    scale: Literal["smoke", "quick", "paper"] = "quick"
    """Size of the training: smoke takes seconds, quick takes minutes, paper is the paper's own size."""
    seed: int | None = None
    """Seed of all random numbers; by default 0, or the file's own."""
    seeds: int | None = None
    """Train this many seeds, from --seed on, each into its own run directory."""
    strategy: Literal["auto", "processes", "batched"] = "auto"
    """With --seeds: how to train several at once; auto measures and takes the fastest."""
    on: OnOption = "processes"
    cpus_per_job: CpusOption = None
    gpus_per_job: GpusOption = None
    minutes_per_job: MinutesOption = None
    minutes_without_progress: ProgressOption = None
    steps: int | None = None
    """Number of steps; by default the recipe's own."""
    snapshots: int | None = None
    """Number of light checkpoints to keep over the whole training, for agon skill; by default none."""
    batch: int | None = None
    """Number of real samples in each batch; by default the recipe's own."""
    lr: float | None = None
    """Learning rate of every player; by default the recipe's own."""
    augment: str = ""
    """Augmentations, separated by commas: flip, translation, colour of the data; diffaugment or ada of both players."""
    init: str = ""
    """Begin from the weights of this run: RUN, or RUN:PLAYER for one player's, such as runs/faces:generator; RUN@STEP
    takes the checkpoint of a step that is kept."""
    minutes: float | None = None
    """Train for about this many minutes, with --seeds each: the number of steps follows from the first ones."""
    set_: SetOptions = ()
    """Change one setting, e.g. --set game.generator.width=32 or --set game.objective=hinge."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device to compute on; auto takes the best one."""
    devices: int = 1
    """Number of processes, each with one device, that share every batch."""
    precision: Literal["fp32", "bf16", "fp64"] = "fp32"
    """Floating-point precision of the networks."""
    threads: int = 0
    """CPU threads of each process; 0 takes those cores that no other work uses, or one with --seeds."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Use torch.compile for unrolled steps or networks; auto does where it is known or measured to be faster."""
    memory: float = 4.0
    """GiB of decoded data to keep on the device; the rest is read from the cache on disk."""
    trust: bool = False
    """Allow an experiment's file to import classes from outside agon, which runs their code."""
    alarms: Literal["warn", "stop", "off"] = "warn"
    """What to do when something goes wrong, such as a collapse: print a line at that step; also stop, and keep a
    checkpoint from before it; or nothing."""
    track: Literal["none", "wandb", "mlflow"] = "none"
    """Copy the log, the scores and the pictures to Weights & Biases or MLflow, on this machine unless WANDB_MODE or
    MLFLOW_TRACKING_URI say otherwise."""
    storage: StorageOption = ""
    evaluate: str = ""
    """Metrics of agon evaluate to compute during the training, separated by commas; also skill, before the critics of
    earlier snapshots, with --snapshots."""
    evaluate_every: int = EVERY
    """With --evaluate: number of steps between evaluations."""
    evaluate_n: int = N
    """With --evaluate: number of samples in each evaluation, always from the same latents."""
    evaluate_extractor: str = "auto"
    """With --evaluate: feature extractor; auto, efficientnet, random, inception, classifier or pixels."""

    def __post_init__(self) -> None:
        self.recipe = file_of(self.recipe)

    def __call__(self) -> None:
        self.check()
        from agon.diagnosis import Alarms
        from agon.reports.trained import replicate, train
        from agon.training import Compute

        arguments = ("device", "devices", "precision", "threads", "compile", "memory")
        compute, alarms = Compute(**{name: getattr(self, name) for name in arguments}), Alarms(self.alarms)
        if self.seeds is None:
            experiment = self.within(compute)
            options = self.evaluate_every, self.evaluate_n, self.evaluate_extractor
            callback = evaluation_callback(self.evaluate, *options, experiment.data, self.devices)
            kept: dict[str, Any] = {"track": self.track, "storage": self.storage}
            train(experiment, self.out, compute=compute, callback=callback, alarms=alarms, **kept)
        else:
            on, how = place_of(self), self.strategy
            experiment = self.within(compute)
            where: dict[str, Any] = {"on": on, "storage": self.storage}
            replicate(experiment, self.out, self.seeds, strategy=how, compute=compute, alarms=alarms, **where)
        say_report(self.out)

    def experiment(self) -> Any:
        """Return the recipe's experiment with all changes; the data first, since layers take their sizes from them."""
        from agon.experiment import augmented
        from agon.experiment.files import read_experiment

        settings = [*image_settings(self.size, self.skip_corrupt), *assignments(self.set_)]
        of_source = of_data(pair for pair in settings if pair[0].startswith("data."))
        if is_file(self.recipe):
            experiment = read_experiment(Path(self.recipe), self.trust)
            experiment = replace(experiment, data=self._source(experiment.data, of_source))
        else:
            recipe = recipe_named(self.recipe)
            source = self._source(recipe.data(self.scale), of_source)
            steps, origin = self._steps(settings), earlier(self.init)
            experiment = recipe.experiment(source, self.scale, self.minutes, steps=steps, earlier=origin)
        experiment = replace(experiment, **self._given("seed", "steps", "snapshots", "batch", "init"))
        experiment = augmented(experiment, names(self.augment))
        rates = [("optimisers.lr", str(self.lr))] if self.lr is not None else []
        return changed(experiment, [*rates, *(pair for pair in settings if not pair[0].startswith("data."))])

    def _source(self, default: Any, settings: Sequence[tuple[str, str]]) -> Any:
        """The source that the user named, or else the default one, with its settings changed."""
        return changed(default, settings) if self.data is None else source_named(self.data, settings)

    def _steps(self, settings: Sequence[tuple[str, str]]) -> int | None:
        """The number of steps that the user gave, by --steps or by --set; None for what is refused later."""
        texts = [value for path, value in settings if path == "steps" and value.isdecimal() and int(value)]
        return int(texts[-1]) if texts else self.steps

    def _given(self, *names: str) -> dict[str, Any]:
        """The options among these that the user gave."""
        return {name: value for name in names if (value := getattr(self, name)) not in (None, "")}

    def within(self, compute: Any) -> Any:
        """Return the experiment, with the steps that fit into the minutes unless a number of steps is given."""
        from agon.terminal.waiting import waiting
        from agon.training import within

        experiment = self.experiment()
        usual = None if is_file(self.recipe) else recipe_named(self.recipe).budgets.get(self.scale)
        minutes = self.minutes or usual
        if minutes is None or self.steps is not None or any(set_.startswith("steps=") for set_ in self.set_):
            return experiment
        warn(f"agon: measuring how many steps fit into {minutes:g} minutes")
        with waiting():
            found = within(experiment, minutes, compute)
        return changed(found, [pair for pair in assignments(self.set_) if pair[0] in MARKS])

    def check(self) -> None:
        """Refuse what can be refused before torch is imported."""
        check_trained(self.recipe)
        for name in names(self.augment):
            check_name("augmentation", name)
        assignments(self.set_)
        image_settings(self.size, self.skip_corrupt)
        check_evaluations(self.evaluate, self.evaluate_every, self.evaluate_n, self.evaluate_extractor)
        if self.evaluate and self.seeds is not None:
            raise SettingError("--evaluate: expected one training, got --seeds; evaluate the runs afterwards")
        if self.seeds is None:
            refuse_idle({"--strategy": self.strategy != "auto"}, "--seeds N")
        if self.track != "none" and self.seeds is not None:
            raise SettingError("--track: expected one training, got --seeds; train the seeds one by one")
        if place_of(self) != PROCESSES and self.seeds is None:
            raise SettingError(
                "--on, --minutes-per-job, --minutes-without-progress: expected with --seeds N, got one training, which "
                "is no job; leave them out, or add --seeds"
            )
        check_tracker(self.track)
        check_storage(self.storage)
        check_source(self.data)
        if self.init:
            Origin.read(self.init).refuse_no_run()
        if self.steps is not None:
            check_count(self.steps, "experiment.steps")
        if self.batch is not None:
            check_count(self.batch, "experiment.batch")
        check_snapshots(self.snapshots or 0)
        check_seed(self.seed or 0)
        check_resources(self.devices, self.threads, self.memory)
        check_minutes(self.minutes, self._steps(assignments(self.set_)))
        check_new(self.out, self.seeds)
