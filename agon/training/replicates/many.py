"""train_many: several experiments at once, a run directory for each. What replicates do is done here too."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from signal import Signals as Signal
from typing import Any

import torch

from agon.errors import Interrupted, RunError
from agon.experiment import Experiment
from agon.jobs import Executor, Job, LocalProcesses
from agon.runs import Run
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from agon.training.compute import Compute
from agon.training.loop import resume, train
from agon.training.opening import refuse_other_settings
from agon.training.recording import Callback


class ReplicatesError(RunError):
    """Some trainings have failed; the others are done.

    Attributes:
        runs: those that exist, the failed ones among them.
    """

    def __init__(self, message: str, runs: Sequence[Run], status: int) -> None:
        super().__init__(message)
        self.runs, self.status = list(runs), status


def train_many(
    experiments: Mapping[Path, Experiment],
    *,
    compute: Compute | None = None,
    callbacks: Mapping[Path, Callback] | None = None,
    show: bool = True,
) -> dict[Path, Run]:
    """Train every experiment into its own run directory, on a CPU one for each core at a time.

    Those that are done are left alone, those that were begun go on, bit for bit, and each is what `train` gives alone.

    Args:
        experiments: run directory -> what is trained in it.
        compute: of each; threads=0 is one thread here.
        callbacks: run directory -> what looks at that training.
        show: whether to tell the progress of all on standard error.

    Returns:
        The finished runs by their directories.

    Raises:
        RunError: a directory that holds something else, or was begun with other settings; nothing is begun.
        ReplicatesError: some trainings have failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came; those that were running have written a checkpoint.
    """
    how = compute or Compute()
    how = replace(how, threads=how.threads or 1).resolved()
    left = {path: experiment for path, experiment in experiments.items() if not is_done(path, experiment)}
    for path in left:
        if not Run(path).begun:
            Run(path).refuse_taken()
    if left:
        names = {path: "/".join(path.parts[-2:]) for path in left}  # a recipe's and its seed's
        jobs = [training_job(names[path], path, left[path], how, (callbacks or {}).get(path)) for path in left]
        group = Group("trainings", {names[path]: path for path in left}, {names[p]: e.steps for p, e in left.items()})
        train_group(LocalProcesses(jobs, at_once(how)), group, show, alike=False)
    return {path: Run.open(path) for path in experiments}


def is_done(path: Path, experiment: Experiment) -> bool:
    """Whether there is a run with nothing left to do.

    Raises:
        RunError: it was begun with another experiment.
    """
    if not Run(path).begun:
        return False
    run = Run.open(path)
    refuse_other_settings(run, experiment)
    checkpoint, _ = run.last_good()
    return checkpoint is not None and checkpoint.step >= experiment.steps


def training_job(
    name: str, path: Path, experiment: Experiment, compute: Compute, callback: Callback | None = None
) -> Job:
    """A training as a job: begun, or gone on with.

    Args:
        name: of the job.
        path: of the run directory.
        experiment: what is trained.
        compute: how it computes, resolved.
        callback: what looks at it meanwhile.
    """
    work = partial(_begin_or_resume, path, experiment, compute, callback)
    return Job(name, work, tuple(values_under(experiment.describe(), "import")))


def _begin_or_resume(
    path: Path, experiment: Experiment, compute: Compute, callback: Callback | None, progress: ProgressFactory
) -> None:
    torch.set_num_threads(compute.threads)
    if Run(path).begun:
        resume(path, experiment=experiment, progress=progress, callback=callback)
    else:
        train(experiment, path, compute=compute, progress=progress, callback=callback)


def at_once(compute: Compute) -> int:
    """How many trainings run at a time: on an accelerator one, since what sharing it costs is not measured."""
    if compute.device != "cpu":
        return 1
    cores = replace(compute, threads=0).resolved().threads
    return max(1, cores // compute.threads)


@dataclass(frozen=True)
class Group:
    """Trainings that are done together, and the words for them.

    Attributes:
        noun: what they are called.
        paths: job name -> run directory.
        steps: job name -> budget.
        spell: of the names of several jobs, a text.
        directory: of all of them, if there is one that `agon resume` goes on with.
    """

    noun: str
    paths: Mapping[str, Path]
    steps: Mapping[str, int]
    spell: Callable[[Sequence[str]], str] = ", ".join
    directory: Path | None = None


def train_group(executor: Executor, group: Group, show: bool, alike: bool = True) -> None:
    """Train what is not trained yet, and say what became of it.

    Args:
        executor: does the jobs of the group.
        group: the trainings.
        show: whether to tell the progress of all on standard error.
        alike: whether steps of all take the same time.

    Raises:
        ReplicatesError: some have failed, and are named; the others are done.
        Interrupted: SIGINT or SIGTERM came, and some are not done.
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
    how = "the same command goes on" if group.directory is None else f"go on with: agon resume {group.directory}"
    return f"{signal}: stopped; {done} of {len(group.paths)} {group.noun} are done; {how}"


def _failed(group: Group, sentences: Mapping[str, str]) -> str:
    """Those that failed for the same reason are named together."""
    alike: dict[str, list[str]] = {}
    for name, sentence in sentences.items():
        alike.setdefault(sentence, []).append(name)
    reasons = "; ".join(f"{group.spell(names)}: {sentence}" for sentence, names in alike.items())
    told = f"{len(sentences)} of {len(group.paths)} {group.noun} failed ({reasons})"
    if group.directory is None:
        return told
    alone = group.paths[next(iter(sentences))] if len(sentences) == 1 else None
    where = alone if alone is not None and Run(alone).begun else group.directory
    return f"{told}; go on with: agon resume {where}"


def values_under(described: Any, key: str) -> Iterator[Any]:
    """Every value under a key of nested plain values.

    >>> list(values_under({"game": [{"instance": "a:B"}], "instance": "c:D"}, "instance"))
    ['a:B', 'c:D']
    """
    if isinstance(described, dict):
        for name, value in described.items():
            if name == key:
                yield value
            else:
                yield from values_under(value, key)
    elif isinstance(described, list | tuple):
        for value in described:
            yield from values_under(value, key)
