"""replicate and resume: one experiment under many seeds, a run directory for each."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import current_process
from pathlib import Path
from signal import Signals as Signal
from typing import Protocol

from agon.errors import Interrupted, RunError, SettingError, unknown
from agon.experiment import Experiment
from agon.replicates.board import Board
from agon.replicates.choice import chosen
from agon.replicates.errors import ReplicatesError
from agon.replicates.folder import Folder
from agon.replicates.job import jobs_of, name
from agon.replicates.plan import Plan, planned, read
from agon.replicates.processes import Outcome, Processes
from agon.replicates.together import Together
from agon.replicates.worker import NAME
from agon.runs import Run
from agon.terminal import warn
from agon.training import Arithmetic


class Means(Protocol):
    """How the seeds of a plan are trained; made before anything is written, so that it can refuse."""

    def work(self, board: Board) -> Outcome:
        """Train them all, and tell the board how far each is."""


MEANS: dict[str, Callable[[Folder, Plan], Means]] = {
    "processes": lambda folder, plan: Processes(jobs_of(folder, plan)),
    "batched": Together,
}
AUTO = "auto"  # what measures fastest; for replicates that were begun, what they were begun by


def replicate(
    experiment: Experiment,
    directory: Path | str,
    seeds: int | Sequence[int],
    *,
    arithmetic: Arithmetic | None = None,
    means: str = AUTO,
    show: bool = True,
) -> list[Run]:
    """Train one experiment under many seeds, each into a run directory of its own.

    By processes each replicate is, bit for bit, what `train` gives alone for that seed with the same
    arithmetic; batched, which computes all seeds in one program, it is so up to rounding.

    Args:
        experiment: what to train; of parts, since each seed builds its own game.
        directory: of all the runs, `seed-7` for seed 7; new or empty.
        seeds: how many, from the experiment's own seed on; or which.
        arithmetic: of each replicate; threads=0 is one thread here: where it pays to batch seeds, launches take
            the time, which a second thread does not shorten.
        means: how several are trained at once, a name in `MEANS`; "auto" takes what measures fastest, which on
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
    _refuse(means)
    folder = Folder(Path(directory))
    folder.refuse_taken()
    plan = planned(experiment, seeds, arithmetic or Arithmetic())
    plan = replace(plan, means=_fastest(plan, show) if means == AUTO else means)
    with folder.locked():
        folder.refuse_taken()  # another process may have been faster
        return _carried_out(folder, plan, show)


def resume(
    directory: Path | str,
    *,
    steps: int | None = None,
    experiment: Experiment | None = None,
    trust: bool = False,
    means: str = AUTO,
    show: bool = True,
) -> list[Run]:
    """Go on with every replicate that is not done, or not even begun, as if they had never stopped.

    Args:
        directory: of the replicates.
        steps: a longer budget for all of them.
        experiment: what they were begun with, under any seed; needed for classes that cannot be imported.
        trust: whether classes that are not agon's may be imported, which runs their code.
        means: how several are trained at once, a name in `MEANS`; "auto" goes on as before.
        show: whether to tell the progress of all on standard error.

    Returns:
        The finished runs, in the order of the seeds.

    Raises:
        RunError: no replicates there, or another process writes them, or `experiment` differs.
        ReplicatesError: some replicates have failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came; those that were running have written a checkpoint.
    """
    _refuse(means)
    folder = Folder(Path(directory))
    plan = read(folder.text, experiment, trust).with_steps(steps)
    if means != AUTO:
        plan = replace(plan, means=means)
    _known(plan.means)
    with folder.locked():
        return _carried_out(folder, plan, show)


def _fastest(plan: Plan, show: bool) -> str:
    """The means that measures fastest, which is told with the reason."""
    means, why = chosen(plan)
    if show and why:
        warn(f"seeds are trained {'batched' if means == 'batched' else 'by ' + means}: {why}")
    return means


def _refuse(means: str) -> None:
    """Unknown means, and processes that must not start others."""
    if means != AUTO:
        _known(means)
    if "WORLD_SIZE" in os.environ:
        raise SettingError("seeds: expected a process of its own, got one that torchrun started; leave torchrun out")
    if current_process().name == NAME:
        raise SettingError(
            "each worker imports your script, which has classes of the experiment: "
            'put agon.replicate(...) under if __name__ == "__main__":'
        )


def _known(means: str) -> None:
    if means not in MEANS:
        raise SettingError(unknown("means", means, [AUTO, *MEANS]))


def _carried_out(folder: Folder, plan: Plan, show: bool) -> list[Run]:
    """Train what is not trained yet, and say what became of it."""
    work = MEANS[plan.means](folder, plan).work
    folder.write(plan)  # with the present budget, which also those have that are not begun yet
    with Board({name(seed): plan.experiment.steps for seed in plan.seeds}, show) as board:
        outcome = work(board)
    ended = {seed: outcome.ended[name(seed)] for seed in plan.seeds if name(seed) in outcome.ended}
    failed = {seed: each for seed, each in ended.items() if each.status}
    if outcome.signal and len(outcome.ended) < len(plan.seeds):
        raise Interrupted(_interrupted(folder, plan, outcome), outcome.signal)
    if failed:
        statuses = {each.status for each in failed.values()}
        status = statuses.pop() if len(statuses) == 1 else RunError.status
        begun = [folder.run(seed) for seed in plan.seeds if folder.begun(seed)]
        raise ReplicatesError(
            _failed(folder, plan, {seed: each.sentence for seed, each in failed.items()}), begun, status
        )
    return [folder.run(seed) for seed in plan.seeds]


def _interrupted(folder: Folder, plan: Plan, outcome: Outcome) -> str:
    done = sum(not ended.status for ended in outcome.ended.values())
    name = Signal(outcome.signal).name
    return f"{name}: stopped; {done} of {len(plan.seeds)} replicates are done; go on with: agon resume {folder.path}"


def _failed(folder: Folder, plan: Plan, sentences: dict[int, str]) -> str:
    """Seeds that failed for the same reason are named together."""
    alike: dict[str, list[str]] = {}
    for seed in sorted(sentences, key=plan.seeds.index):
        alike.setdefault(sentences[seed], []).append(str(seed))
    named = "; ".join(f"seed{'s' * (len(those) > 1)} {', '.join(those)}: {why}" for why, those in alike.items())
    alone = next(iter(sentences)) if len(sentences) == 1 else None
    where = folder.run(alone).path if alone is not None and folder.begun(alone) else folder.path
    return f"{len(sentences)} of {len(plan.seeds)} replicates failed ({named}); go on with: agon resume {where}"
