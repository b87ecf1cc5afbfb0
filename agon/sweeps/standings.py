"""The scores of a sweep's trials, and their order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agon.arena.comparisons.table import badness
from agon.metrics.differences import Measured
from agon.metrics.directions import direction_of
from agon.metrics.intervals import mean_value
from agon.runs import Run
from agon.runs.scores import ScoreRecord
from agon.sweeps.folder import SweepFolder, SweepRecord
from agon.sweeps.scoring import deciding, measured
from agon.sweeps.trials import Settings
from agon.training.replicates.folder import name_of


@dataclass(frozen=True)
class TrialResult:
    """What is known of a trial.

    Attributes:
        name: of its folder.
        settings: path -> value.
        values: seed -> the deciding score at `step`.
        step: the last step at which it was scored; 0 if it never was.
        diverged: seeds whose training diverged.
    """

    name: str
    settings: Settings
    values: Mapping[int, Measured]
    step: int
    diverged: tuple[int, ...] = ()

    @property
    def mean(self) -> float:
        """Mean of the score over the seeds that have it; NaN without any."""
        return mean_value([score.value for score in self.values.values()]) if self.values else math.nan

    @property
    def whole(self) -> bool:
        """Whether it has scores that are numbers, and no seed diverged."""
        return not self.diverged and math.isfinite(self.mean)


def standings(
    folder: SweepFolder, record: SweepRecord, trials: Sequence[str], until: int | None = None
) -> tuple[str, list[TrialResult]]:
    """Return the name of the score that decides, and the trials, the best first.

    Where worse trials are stopped early, those that were trained further come first. Then come those that did not
    diverge, by the mean of the score over their seeds. Equal ones keep their order.

    Args:
        folder: the directory of the sweep.
        record: what its sweep.json holds.
        trials: names of trials.
        until: count scores up to this step alone, and what diverged later as it was then; all by default.
    """
    scores = {name: {seed: _last(folder, record, name, seed, until) for seed in record.plan.seeds} for name in trials}
    given = [of_run for by_seed in scores.values() for of_run in by_seed.values() if of_run]
    score = deciding(given)
    results = [_result(record, name, by_seed, score) for name, by_seed in scores.items()]
    direction, early = direction_of(score), record.plan.halving is not None

    def place(result: TrialResult) -> tuple[float, ...]:
        worst = badness(direction, list(result.values.values())) if direction and result.values else math.inf
        further = -result.step if early else 0
        return further, not result.whole, len(result.diverged), worst if math.isfinite(worst) else math.inf

    return score, sorted(results, key=place)


def order(folder: SweepFolder, record: SweepRecord, trials: Sequence[str], until: int | None) -> list[str]:
    """Return the names of the trials, the best at a step first."""
    return [result.name for result in standings(folder, record, trials, until)[1]]


def _last(folder: SweepFolder, record: SweepRecord, trial: str, seed: int, until: int | None) -> list[ScoreRecord]:
    """The scores of a run at the last step that has any, up to `until`; those of a diverged run do not count.

    A run that has a score at `until` has diverged after it, if at all.
    """
    scores = record.plan.scoring.recorded(Run(folder.trial(trial).run(seed).path))
    reached = [score for score in scores if until is None or (score.step or 0) <= until]
    last = max((score.step or 0 for score in reached), default=0)
    if f"{trial}/{name_of(seed)}" in record.diverged and last != until:
        return []
    return [score for score in reached if score.step == last]


def _result(record: SweepRecord, name: str, by_seed: Mapping[int, Sequence[ScoreRecord]], score: str) -> TrialResult:
    found = {seed: it for seed, scores in by_seed.items() for it in scores if it.name == score}
    step = max((it.step or 0 for it in found.values()), default=0)
    values = {seed: measured(it) for seed, it in found.items() if it.step == step}
    noted = [seed for seed in by_seed if f"{name}/{name_of(seed)}" in record.diverged]
    diverged = tuple(seed for seed in noted if not by_seed[seed])  # one that has scores has diverged after them
    return TrialResult(name, record.plan.trials[name], values, step, diverged)
