"""The directory of replicates: replicates.json, which holds their plan, and a run directory for each seed."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from agon.errors import RunError, SettingError, command
from agon.experiment import Experiment, differences
from agon.experiment.scripts import values_under
from agon.places import did_you_mean
from agon.runs import Directory, Run, unreadable
from agon.runs.description import text_of
from agon.runs.layout import REPLICATES
from agon.runs.run import locked_folder
from agon.runs.taken import holds_runs, refuse_taken_by_replicates
from agon.training.beginning import with_origin
from agon.training.compute import Compute
from agon.training.training import Training
from agon.untrusted import MALFORMED, NotRegularError, parse_json


@dataclass(frozen=True)
class Plan:
    """One experiment under many seeds.

    Attributes:
        experiment: what each replicate trains, except for the seed.
        seeds: the replicates' seeds, in order.
        compute: how numbers are computed, resolved.
        strategy: how several seeds are trained at once.
    """

    experiment: Experiment
    seeds: tuple[int, ...]
    compute: Compute
    strategy: str = "processes"

    def replicate(self, seed: int) -> Experiment:
        """The experiment of one seed."""
        return replace(self.experiment, seed=seed)

    def with_steps(self, steps: int | None) -> "Plan":
        """The same plan with another budget, if `steps` is given.

        Raises:
            RunError: the new budget is shorter.
        """
        begun = self.experiment.steps
        if steps is not None and steps < begun:
            raise RunError(f"the replicates have a budget of {begun} steps; expected as many or more, got {steps}")
        return replace(self, experiment=self.experiment.with_steps(begun if steps is None else steps))

    def with_threads(self, threads: int | None) -> "Plan":
        """The same plan with another number of threads, if `threads` is given."""
        return self if threads is None else replace(self, compute=replace(self.compute, threads=threads).resolved())

    def to_json(self) -> str:
        """The content of replicates.json."""
        described = {
            "seeds": self.seeds,
            "strategy": self.strategy,
            "arithmetic": asdict(self.compute),
            "experiment": self.experiment.describe(),
        }
        return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


class Folder:
    """A directory of replicates.

    | name | content |
    |---|---|
    | replicates.json | the experiment, the seeds, and the choices that change arithmetic |
    | seed-7/ | the run of seed 7 |
    | report.html | all of them side by side |

    Attributes:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = Directory(path)

    def run(self, seed: int) -> Run:
        """The run of a seed, begun or not.

        Raises:
            RunError: a link leads to a run elsewhere.
        """
        try:
            return Run(self.files.folder(name_of(seed)))
        except NotRegularError as error:
            raise unreadable(error, self.path / name_of(seed), "put the run itself there") from error

    @property
    def runs(self) -> list[Run]:
        """The runs that exist, in the order of the seeds.

        Raises:
            RunError: replicates.json cannot be read, or none is begun.
        """
        try:
            seeds = [int(seed) for seed in parse_json(self.text)["seeds"]]
        except MALFORMED as error:
            raise RunError(
                f"{self.path / REPLICATES} cannot be read ({error!r}); begin again in another folder"
            ) from error
        runs = [self.run(seed) for seed in seeds if self.begun(seed)]
        if not runs:
            raise RunError(f"{self.path} holds no run yet; {command('resume', self.path)} begins them")
        return runs

    def begun(self, seed: int) -> bool:
        """Whether that seed has a run to resume."""
        return self.run(seed).begun

    def refuse_taken(self) -> None:
        """Raise a RunError if the path holds replicates, a run, or anything else already."""
        refuse_taken_by_replicates(self.path)

    @property
    def text(self) -> str:
        """The text of replicates.json."""
        if not self.files.holds(REPLICATES):
            raise RunError(
                f"expected a directory of replicates, got {self.path}, which has no {REPLICATES}"
                f"{did_you_mean(self.path, holds_runs, f'agon train ... --out {self.path} --seeds 8 begins one')}"
            )
        return text_of(self.files, REPLICATES)

    def write(self, plan: Plan) -> None:
        """Write the plan to replicates.json."""
        self.files.write(REPLICATES, plan.to_json().encode())

    def locked(self) -> AbstractContextManager[None]:
        """Lock the directory for this process, and make it if it is missing; see `runs.locked_folder`."""
        return locked_folder(self.path)


def name_of(seed: int) -> str:
    """The name of a seed's run directory and job."""
    return f"seed-{seed}"


def make_plan(experiment: Experiment, seeds: int | Sequence[int], compute: Compute) -> Plan:
    """Make a new plan, and check it before anything is begun.

    Raises:
        SettingError: there are no seeds, or the same twice; several devices; a ready instance; parts
            that do not fit each other.
        DataError: the data cannot be read.
    """
    chosen = range(experiment.seed, experiment.seed + seeds) if isinstance(seeds, int) else seeds
    if not chosen or len(set(chosen)) < len(chosen):
        raise SettingError(f"seeds: expected a number from 1, or seeds that differ, got {seeds}")
    if compute.devices > 1:
        raise SettingError(
            f"seeds: expected one device for each replicate, got devices={compute.devices}; "
            "leave devices out, or train one seed alone"
        )
    instances = list(values_under(experiment.describe(), "instance"))
    if instances:
        raise SettingError(
            f"seeds: expected parts, which each seed builds anew, got a ready {instances[0]}; "
            "use agon.part(...), or train it alone"
        )
    plan = Plan(
        with_origin(experiment.settled(), None),
        tuple(chosen),
        replace(compute, threads=compute.threads or 1).resolved(),
    )
    for seed in plan.seeds:
        plan.replicate(seed).remembered()
    with torch.random.fork_rng(devices=[]):
        Training(plan.replicate(plan.seeds[0]), plan.compute, torch.device("cpu"))
    return plan


def read_plan(text: str, experiment: Experiment | None, trust: bool) -> Plan:
    """Read the plan from replicates.json, with `experiment` in place of the written one if given.

    Raises:
        SettingError: the text is not a plan; an unknown part; or a user's class without trust.
        RunError: `experiment` differs from the written one.
    """
    try:
        described = parse_json(text)
        seeds, compute = tuple(map(int, described["seeds"])), Compute.read(described["arithmetic"])
        written: dict[str, Any] = dict(described["experiment"])
        strategy = str(described["strategy"] if "strategy" in described else described["means"])  # its name until 0.1
    except MALFORMED as error:
        raise SettingError(f"{REPLICATES} cannot be read ({error!r}); begin again in another folder") from error
    if experiment is None:
        return Plan(Experiment.from_json(json.dumps(written), trust), seeds, compute, strategy)
    experiment = experiment.settled()
    start = {"seed": written["seed"], "init": written.get("init", "")}
    now = {**experiment.describe(), **start, "steps": written["steps"]}
    lines = list(differences(written, json.loads(json.dumps(now))))
    if lines:
        raise RunError(
            f"the replicates were begun with other settings ({'; '.join(lines)}); "
            "resume with those they were begun with, or begin again in another folder"
        )
    same = replace(experiment, **start, steps=max(experiment.steps, written["steps"]))
    return Plan(same, seeds, compute, strategy)
