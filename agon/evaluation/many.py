"""Score runs in several processes or on a cluster: scores are recorded in the runs, where the caller reads them."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from signal import Signals as Signal
from typing import Any

import torch

from agon.errors import AgonError, Interrupted, RunError, TimeLimitError
from agon.evaluation.evaluating import evaluate
from agon.experiment.scripts import values_under
from agon.jobs import PROCESSES, Ended, Job, Place, executor_for
from agon.runs import Run
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory

FAULT = 1  # the status of a job whose process ended, or that met a bug


def score_runs(
    runs: Sequence[Run],
    options: Mapping[str, Any],
    *,
    processes: int = 1,
    on: Place = PROCESSES,
    show: bool = True,
) -> dict[Path, AgonError]:
    """Score runs as `evaluate` does, several at a time; what it then returns for each of them is on record.

    All compute with as many threads as the caller, so that the numbers are the caller's own to the last bit. What
    `evaluate` refuses is left to the caller, who meets the same error and says why.

    Args:
        runs: one or more.
        options: keyword arguments of `evaluate`.
        processes: the largest number of processes on this machine.
        on: "processes" of this machine, "ray", "ray://HOST:PORT", or with time limits an `agon.jobs.OnProcesses` or
            `OnRay`; a cluster's machines share the paths of the runs.
        show: whether to show the progress on standard error.

    Returns:
        The runs that the caller should not score either, with the reason: they took too long, or ended their process.

    Raises:
        Interrupted: SIGINT or SIGTERM came; the scores so far are recorded.
    """
    jobs = [_job(run, options) for run in runs]
    executor = executor_for(jobs, processes, on, threads=torch.get_num_threads())
    with MultiProgress({job.name: 1 for job in jobs}, show, alike=False) as progress:
        outcome = executor.run(progress)
    if outcome.signal and len(outcome.ended) < len(jobs):
        name, done = Signal(outcome.signal).name, len(outcome.ended)
        raise Interrupted(
            f"{name}: stopped; {done} of {len(jobs)} runs are scored, on record; the same command goes on",
            outcome.signal,
        )
    return {Path(name): _error(name, it) for name, it in outcome.ended.items() if _is_fault(it)}


def _job(run: Run, options: Mapping[str, Any]) -> Job:
    work = partial(_score, run.path, options, torch.get_num_threads())
    return Job(str(run.path), work, tuple(values_under(run.described, "import")))


def _score(path: Path, options: Mapping[str, Any], threads: int, _: ProgressFactory) -> None:
    torch.set_num_threads(threads)
    evaluate(path, **options)


def _is_fault(ended: Ended) -> bool:
    return ended.status in (FAULT, TimeLimitError.status)


def _error(name: str, ended: Ended) -> AgonError:
    kind = TimeLimitError if ended.status == TimeLimitError.status else RunError
    return kind(f"{name}: it could not be scored ({ended.sentence})")
