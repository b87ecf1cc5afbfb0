"""train_each: several experiments at once, a run directory for each."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from signal import Signals as Signal

from agon.errors import Interrupted, RunError
from agon.experiment import Experiment
from agon.replicates.board import Board
from agon.replicates.errors import ReplicatesError
from agon.replicates.job import Job
from agon.replicates.processes import Processes
from agon.runs import Run
from agon.training import Arithmetic, Watch


def train_each(
    experiments: Mapping[Path, Experiment],
    *,
    arithmetic: Arithmetic | None = None,
    watches: Mapping[Path, Watch] | None = None,
    show: bool = True,
) -> dict[Path, Run]:
    """Train every experiment into its own run directory, on a CPU one for each core at a time.

    Those that are done are left alone, those that were begun go on, bit for bit, and each is what `train` gives alone.

    Args:
        experiments: run directory -> what is trained in it.
        arithmetic: of each; threads=0 is one thread here.
        watches: run directory -> what looks at that training.
        show: whether to tell the progress of all on standard error.

    Returns:
        The finished runs by their directories.

    Raises:
        RunError: a directory that holds something else, or was begun with other settings; nothing is begun.
        ReplicatesError: some trainings have failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came; those that were running have written a checkpoint.
    """
    how = arithmetic or Arithmetic()
    how = replace(how, threads=how.threads or 1).resolved()
    looks = watches or {}
    jobs = [Job(_name(path), path, experiment, how, looks.get(path)) for path, experiment in experiments.items()]
    left = [job for job in jobs if not job.done]
    for job in left:
        if not job.begun:
            Run(job.path).refuse_taken()
    if left:
        _work(left, show)
    return {job.path: Run.open(job.path) for job in jobs}


def _work(jobs: list[Job], show: bool) -> None:
    processes = Processes(jobs)
    with Board({job.name: job.experiment.steps for job in jobs}, show, alike=False) as board:
        outcome = processes.work(board)
    failed = {name: ended for name, ended in outcome.ended.items() if ended.status}
    if outcome.signal and len(outcome.ended) < len(jobs):
        done = sum(not ended.status for ended in outcome.ended.values())
        name = Signal(outcome.signal).name
        raise Interrupted(
            f"{name}: stopped; {done} of {len(jobs)} trainings are done; the same command goes on", outcome.signal
        )
    if failed:
        told = "; ".join(f"{name}: {ended.sentence}" for name, ended in failed.items())
        statuses = {ended.status for ended in failed.values()}
        begun = [Run(job.path) for job in jobs if job.begun]
        status = statuses.pop() if len(statuses) == 1 else RunError.status
        raise ReplicatesError(f"{len(failed)} of {len(jobs)} trainings failed ({told})", begun, status)


def _name(path: Path) -> str:
    """The last two parts: a recipe's and its seed's."""
    return "/".join(path.parts[-2:])
