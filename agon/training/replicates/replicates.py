"""`replicate` and `resume`: one experiment under many seeds, each in its own run directory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agon.data.given import given_again, kept_in_memory
from agon.errors import SettingError, command, unknown
from agon.experiment import Experiment
from agon.experiment.scripts import notices, stop_script
from agon.jobs import PROCESSES, Executor, Place, in_worker, needs_jobs
from agon.ranks import joined
from agon.runs import Run
from agon.runs.mirrors import (
    begin_folder,
    check_storage,
    fetched_afterwards,
    inside,
    mirror_now,
    prepare,
    stored_at,
    up_to_date,
)
from agon.runs.named import local
from agon.terminal import warn
from agon.terminal.waiting import stage, waiting
from agon.training.compute import Compute
from agon.training.monitoring import Monitoring
from agon.training.opening import remarks
from agon.training.replicates.batched import BatchedRunner
from agon.training.replicates.folder import Folder, Plan, make_plan, name_of, read_plan
from agon.training.replicates.many import Group, train_group, training_executor, training_job
from agon.training.replicates.strategy import choose_strategy


def _processes(
    folder: Folder, plan: Plan, alarms: Monitoring | None = None, on: Place = PROCESSES, storage: str = ""
) -> Executor:
    jobs = [
        training_job(
            name_of(seed),
            folder.run(seed).path,
            plan.replicate(seed),
            plan.compute,
            None,
            plan.compute.threads,
            alarms,
            inside(storage, name_of(seed)),
        )
        for seed in plan.seeds
    ]
    return training_executor(jobs, plan.compute, on)


STRATEGIES: dict[str, Callable[[Folder, Plan, Monitoring | None], Executor]] = {
    "processes": _processes,
    "batched": BatchedRunner,
}
AUTO = "auto"  # the fastest strategy by measurement; on resuming, the strategy used so far


def replicate(
    experiment: Experiment,
    directory: Path | str,
    seeds: int | Sequence[int],
    *,
    compute: Compute | None = None,
    strategy: str = AUTO,
    on: Place = PROCESSES,
    storage: str = "",
    show: bool = True,
    alarms: Monitoring | None = None,
) -> list[Run]:
    """Train one experiment under many seeds, each in its own run directory.

    With processes, each replicate equals, bit for bit, what `train` gives for that seed with the same
    compute settings. Batched training, which computes all seeds in one program, is equal up to rounding.

    Args:
        experiment: what to train; made of parts, since each seed builds its own game.
        directory: the directory of all runs, with `seed-7` for seed 7; new or empty.
        seeds: how many, counted from the experiment's own seed; or which.
        compute: how each replicate computes; threads=0 means one thread here: where batching pays, launches
            take the time, and a second thread does not shorten them.
        strategy: how several seeds are trained at once, a name in `STRATEGIES`; "auto" takes the fastest by
            measurement, and on a CPU takes "batched" only if it is at least twice as fast.
        on: "processes" of this machine, "ray", "ray://HOST:PORT", or with time limits an `agon.jobs.OnProcesses` or
            `OnRay`; a cluster's machines share the directory's path, unless there is a storage, and train one seed in
            each process.
        storage: address at which all runs are mirrored, as of `train`; seed 7 below it at "seed-7". Runs that were
            trained elsewhere are fetched into the directory at the end.
        show: whether to show the progress of all on standard error.
        alarms: what looks at each training as it goes on, as in `train`.

    Returns:
        The finished runs, in the order of the seeds.

    Raises:
        SettingError: there are no seeds, a ready instance, parts that do not fit, or a game that cannot be
            batched as asked; nothing is begun.
        DataError: the data cannot be read; nothing is begun.
        RunError: the directory cannot be written or is not empty; nothing is begun.
        ReplicatesError: some replicates failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came; running replicates have written a checkpoint.
    """
    stop_script()
    _refuse(strategy, on, storage)
    folder = Folder(Path(directory))
    folder.refuse_taken()
    plan = make_plan(experiment, seeds, compute or Compute())
    for line in [*notices(experiment.describe()), *remarks(experiment)] if show else ():
        warn(line)
    prepare(storage)
    if strategy == AUTO:
        strategy = "processes" if needs_jobs(on) or storage else _fastest(plan, show)
    plan = replace(plan, strategy=strategy)
    with folder.locked():
        folder.refuse_taken()  # another process may have been faster
        return _trained(folder, plan, show, alarms, on, storage)


def resume(
    directory: Path | str,
    *,
    steps: int | None = None,
    threads: int | None = None,
    experiment: Experiment | None = None,
    data: Any = None,
    trust: bool = False,
    strategy: str = AUTO,
    on: Place = PROCESSES,
    storage: str = "",
    show: bool = True,
    alarms: Monitoring | None = None,
) -> list[Run]:
    """Resume every replicate that is not done, and begin those that are missing.

    Args:
        directory: the directory of the replicates.
        steps: a longer budget for all of them.
        threads: a new number of CPU threads of each replicate, 0 for all cores; later steps agree up to rounding.
        experiment: the replicates' experiment, with any seed; needed for classes that cannot be imported.
        data: the data that were handed over in Python when the replicates were begun, again.
        trust: whether classes that are not agon's may be imported, which runs their code.
        strategy: how several seeds are trained at once, a name in `STRATEGIES`; "auto" keeps the one used so far.
        on: "processes" of this machine, "ray", "ray://HOST:PORT", or with time limits an `agon.jobs.OnProcesses` or
            `OnRay`; a cluster's machines share the directory's path, unless there is a storage, and train one seed in
            each process.
        storage: address at which all runs are mirrored from now on, or from which they are fetched, as of `resume` of
            one run; by default the one that they have.
        show: whether to show the progress of all on standard error.
        alarms: what looks at each training as it goes on, as in `train`.

    Returns:
        The finished runs, in the order of the seeds.

    Raises:
        RunError: there are no replicates, another process writes them, or `experiment` differs.
        ReplicatesError: some replicates failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came; running replicates have written a checkpoint.
    """
    stop_script()
    folder = Folder(up_to_date(local(directory), storage))
    storage = storage or stored_at(folder.path)
    _refuse(strategy, on, storage)
    plan = read_plan(folder.text, experiment, trust).with_steps(steps).with_threads(threads)
    if data is not None:
        plan = replace(plan, experiment=replace(plan.experiment, data=given_again(plan.experiment.data, data)))
    if strategy != AUTO or needs_jobs(on) or storage:
        plan = replace(plan, strategy="processes" if strategy == AUTO else strategy)
    _known(plan.strategy)
    with folder.locked():
        return _trained(folder, plan, show, alarms, on, storage)


def _fastest(plan: Plan, show: bool) -> str:
    """The fastest strategy by measurement; prints the reason."""
    with waiting(show), stage("measuring how to train the seeds"):
        strategy, why = choose_strategy(plan)
    if show and why:
        warn(f"seeds are trained {'batched' if strategy == 'batched' else 'by ' + strategy}: {why}")
    return strategy


def _refuse(strategy: str, on: Place, storage: str) -> None:
    """Refuse an unknown strategy or place, or a process that must not start others."""
    check_storage(storage)
    if storage and strategy not in (AUTO, "processes"):
        raise SettingError(f"strategy: expected 'processes' with a storage, got '{strategy}'; leave one of both out")
    if strategy != AUTO:
        _known(strategy)
    if needs_jobs(on) and strategy not in (AUTO, "processes"):
        raise SettingError(
            f"strategy: expected 'processes' on a cluster or with a time limit, got '{strategy}'; leave one of both out"
        )
    if (ranks := joined()) is not None:
        launcher = ranks.launcher
        raise SettingError(
            f"seeds: expected a process of its own, got one that {launcher} started; leave {launcher} out"
        )
    if in_worker():
        raise SettingError(
            "each worker imports your script, which has classes of the experiment: "
            'put agon.replicate(...) under if __name__ == "__main__":'
        )


def _known(strategy: str) -> None:
    if strategy not in STRATEGIES:
        raise SettingError(unknown("strategy", strategy, [AUTO, *STRATEGIES]))


def _trained(folder: Folder, plan: Plan, show: bool, alarms: Monitoring | None, on: Place, storage: str) -> list[Run]:
    """Train what is not finished, and return the runs of all seeds."""
    runs = {name_of(seed): folder.run(seed) for seed in plan.seeds}
    make = STRATEGIES[plan.strategy]
    in_jobs = needs_jobs(on) or storage
    executor = _processes(folder, plan, alarms, on, storage) if in_jobs else make(folder, plan, alarms)
    folder.write(plan)  # with the current budget, which also applies to runs that are not begun yet
    paths, steps = {name: run.path for name, run in runs.items()}, dict.fromkeys(runs, plan.experiment.steps)
    addresses = {path: inside(storage, name) for name, path in paths.items()}
    begin_folder(folder.files, storage)
    mirror_now(folder.path)
    with fetched_afterwards(addresses, f"{command('resume', folder.path)}"):
        train_group(executor, Group("replicates", paths, steps, _spelled, folder.path), show)
    for run in runs.values():
        run.given = kept_in_memory(plan.experiment.data)
    return list(runs.values())


def _spelled(names: Sequence[str]) -> str:
    """Spell the seeds of some runs.

    >>> _spelled(["seed-7"]), _spelled(["seed-0", "seed-2"])
    ('seed 7', 'seeds 0, 2')
    """
    return f"seed{'s' * (len(names) > 1)} {', '.join(name.removeprefix('seed-') for name in names)}"
