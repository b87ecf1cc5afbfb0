"""Train and score the runs of a sweep: one job a run, rung after rung."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import Signals as Signal
from typing import Any, NamedTuple

from agon.errors import AgonError, DivergedError, Interrupted, NotMirroredError, RunError, TimeLimitError, command
from agon.experiment import Experiment
from agon.experiment.scripts import values_under
from agon.jobs import Ended, Executor, Job
from agon.runs import Run
from agon.runs.mirrors import fetched_afterwards, inside, mirror_now, set_aside_if_ahead, sync, sync_all
from agon.sweeps.folder import SweepFolder, SweepRecord
from agon.sweeps.scoring import Scoring
from agon.sweeps.standings import order
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from agon.training import Compute
from agon.training.replicates.folder import Plan, name_of
from agon.training.replicates.many import begin_or_resume, is_done
from agon.untrusted import listed

MakeExecutor = Callable[[Sequence[Job]], Executor]


class SweepRun(NamedTuple):
    """One run of a sweep.

    Attributes:
        name: "TRIAL/seed-0", also the name of its job.
        path: its directory.
        experiment: what it trains.
        until: the step at which it is scored.
        storage: address at which it is mirrored; "" for none.
    """

    name: str
    path: Path
    experiment: Experiment
    until: int
    storage: str = ""


@dataclass(frozen=True)
class Runner:
    """Trains and scores the runs of a sweep.

    Attributes:
        folder: the directory of the sweep, locked.
        record: what sweep.json holds.
        plans: trial -> its replicates.
        executor: makes what does jobs.
        trust: whether classes from outside agon may be imported.
        show: whether to show the progress.
    """

    folder: SweepFolder
    record: SweepRecord
    plans: dict[str, Plan]
    executor: MakeExecutor
    trust: bool = False
    show: bool = True

    def run(self) -> None:
        """Train and score everything that is left to do; a run that diverges is noted, and the others go on.

        Raises:
            RunError: some runs failed otherwise, and are named; the others are done.
            TimeLimitError: all that failed were too long.
            NotMirroredError: all that failed are done, and storage does not have all of them.
            Interrupted: SIGINT or SIGTERM came; running trainings have written a checkpoint.
        """
        trials = list(self.plans)
        for until, kept in self._rungs():
            self.refuse_late(self.refuse_failed(self.reach(trials, until)))
            if kept is not None:
                trials = order(self.folder, self.record, trials, until)[:kept]

    def _rungs(self) -> Iterator[tuple[int | None, int | None]]:
        """Yield the steps to reach, None for each trial's own budget, and how many trials go on from there."""
        halving, count = self.record.plan.halving, len(self.plans)
        if halving is None:
            yield None, None
            return
        *rungs, last = halving.rungs(next(iter(self.plans.values())).experiment.steps, count)
        for rung in rungs:
            count = halving.kept(count)
            yield rung, count
        yield last, None

    def reach(self, trials: Sequence[str], until: int | None) -> dict[str, Ended]:
        """Train all runs of some trials up to a step, None for their budget, and score them; return which failed.

        Raises:
            NotMirroredError: a run is done, and storage does not have all of it.
            RunError: storage does not answer.
            Interrupted: SIGINT or SIGTERM came; running trainings have written a checkpoint.
        """
        runs = [run for trial in trials for run in self._runs(trial, until)]
        sync_all({run.path: run.storage for run in runs}, self.show)
        left = [run for run in runs if run.name not in self.record.diverged and not self._is_scored(run)]
        if not left:
            return {}
        scoring = self.record.plan.scoring
        jobs = [_job(run, self.plans[run.name.rpartition("/")[0]].compute, scoring, self.trust) for run in left]
        display = MultiProgress({run.name: run.until for run in left}, self.show, alike=False)
        fetched = fetched_afterwards({run.path: run.storage for run in left}, f"{command('resume', self.folder.path)}")
        with fetched, display as progress:
            outcome = self.executor(jobs).run(progress)
        self._note(outcome.ended)
        if outcome.signal and len(outcome.ended) < len(left):
            raise Interrupted(
                f"{Signal(outcome.signal).name}: stopped; {len(runs) - len(left) + len(outcome.ended)} of {len(runs)} "
                f"trainings are done; go on with: {command('resume', self.folder.path)}",
                outcome.signal,
            )
        return {name: it for name, it in outcome.ended.items() if it.status and name not in self.record.diverged}

    def _runs(self, trial: str, until: int | None) -> Iterator[SweepRun]:
        plan, folder, storage = self.plans[trial], self.folder.trial(trial), self.folder.storage
        for seed in plan.seeds:
            name, step = f"{trial}/{name_of(seed)}", plan.experiment.steps if until is None else until
            yield SweepRun(name, folder.run(seed).path, plan.replicate(seed), step, inside(storage, name))

    def _is_scored(self, run: SweepRun) -> bool:
        """Whether a run has reached its step and has its score there."""
        if not self.record.plan.scoring.recorded(Run(run.path), run.until):
            return False
        return is_done(run.path, run.experiment, run.until)

    def _note(self, ended: Mapping[str, Ended]) -> None:
        """Write down which runs have diverged, so that no later call trains them again."""
        diverged = {name: it.sentence for name, it in ended.items() if it.status == DivergedError.status}
        if diverged:
            self.record.diverged |= diverged
            self.folder.write(self.record)

    def refuse_failed(self, failed: Mapping[str, Ended]) -> dict[str, Ended]:
        """Raise a RunError if any run failed, unless all of them were too long; return these."""
        statuses = {it.status for it in failed.values()} - {TimeLimitError.status}
        if statuses:
            raise (NotMirroredError if statuses == {NotMirroredError.status} else RunError)(self._failed(failed))
        return dict(failed)

    def refuse_late(self, late: Mapping[str, Ended]) -> None:
        """Raise a TimeLimitError if any run was too long."""
        if late:
            raise TimeLimitError(self._failed(late))

    def _failed(self, failed: Mapping[str, Ended]) -> str:
        reasons = [f"{name}: {it.sentence}" for name, it in failed.items()]
        count = len(self.record.plan.trials) * len(self.record.plan.seeds)
        return (
            f"{len(failed)} of {count} trainings failed ({listed(reasons)}); "
            f"go on with: {command('resume', self.folder.path)}"
        )


def _job(run: SweepRun, compute: Compute, scoring: Scoring, trust: bool) -> Job:
    work = partial(train_and_score, run, compute, scoring, trust)
    return Job(run.name, work, tuple(values_under(run.experiment.describe(), "import")))


def train_and_score(run: SweepRun, compute: Compute, scoring: Scoring, trust: bool, progress: ProgressFactory) -> None:
    """Train a run up to its step, or go on with it, and score it there; in a worker."""
    if run.storage and Run(run.path).begun:
        set_aside_if_ahead(run.path, run.storage)
    sync(run.path, run.storage)
    if not (Run(run.path).begun and is_done(run.path, run.experiment, run.until)):
        how: dict[str, Any] = {"until": run.until, "storage": run.storage}
        callback = scoring.callback(trust=trust)
        begin_or_resume(run.path, run.experiment, compute, callback, compute.threads, None, progress, **how)
    try:
        scoring.measure(run.path, trust=trust)
    except AgonError as error:
        raise RunError(f"its training is done, but it could not be scored ({error.typed})") from error
    mirror_now(run.path)
