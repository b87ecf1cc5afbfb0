"""replicate and resume: one experiment under many seeds, a run directory for each."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agon.errors import SettingError, unknown
from agon.experiment import Experiment
from agon.jobs import Executor, LocalProcesses, in_worker
from agon.runs import Run
from agon.terminal import warn
from agon.training.compute import Compute
from agon.training.replicates.batched import BatchedRunner
from agon.training.replicates.folder import Folder, Plan, name_of, planned, read
from agon.training.replicates.many import Group, at_once, train_group, training_job
from agon.training.replicates.strategy import chosen


def _processes(folder: Folder, plan: Plan) -> Executor:
    paths = {seed: folder.run(seed).path for seed in plan.seeds}
    jobs = [training_job(name_of(s), path, plan.replicate(s), plan.compute) for s, path in paths.items()]
    return LocalProcesses(jobs, at_once(plan.compute))


STRATEGIES: dict[str, Callable[[Folder, Plan], Executor]] = {"processes": _processes, "batched": BatchedRunner}
AUTO = "auto"  # what measures fastest; for replicates that were begun, what they were begun by


def replicate(
    experiment: Experiment,
    directory: Path | str,
    seeds: int | Sequence[int],
    *,
    compute: Compute | None = None,
    strategy: str = AUTO,
    show: bool = True,
) -> list[Run]:
    """Train one experiment under many seeds, each into a run directory of its own.

    By processes each replicate is, bit for bit, what `train` gives alone for that seed with the same
    arithmetic; batched, which computes all seeds in one program, it is so up to rounding.

    Args:
        experiment: what to train; of parts, since each seed builds its own game.
        directory: of all the runs, `seed-7` for seed 7; new or empty.
        seeds: how many, from the experiment's own seed on; or which.
        compute: of each replicate; threads=0 is one thread here: where it pays to batch seeds, launches take
            the time, which a second thread does not shorten.
        strategy: how several are trained at once, a name in `STRATEGIES`; "auto" takes what measures fastest, which on
            a CPU must be batched by a factor of two.
        show: whether to tell the progress of all on standard error.

    Returns:
        The finished runs, in the order of the seeds.

    Raises:
        SettingError: no seeds, a ready instance, parts that do not fit, or that cannot be batched where that
            is asked for; nothing is begun.
        DataError: data that cannot be read; nothing is begun.
        RunError: the directory cannot be written or holds something already; nothing is begun.
        ReplicatesError: some replicates have failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came; those that were running have written a checkpoint.
    """
    _refuse(strategy)
    folder = Folder(Path(directory))
    folder.refuse_taken()
    plan = planned(experiment, seeds, compute or Compute())
    plan = replace(plan, strategy=_fastest(plan, show) if strategy == AUTO else strategy)
    with folder.locked():
        folder.refuse_taken()  # another process may have been faster
        return _trained(folder, plan, show)


def resume(
    directory: Path | str,
    *,
    steps: int | None = None,
    experiment: Experiment | None = None,
    trust: bool = False,
    strategy: str = AUTO,
    show: bool = True,
) -> list[Run]:
    """Go on with every replicate that is not done, or not even begun, as if they had never stopped.

    Args:
        directory: of the replicates.
        steps: a longer budget for all of them.
        experiment: what they were begun with, under any seed; needed for classes that cannot be imported.
        trust: whether classes that are not agon's may be imported, which runs their code.
        strategy: how several are trained at once, a name in `STRATEGIES`; "auto" goes on as before.
        show: whether to tell the progress of all on standard error.

    Returns:
        The finished runs, in the order of the seeds.

    Raises:
        RunError: no replicates there, or another process writes them, or `experiment` differs.
        ReplicatesError: some replicates have failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came; those that were running have written a checkpoint.
    """
    _refuse(strategy)
    folder = Folder(Path(directory))
    plan = read(folder.text, experiment, trust).with_steps(steps)
    if strategy != AUTO:
        plan = replace(plan, strategy=strategy)
    _known(plan.strategy)
    with folder.locked():
        return _trained(folder, plan, show)


def _fastest(plan: Plan, show: bool) -> str:
    """The strategy that measures fastest; the reason is printed."""
    strategy, why = chosen(plan)
    if show and why:
        warn(f"seeds are trained {'batched' if strategy == 'batched' else 'by ' + strategy}: {why}")
    return strategy


def _refuse(strategy: str) -> None:
    """Refuse an unknown strategy, and processes that must not start others."""
    if strategy != AUTO:
        _known(strategy)
    if "WORLD_SIZE" in os.environ:
        raise SettingError("seeds: expected a process of its own, got one that torchrun started; leave torchrun out")
    if in_worker():
        raise SettingError(
            "each worker imports your script, which has classes of the experiment: "
            'put agon.replicate(...) under if __name__ == "__main__":'
        )


def _known(strategy: str) -> None:
    if strategy not in STRATEGIES:
        raise SettingError(unknown("strategy", strategy, [AUTO, *STRATEGIES]))


def _trained(folder: Folder, plan: Plan, show: bool) -> list[Run]:
    """Train what is not trained yet; the runs of all seeds."""
    runs = {name_of(seed): folder.run(seed) for seed in plan.seeds}
    executor = STRATEGIES[plan.strategy](folder, plan)
    folder.write(plan)  # with the present budget, which also those have that are not begun yet
    paths, steps = {name: run.path for name, run in runs.items()}, dict.fromkeys(runs, plan.experiment.steps)
    train_group(executor, Group("replicates", paths, steps, _spelled, folder.path), show)
    return list(runs.values())


def _spelled(names: Sequence[str]) -> str:
    """The seeds of some runs.

    >>> _spelled(["seed-7"]), _spelled(["seed-0", "seed-2"])
    ('seed 7', 'seeds 0, 2')
    """
    return f"seed{'s' * (len(names) > 1)} {', '.join(name.removeprefix('seed-') for name in names)}"
