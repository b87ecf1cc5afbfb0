"""Bayesian search: train and score the proposed trials, tell their scores, and propose the next ones."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from agon.errors import SettingError
from agon.experiment import Experiment, changed
from agon.jobs import Ended
from agon.sweeps.bayesian import propose, told_of
from agon.sweeps.running import Runner
from agon.sweeps.search import BayesianSearch, RandomSearch, Search
from agon.sweeps.trials import Settings, draws, grid, names_of
from agon.training.replicates.folder import make_plan

Make = Callable[[Settings], Experiment]


def first_trials(wanted: Search | None, over: Mapping[str, Sequence[str]]) -> list[Settings]:
    """Return the trials with which a sweep begins: all that it has, or the first proposals of a Bayesian search.

    Raises:
        SettingError: there is nothing to vary, or not in this way.
        NotInstalledError: Optuna is not installed.
    """
    match wanted:
        case None:
            return grid(over)
        case RandomSearch():
            return draws(over, wanted.trials, wanted.seed or 0)
        case BayesianSearch():
            return propose(wanted, over, [])


def search(runner: Runner) -> None:
    """Go on with a Bayesian search until all its trials are trained and scored.

    Trials that are there, of this call or of one that was stopped, come first. A run beyond its time limit counts as
    failed, and the search goes on; it is tried again when the sweep goes on.

    Raises:
        RunError: some runs failed, and are named; the sweep goes on with them.
        TimeLimitError: all that failed were too long.
        Interrupted: SIGINT or SIGTERM came; running trainings have written a checkpoint.
    """
    late: dict[str, Ended] = {}
    trials: Sequence[str] = list(runner.record.plan.trials)
    while trials:
        late |= runner.refuse_failed(runner.reach(trials, None))
        tell(runner, trials)
        trials = extend(runner)
    runner.refuse_late(late)


def tell(runner: Runner, trials: Sequence[str]) -> None:
    """Write down what the search is told of trials; what it was told before, it is told for ever."""
    record = runner.record
    new = [name for name in trials if name not in record.told]
    if new:
        record.told |= told_of(runner.folder, record, new)
        runner.folder.write(record)


def extend(runner: Runner) -> list[str]:
    """Propose the next trials, and write their plans; return their names, none if the search has all of its trials."""
    record = runner.record
    plan, wanted = record.plan, record.plan.search
    if wanted is None or len(plan.trials) >= wanted.trials:
        return []
    told = [(settings, record.told[name]) for name, settings in plan.trials.items()]
    proposals = propose(wanted, plan.over, told)
    names = names_of([*plan.trials.values(), *proposals])[len(told) :]
    trials = dict(zip(names, proposals, strict=True))
    begun = next(iter(runner.plans.values()))
    plans = {}
    for name, settings in trials.items():
        try:
            plans[name] = make_plan(with_settings(begun.experiment, settings), plan.seeds, begun.compute)
        except SettingError as error:
            raise SettingError(f"trial {name}: {error.message}", *error.changes) from error
    record.plan = replace(plan, trials={**plan.trials, **trials})
    runner.folder.begin(record, plans)
    runner.plans.update(plans)
    return names


def with_settings(experiment: Experiment, settings: Settings) -> Experiment:
    """Return the experiment of a trial, made from that of another one."""
    for path, text in settings.items():
        experiment = changed(experiment, path, text)
    return experiment


def refuse_entangled(wanted: BayesianSearch, over: dict[str, tuple[str, ...]], make: Make) -> None:
    """Refuse settings that decide other ones, such as the size of images, which decides the networks.

    A search makes the experiments of later trials from that of the first.

    Raises:
        SettingError: the experiment of a trial is not that of another one with its settings changed.
    """
    first, second = draws(over, 2, wanted.seed or 0)
    made, derived = (each.settled().describe() for each in (make(second), with_settings(make(first), second)))
    if json.dumps(made, sort_keys=True, default=str) != json.dumps(derived, sort_keys=True, default=str):
        raise SettingError(
            f"over: expected settings that decide no other ones, got {', '.join(over)}; a Bayesian search changes them "
            "in a finished experiment: use --search random"
        )
