"""agon train: a recipe, from its beginning."""

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import tyro

from agon.cli.shared import Set, changed, names, replicated, report
from agon.errors import SettingError


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
    watch: str = ""
    """Metrics to take while it trains, as agon evaluate names them, with commas between."""
    watch_every: int = 1_000
    """Steps from one to the next."""
    watch_n: int = 5_000
    """Samples of each, always of the same latents."""
    watch_extractor: str = "inception"
    """Of their features: inception, classifier or pixels."""

    def __call__(self) -> None:
        from agon.training import Arithmetic, is_main_process, train
        from agon.training.replicates import replicate

        arguments = ("device", "devices", "precision", "threads", "compile", "memory")
        arithmetic = Arithmetic(**{name: getattr(self, name) for name in arguments})
        if self.seeds is None:
            experiment = self.experiment()
            how = self.watch_every, self.watch_n, self.watch_extractor
            watch = watching(self.watch, *how, experiment.data, self.devices)
            run = train(experiment, self.out, arithmetic=arithmetic, watch=watch)
            if is_main_process():
                report([run], self.out)
        else:
            if self.watch:
                raise SettingError("--watch: expected one training, got --seeds; evaluate the runs afterwards")
            many = partial(replicate, self.experiment(), self.out, self.seeds, means=self.means)
            replicated(partial(many, arithmetic=arithmetic), self.out)

    def experiment(self) -> Any:
        """The recipe's experiment, as changed; the data first, since layers take their sizes from it."""
        from agon.data import named
        from agon.recipes import find

        recipe = find(self.recipe)
        source = recipe.data(self.scale) if self.data is None else named(self.data)
        of_data = [s.removeprefix("data.") for s in self.set_ if s.startswith("data.")]
        experiment = recipe.experiment(changed(source, of_data), self.scale)
        experiment = replace(experiment, seed=self.seed, steps=experiment.steps if self.steps is None else self.steps)
        return changed(experiment, [s for s in self.set_ if not s.startswith("data.")])


def watching(metrics: str, every: int, n: int, extractor: str, source: Any, devices: int = 1) -> Any:
    """What takes those metrics during a training; None where none are asked for.

    Raises:
        SettingError: an unknown metric, or a classifier that several processes would have to train.
    """
    from agon.evaluate import Choice, Looks, asked
    from agon.training import Watch

    if not metrics:
        return None
    if every < 1:
        raise SettingError(f"--watch-every: expected at least 1 step, got {every}")
    wanted = asked(names(metrics), source)
    if "classifier" in (*wanted, extractor) and (devices > 1 or "WORLD_SIZE" in os.environ):
        raise SettingError("--watch classifier: expected one process, got several; evaluate the run afterwards")
    return Watch(every, Looks(wanted, n, Choice(extractor)))
