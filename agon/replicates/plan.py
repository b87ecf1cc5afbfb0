"""What is replicated: one experiment, its seeds, and how numbers are computed; to and from replicates.json."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from agon.errors import RunError, SettingError
from agon.experiment import Experiment, differences
from agon.runs.layout import REPLICATES
from agon.training import Arithmetic, Training
from agon.untrusted import parse_json


@dataclass(frozen=True)
class Plan:
    """One experiment under many seeds.

    Attributes:
        experiment: what each replicate trains, but for the seed.
        seeds: of the replicates, in their order.
        arithmetic: how each of them computes, resolved.
        means: how several are trained at once.
    """

    experiment: Experiment
    seeds: tuple[int, ...]
    arithmetic: Arithmetic
    means: str = "processes"

    def replicate(self, seed: int) -> Experiment:
        """The experiment of one seed."""
        return replace(self.experiment, seed=seed)

    def with_steps(self, steps: int | None) -> "Plan":
        """The same plan with another budget, if one is asked for.

        Raises:
            RunError: a shorter one.
        """
        begun = self.experiment.steps
        if steps is not None and steps < begun:
            raise RunError(f"the replicates have a budget of {begun} steps; expected as many or more, got {steps}")
        return replace(self, experiment=self.experiment.with_steps(begun if steps is None else steps))

    def to_json(self) -> str:
        """As replicates.json holds it."""
        described = {
            "seeds": self.seeds,
            "means": self.means,
            "arithmetic": asdict(self.arithmetic),
            "experiment": self.experiment.describe(),
        }
        return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def planned(experiment: Experiment, seeds: int | Sequence[int], arithmetic: Arithmetic) -> Plan:
    """A new plan, checked before anything is begun.

    Raises:
        SettingError: no seeds, or the same twice; several devices; a ready instance; parts that do
            not fit each other.
        DataError: data that cannot be read.
    """
    chosen = range(experiment.seed, experiment.seed + seeds) if isinstance(seeds, int) else seeds
    if not chosen or len(set(chosen)) < len(chosen):
        raise SettingError(f"seeds: expected a number from 1, or seeds that differ, got {seeds}")
    if arithmetic.devices > 1:
        raise SettingError(
            f"seeds: expected one device for each replicate, got devices={arithmetic.devices}; "
            "leave devices out, or train one seed alone"
        )
    instances = list(found(experiment.describe(), "instance"))
    if instances:
        raise SettingError(
            f"seeds: expected parts, which each seed builds anew, got a ready {instances[0]}; "
            "use agon.part(...), or train it alone"
        )
    plan = Plan(experiment, tuple(chosen), replace(arithmetic, threads=arithmetic.threads or 1).resolved())
    for seed in plan.seeds:
        plan.replicate(seed)
    with torch.random.fork_rng(devices=[]):
        Training(plan.replicate(plan.seeds[0]), plan.arithmetic, torch.device("cpu"))
    return plan


def read(text: str, experiment: Experiment | None, trust: bool) -> Plan:
    """The plan that was written down, with the experiment that is handed over, if one is.

    Raises:
        SettingError: no plan; an unknown part; or a user's class without trust.
        RunError: another experiment than was written down.
    """
    try:
        described = parse_json(text)
        seeds, arithmetic = tuple(map(int, described["seeds"])), Arithmetic.read(described["arithmetic"])
        written: dict[str, Any] = dict(described["experiment"])
        means = str(described["means"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise SettingError(f"{REPLICATES} cannot be read ({error!r}); begin again in another folder") from error
    if experiment is None:
        return Plan(Experiment.from_json(json.dumps(written), trust), seeds, arithmetic, means)
    now = {**experiment.describe(), "seed": written["seed"], "steps": written["steps"]}
    lines = list(differences(written, json.loads(json.dumps(now))))
    if lines:
        raise RunError(
            f"the replicates were begun with other settings ({'; '.join(lines)}); "
            "resume with those they were begun with, or begin again in another folder"
        )
    same = replace(experiment, seed=written["seed"], steps=max(experiment.steps, written["steps"]))
    return Plan(same, seeds, arithmetic, means)


def found(described: Any, key: str) -> Iterator[Any]:
    """Every value under a key of nested plain values.

    >>> list(found({"game": [{"instance": "a:B"}], "instance": "c:D"}, "instance"))
    ['a:B', 'c:D']
    """
    if isinstance(described, dict):
        for name, value in described.items():
            if name == key:
                yield value
            else:
                yield from found(value, key)
    elif isinstance(described, list | tuple):
        for value in described:
            yield from found(value, key)
