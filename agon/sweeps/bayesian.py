"""The proposals of a Bayesian search, and what it is told of each trial."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from agon.arena.comparisons.table import badness
from agon.errors import SettingError, require
from agon.metrics.directions import direction_of
from agon.sweeps.folder import SweepFolder, SweepRecord
from agon.sweeps.search import BayesianSearch
from agon.sweeps.standings import TrialResult, standings
from agon.sweeps.trials import Interval, Settings, refuse_empty

DIVERGED, FAILED = "diverged", "failed"  # what is told of a trial without a score
Told = float | str  # badness of a trial's score, lower being better; or DIVERGED; or FAILED


def propose(
    search: BayesianSearch, over: Mapping[str, Sequence[str]], told: Sequence[tuple[Settings, Told]]
) -> list[Settings]:
    """Return the next trials of a search: a function of its arguments and of nothing else.

    A sweep that goes on tells again what it has on record, and needs no other memory. A trial that diverged counts as
    the worst of all, so that no more are proposed near it; one that failed says nothing.

    Args:
        search: how many trials in all, and at once.
        over: path -> several values, or one range LOW..HIGH.
        told: settings of each trial so far, and what came of it.

    Raises:
        SettingError: there is nothing to vary, or a range beside other values.
        NotInstalledError: Optuna is not installed.
    """
    require("optuna")
    refuse_empty(over)
    intervals = {path: _interval(path, values) for path, values in over.items()}
    count = min(search.at_once, search.trials - len(told))
    import optuna

    spaces = {path: _space(optuna.distributions, over[path], interval) for path, interval in intervals.items()}
    seed = int(np.random.SeedSequence([search.seed or 0, len(told)]).generate_state(1)[0])
    with _quiet(optuna):
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
        study = optuna.create_study(direction="minimize", sampler=sampler)
        for settings, value in told:
            study.add_trial(_trial(optuna.trial, settings, value, intervals, spaces))
        proposals = [study.ask(spaces).params for _ in range(count)]
    return [{path: _text(params[path], intervals[path]) for path in over} for params in proposals]


def _interval(path: str, values: Sequence[str]) -> Interval | None:
    intervals = [Interval.read(value) for value in values]
    if any(intervals) and len(values) > 1:
        raise SettingError(f"over {path}: expected values, or one range, got {', '.join(values)}")
    return intervals[0]


def _space(distributions: Any, values: Sequence[str], interval: Interval | None) -> Any:
    if interval is None:
        return distributions.CategoricalDistribution(tuple(values))
    if interval.whole:
        return distributions.IntDistribution(int(interval.low), int(interval.high), log=interval.logarithmic)
    return distributions.FloatDistribution(interval.low, interval.high, log=interval.logarithmic)


def _trial(
    trials: Any, settings: Settings, value: Told, intervals: Mapping[str, Interval | None], spaces: Mapping[str, Any]
) -> Any:
    """What Optuna is told of a trial."""
    failed = value == FAILED
    return trials.create_trial(
        state=trials.TrialState.FAIL if failed else trials.TrialState.COMPLETE,
        value=None if failed else math.inf if value == DIVERGED else float(value),
        params={path: _value(text, intervals[path]) for path, text in settings.items()},
        distributions=dict(spaces),
    )


def _value(text: str, interval: Interval | None) -> float | int | str:
    return text if interval is None else int(text) if interval.whole else float(text)


def _text(value: Any, interval: Interval | None) -> str:
    return str(value) if interval is None else interval.text(value)


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Let Optuna say nothing of the studies that it creates."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def told_of(folder: SweepFolder, record: SweepRecord, trials: Sequence[str]) -> dict[str, Told]:
    """What a search is told of trials that have ended, by the score that decides for the whole sweep."""
    score, results = standings(folder, record, list(record.plan.trials))
    by_name = {result.name: result for result in results}
    return {name: _told(by_name[name], score, len(record.plan.seeds)) for name in trials}


def _told(result: TrialResult, score: str, seeds: int) -> Told:
    if result.diverged:
        return DIVERGED
    direction = direction_of(score)
    if direction is None or len(result.values) < seeds:
        return FAILED
    worst = badness(direction, list(result.values.values()))
    return worst if math.isfinite(worst) else DIVERGED
