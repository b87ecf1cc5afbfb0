"""`train_many`: train several experiments at once, each in its own run directory. Replicates use it too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from signal import Signals as Signal
from typing import Any

import torch

from agon.errors import Interrupted, RunError, command
from agon.experiment import Experiment
from agon.experiment.scripts import values_under
from agon.jobs import PROCESSES, Executor, Job, Place, executor_for
from agon.runs import Run
from agon.runs.mirrors import Addresses, fetched_afterwards, is_stored, set_aside_if_ahead, sync_all
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from agon.training.compute import Compute
from agon.training.loop import resume, train
from agon.training.monitoring import Monitoring
from agon.training.opening import refuse_other_settings
from agon.training.recording import Callback


class ReplicatesError(RunError):
    """Some trainings failed; the others are done.

    Attributes:
        runs: the runs that exist, including failed ones.
    """

    def __init__(self, message: str, runs: Sequence[Run], status: int) -> None:
        super().__init__(message)
        self.runs, self.status = list(runs), status


def train_many(
    experiments: Mapping[Path, Experiment],
    *,
    compute: Compute | None = None,
    callbacks: Mapping[Path, Callback] | None = None,
    on: Place = PROCESSES,
    storage: Addresses | None = None,
    show: bool = True,
) -> dict[Path, Run]:
    """Train every experiment in its own run directory; on a CPU, one for each core at a time.

    Finished runs are left alone, others resume bit for bit, and each result equals that of `train` alone.

    Args:
        experiments: run directory -> the experiment to train in it.
        compute: how each training computes; threads=0 means one thread here.
        callbacks: run directory -> the callback of that training.
        on: "processes" of this machine, "ray", "ray://HOST:PORT", or with time limits an `agon.jobs.OnProcesses` or
            `OnRay`.
        storage: run directory -> the address at which it is mirrored, as of `train`; a run that storage has is fetched
            and goes on.
        show: whether to show the progress of all on standard error.

    Returns:
        The finished runs by their directories.

    Raises:
        RunError: a directory holds something else, or was begun with other settings; nothing is begun.
        ReplicatesError: some trainings failed, and are named; the others are done.
        NotMirroredError: a run was done already, and storage does not have all of it.
        Interrupted: SIGINT or SIGTERM came; running trainings have written a checkpoint.
    """
    compute = compute or Compute()
    compute = replace(compute, threads=compute.threads or 1).resolved()
    addresses = storage or {}
    sync_all({path: addresses.get(path, "") for path in experiments}, show)
    unfinished = {path: experiment for path, experiment in experiments.items() if not is_done(path, experiment)}
    for path in unfinished:
        if not Run(path).begun:
            Run(path).refuse_taken()
    if unfinished:
        names = _names(list(unfinished))
        jobs = [
            training_job(
                names[path], path, experiment, compute, (callbacks or {}).get(path), storage=addresses.get(path, "")
            )
            for path, experiment in unfinished.items()
        ]
        steps = {names[path]: experiment.steps for path, experiment in unfinished.items()}
        group = Group("trainings", {names[path]: path for path in unfinished}, steps)
        with fetched_afterwards({path: addresses.get(path, "") for path in unfinished}, "the same command"):
            train_group(training_executor(jobs, compute, on), group, show, alike=False)
    return {path: Run.open(path) for path in experiments}


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """The last two parts of each path, the recipe's and the seed's, or as many as tell them apart."""
    for count in range(2, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-count:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return dict(zip(paths, names, strict=True))


def is_done(path: Path, experiment: Experiment, until: int | None = None) -> bool:
    """Whether there is a finished run, or one that has reached the step `until`.

    Raises:
        RunError: the run was begun with another experiment.
    """
    if not Run(path).begun:
        return False
    run = Run.open(path)
    refuse_other_settings(run, experiment)
    checkpoint, _ = run.last_good()
    return checkpoint is not None and checkpoint.step >= (experiment.steps if until is None else until)


def training_job(
    name: str,
    path: Path,
    experiment: Experiment,
    compute: Compute,
    callback: Callback | None = None,
    threads: int | None = None,
    alarms: Monitoring | None = None,
    storage: str = "",
) -> Job:
    """A job that trains an experiment, or resumes its run.

    Args:
        name: the job's name.
        path: the run directory.
        experiment: what to train.
        compute: how to compute, resolved.
        callback: called every so many steps.
        threads: CPU threads of a run that resumes; by default its own.
        alarms: what looks at the training as it goes on.
        storage: address at which its run is mirrored, and from which another machine goes on; "" for none.
    """
    work = partial(begin_or_resume, path, experiment, compute, callback, threads, alarms, storage=storage)
    return Job(name, work, tuple(values_under(experiment.describe(), "import")))


def begin_or_resume(
    path: Path,
    experiment: Experiment,
    compute: Compute,
    callback: Callback | None,
    threads: int | None,
    alarms: Monitoring | None,
    progress: ProgressFactory,
    until: int | None = None,
    storage: str = "",
) -> None:
    """Train an experiment, or resume its run, in a worker: the work of `training_job`; `until` pauses at a step."""
    torch.set_num_threads(compute.threads)
    how: dict[str, Any] = {"progress": progress, "callback": callback, "alarms": alarms, "until": until}
    how["storage"] = storage
    if Run(path).begun or is_stored(storage):
        if storage:
            set_aside_if_ahead(path, storage)
        resume(path, experiment=experiment, threads=threads, **how)
    else:
        train(experiment, path, compute=compute, **how)


def training_executor(jobs: Sequence[Job], compute: Compute, on: Place, workers: int | None = None) -> Executor:
    """The executor for trainings that compute alike; `workers` of them at a time, by default one for each core."""
    count = at_once(compute) if workers is None else workers
    return executor_for(jobs, count, on, threads=compute.threads, device=compute.device)


def at_once(compute: Compute) -> int:
    """How many trainings run at a time; on an accelerator one, as the cost of sharing it was not measured."""
    if compute.device != "cpu":
        return 1
    return max(1, compute.cores() // (compute.devices * compute.threads))


@dataclass(frozen=True)
class Group:
    """Trainings that are done together, and how messages name them.

    Attributes:
        noun: the word for several of them.
        paths: job name -> run directory.
        steps: job name -> budget.
        spell: turns the names of several jobs into text.
        directory: the directory of all, if there is one that `agon resume` accepts.
    """

    noun: str
    paths: Mapping[str, Path]
    steps: Mapping[str, int]
    spell: Callable[[Sequence[str]], str] = ", ".join
    directory: Path | None = None


def train_group(executor: Executor, group: Group, show: bool, alike: bool = True) -> None:
    """Run the jobs of a group, and raise an error if not all of them succeed.

    Args:
        executor: does the jobs of the group.
        group: the trainings.
        show: whether to show the progress of all on standard error.
        alike: whether the steps of all take the same time.

    Raises:
        ReplicatesError: some trainings failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came before all were done.
    """
    with MultiProgress(group.steps, show, alike=alike) as progress:
        outcome = executor.run(progress)
    failed = {name: outcome.ended[name] for name in group.paths if name in outcome.ended and outcome.ended[name].status}
    if outcome.signal and len(outcome.ended) < len(group.paths):
        done = len(outcome.ended) - len(failed)
        raise Interrupted(_interrupted(group, Signal(outcome.signal).name, done), outcome.signal)
    if failed:
        statuses = {ended.status for ended in failed.values()}
        status = statuses.pop() if len(statuses) == 1 else RunError.status
        begun = [run for path in group.paths.values() if (run := Run(path)).begun]
        raise ReplicatesError(_failed(group, {name: ended.sentence for name, ended in failed.items()}), begun, status)


def _interrupted(group: Group, signal: str, done: int) -> str:
    resume = "" if group.directory is None else command("resume", group.directory)
    advice = f"go on with: {resume}" if resume else "the same command goes on"
    return f"{signal}: stopped; {done} of {len(group.paths)} {group.noun} are done; {advice}"


def _failed(group: Group, sentences: Mapping[str, str]) -> str:
    """The message for failed trainings; those that failed for the same reason are named together."""
    alike: dict[str, list[str]] = {}
    for name, sentence in sentences.items():
        alike.setdefault(sentence, []).append(name)
    reasons = "; ".join(f"{group.spell(names)}: {sentence}" for sentence, names in alike.items())
    message = f"{len(sentences)} of {len(group.paths)} {group.noun} failed ({reasons})"
    if group.directory is None:
        return message
    single = group.paths[next(iter(sentences))] if len(sentences) == 1 else None
    directory = single if single is not None and Run(single).begun else group.directory
    return f"{message}; go on with: {command('resume', directory)}"
