"""`sweep` and `resume`: train one experiment under many settings and seeds, score each run, and say what is best."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agon.errors import SettingError, require
from agon.evaluation import ExtractorSpec
from agon.experiment import Experiment
from agon.experiment.codec import encode
from agon.experiment.scripts import stop_script
from agon.jobs import PROCESSES, Place, in_worker, place
from agon.ranks import joined
from agon.runs.mirrors import begin_folder, check_storage, mirror_now, prepare, up_to_date
from agon.runs.named import local
from agon.sweeps.folder import SweepFolder, SweepPlan, SweepRecord
from agon.sweeps.halving import Halving
from agon.sweeps.result import SweepResult, result_of
from agon.sweeps.running import MakeExecutor, Runner
from agon.sweeps.scoring import Scoring, known_metric
from agon.sweeps.search import BayesianSearch, Search, seeded
from agon.sweeps.searching import Make, first_trials, refuse_entangled, with_settings
from agon.sweeps.searching import search as search_on
from agon.sweeps.trials import Settings, names_of
from agon.terminal.waiting import stage, tracked, waiting
from agon.training import Compute
from agon.training.replicates.folder import Plan, make_plan
from agon.training.replicates.many import training_executor

SAMPLES = 5_000  # in each score


def sweep(
    experiment: Experiment | Make,
    directory: Path | str,
    *,
    over: Mapping[str, Sequence[Any] | str],
    metric: str,
    seeds: int | Sequence[int] = 3,
    n: int = SAMPLES,
    extractor: str = "auto",
    every: int | None = None,
    search: Search | None = None,
    halving: Halving | None = None,
    compute: Compute | None = None,
    jobs: int | None = None,
    on: Place = PROCESSES,
    storage: str = "",
    trust: bool = False,
    show: bool = True,
) -> SweepResult:
    """Train an experiment under all combinations of settings and several seeds, score each run, and compare them.

    Each run equals, bit for bit, what `train` gives for its settings and seed. A run that diverges is a result with a
    name; the others go on. With the same arguments, the table is the same for any number of processes.

    Args:
        experiment: what to train, made of parts; or a function that makes it from a trial's settings as texts.
        directory: the directory of all runs, new or empty, with `lr=1e-4/seed-0` for a trial and a seed.
        over: path of a setting -> its values, as in `agon train --set`; in a search a range "1e-5..1e-3".
        metric: the metric whose most telling score decides, a name in `evaluation.METRICS`.
        seeds: how many seeds each trial has, counted from the experiment's own; or which.
        n: number of samples in each score.
        extractor: name of the extractor of the features, for metrics that compare features.
        every: steps between two scores during each training, for curves; None for the end alone.
        search: a `RandomSearch` or a `BayesianSearch` in the place of all combinations.
        halving: stop the worse trials early; all trials must have one budget.
        compute: how each training computes; threads=0 means one thread here.
        jobs: number of processes at a time; by default one for each core, or one on an accelerator.
        on: "processes" of this machine, "ray", "ray://HOST:PORT", or with time limits an `agon.jobs.OnProcesses` or
            `OnRay`; the table is the same.
        storage: address at which the sweep and all its runs are mirrored, as of `train`; the run of seed 0 of a trial
            below it at "lr=1e-4/seed-0".
        trust: whether an extractor from outside agon may be imported.
        show: whether to show the progress on standard error.

    Returns:
        The table of trials, the best first, and whether it is better than the next.

    Raises:
        SettingError: a setting or a value does not exist or fit, or the metric does not apply; nothing is begun.
        DataError: the data cannot be read, or lack what the metric needs; nothing is begun.
        NotInstalledError: a package of the search or of the metric is not installed.
        RunError: the directory or the storage cannot be written or is not empty; or some runs failed, and the others
            are done.
        NotMirroredError: storage does not have all of what is done.
        Interrupted: SIGINT or SIGTERM came; `resume` goes on.
    """
    stop_script()
    _refuse_elsewhere()
    place(on)  # refused before anything is read
    check_storage(storage)
    folder = SweepFolder(Path(directory))
    folder.refuse_taken()
    texts = {path: _texts(values) for path, values in over.items()}
    scoring = Scoring(known_metric(metric), _positive(n, "n"), ExtractorSpec(extractor, trust=trust).name, every)
    make = experiment if callable(experiment) else _maker(experiment)
    search = seeded(search, 0 if callable(experiment) else experiment.seed)
    trials = first_trials(search, texts)
    bayesian = _bayesian(search, texts, make, halving)
    plans = _plans(dict(zip(names_of(trials), trials, strict=True)), make, seeds, compute or Compute(), show)
    named, chosen = dict(zip(plans, trials, strict=True)), next(iter(plans.values())).seeds
    plan = SweepPlan(texts, named, chosen, scoring, halving, bayesian)
    _refuse_unequal(plans, halving)
    _refuse_idle(plans, halving)
    executor = _executor(plans, jobs, on)
    with waiting(show), stage(f"what {scoring.metric} needs"):
        scoring.refuse_inapplicable(plans.values(), trust=trust)
    prepare(storage)
    with folder.locked():
        folder.refuse_taken()  # another process may have been faster
        record = SweepRecord(plan)
        begin_folder(folder.files, storage)
        folder.begin(record, plans)
        return _done(Runner(folder, record, plans, executor, trust, show))


def resume(
    directory: Path | str,
    *,
    threads: int | None = None,
    jobs: int | None = None,
    on: Place = PROCESSES,
    storage: str = "",
    trust: bool = False,
    show: bool = True,
) -> SweepResult:
    """Go on with a sweep: train and score what is left, and compare again. What is done is not done again.

    Args:
        directory: the directory of the sweep, or its address in storage, whose copy in the cache goes on.
        threads: a new number of CPU threads of each training; later steps agree up to rounding.
        jobs: number of processes at a time, as of `sweep`.
        on: where the jobs run, as of `sweep`.
        storage: address at which the sweep is mirrored from now on, or from which it is fetched where the directory is
            missing or empty. By default the one that it has.
        trust: whether classes that are not agon's may be imported, which runs their code.
        show: whether to show the progress on standard error.

    Raises:
        RunError: there is no sweep, another process writes it, or some runs failed.
        SettingError: the sweep needs classes from outside agon, without trust.
        Interrupted: SIGINT or SIGTERM came.
    """
    stop_script()
    _refuse_elsewhere()
    place(on)  # refused before anything is read
    folder = SweepFolder(up_to_date(local(directory), storage))
    record = folder.read()
    if record.plan.search is not None:
        require("optuna")
    plans = folder.plans(record, trust=trust, threads=threads)
    executor = _executor(plans, jobs, on)
    with folder.locked():
        return _done(Runner(folder, record, plans, executor, trust, show))


def _done(runner: Runner) -> SweepResult:
    """Run a sweep to its end, and write its result."""
    mirror_now(runner.folder.path)
    if runner.record.plan.search is None:
        runner.run()
    else:
        search_on(runner)
    result = result_of(runner.folder, runner.record)
    runner.record.result = result.plain()
    runner.folder.write(runner.record)
    mirror_now(runner.folder.path)
    return result


def _plans(
    trials: Mapping[str, Settings], make: Make, seeds: int | Sequence[int], compute: Compute, show: bool
) -> dict[str, Plan]:
    """Make the plan of each trial; all of them are checked before anything is begun."""
    plans = {}
    with waiting(show):
        for name, settings in tracked(list(trials.items()), "checking trials", len(trials)):
            try:
                plans[name] = make_plan(make(settings), seeds, compute)
            except SettingError as error:
                raise SettingError(f"trial {name}: {error.message}", *error.changes) from error
    return plans


def _maker(experiment: Experiment) -> Make:
    return lambda settings: with_settings(experiment, settings)


def _bayesian(
    search: Search | None, over: dict[str, tuple[str, ...]], make: Make, halving: Halving | None
) -> BayesianSearch | None:
    """The search that proposes further trials, if it does and may."""
    if not isinstance(search, BayesianSearch):
        return None
    if halving is not None:
        raise SettingError("halving: expected a grid or a random search, got a Bayesian search; leave one of both out")
    refuse_entangled(search, over, make)
    return search


def _texts(values: Sequence[Any] | str) -> tuple[str, ...]:
    """Write values as `agon train --set` takes them.

    Raises:
        SettingError: they are no sequence, or a value cannot be written.

    >>> _texts([0.1, "hinge", (1, 2)]), _texts("1e-5..1e-3"), _texts(np.array([0.1], np.float32))
    (('0.1', 'hinge', '[1, 2]'), ('1e-5..1e-3',), ('0.1',))
    """
    if not isinstance(values, Iterable):
        raise SettingError(f"over: expected a sequence of values for each setting, got {values}; give [{values}]")
    given = [values] if isinstance(values, str) else list(values)
    return tuple(_text(value) for value in given)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, np.generic):  # of float32, 0.1 is 0.10000000149 in other words
        return str(value) if isinstance(value, np.number) else json.dumps(value.item())
    return json.dumps(encode(value))


def _executor(plans: Mapping[str, Plan], jobs: int | None, on: Place) -> MakeExecutor:
    compute = next(iter(plans.values())).compute
    workers = None if jobs is None else _positive(jobs, "jobs")
    return lambda todo: training_executor(todo, compute, on, workers)


def _positive(number: int, name: str) -> int:
    if number < 1:
        raise SettingError(f"{name}: expected at least 1, got {number}")
    return number


def _refuse_unequal(plans: Mapping[str, Plan], halving: Halving | None) -> None:
    budgets = {plan.experiment.steps for plan in plans.values()}
    if halving is not None and len(budgets) > 1:
        raise SettingError(
            f"halving: expected one budget for all trials, got {', '.join(map(str, sorted(budgets)))} steps; "
            "leave steps out of the sweep, or halving"
        )


def _refuse_idle(plans: Mapping[str, Plan], halving: Halving | None) -> None:
    """Refuse halving that would stop no trial."""
    steps, count = next(iter(plans.values())).experiment.steps, len(plans)
    if halving is not None and len(halving.rungs(steps, count)) == 1:
        raise SettingError(
            f"halving: expected {2 * halving.factor} trials or more, and a first rung up to step "
            f"{steps // halving.factor}, got {count} and {halving.first}, where none is stopped early; leave it out"
        )


def _refuse_elsewhere() -> None:
    """Refuse a process that must not start others."""
    if (ranks := joined()) is not None:
        launcher = ranks.launcher
        raise SettingError(
            f"a sweep: expected a process of its own, got one that {launcher} started; leave {launcher} out"
        )
    if in_worker():
        raise SettingError(
            "each worker imports your script, which has classes of the experiment: "
            'put agon.sweep(...) under if __name__ == "__main__":'
        )
