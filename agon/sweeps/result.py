"""The result of a sweep: its table over seeds, the best trial, and whether it is better than the next."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agon.arena.comparisons.comparing import compare
from agon.arena.comparisons.result import ComparisonResult
from agon.arena.comparisons.table import BEST, LEGEND, LEVEL_WITH, Contestant, rows
from agon.errors import AgonError
from agon.metrics.directions import direction_of
from agon.sweeps.folder import SweepFolder, SweepRecord
from agon.sweeps.standings import TrialResult, standings
from agon.sweeps.trials import short_names

MANY = 2  # trials beyond which the best one's score is flattered by the choice


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """What a sweep has found.

    Attributes:
        directory: of the sweep.
        score: name of the score that decides; empty if no run could be scored.
        trials: the best first.
        texts: the mean over seeds of each trial with its 95 % interval.
        marks: of each trial: best, or not told apart from it, or nothing.
        comparison: of the best with the next; None where there is none.
        sentence: what follows.
        early: whether worse trials were stopped early.
    """

    directory: Path
    score: str
    trials: tuple[TrialResult, ...]
    texts: tuple[str, ...]
    marks: tuple[str, ...]
    comparison: ComparisonResult | None
    sentence: str
    early: bool = False

    @property
    def best(self) -> TrialResult:
        """The best trial."""
        return self.trials[0]

    @property
    def table(self) -> list[list[str]]:
        """A head and a row for each trial, as texts."""
        short = short_names(list(self.best.settings))
        direction = direction_of(self.score)
        score = f"{self.score or 'score'} {direction.sign if direction else ''}".strip()
        head = [*short.values(), score, "", "seeds", "step", "note"]
        return [head, *(self._row(*each) for each in zip(self.trials, self.texts, self.marks, strict=True))]

    def _row(self, trial: TrialResult, text: str, mark: str) -> list[str]:
        note = f"diverged: seed {', '.join(map(str, trial.diverged))}" if trial.diverged else ""
        if not note and self.early and trial.step < self.best.step:
            note = "stopped early"
        return [*trial.settings.values(), text, mark, str(len(trial.values)), f"{trial.step:,}", note]

    @property
    def lines(self) -> list[str]:
        """The table and the sentence, for a terminal."""
        table = self.table
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        padded = ["  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)) for row in table]
        return [*(line.rstrip() for line in padded), LEGEND, "", *self.sentence.splitlines()]

    def plain(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "score": self.score,
            "best": self.best.name,
            "sentence": self.sentence,
            "comparison": None if self.comparison is None else self.comparison.plain(),
            "table": [
                {
                    "trial": trial.name,
                    "settings": dict(trial.settings),
                    "step": trial.step,
                    "values": {str(seed): value.value for seed, value in trial.values.items()},
                    "errors": {str(seed): value.error for seed, value in trial.values.items()},
                    "diverged": list(trial.diverged),
                    "text": text,
                    "mark": mark,
                }
                for trial, text, mark in zip(self.trials, self.texts, self.marks, strict=True)
            ],
        }

    @property
    def json(self) -> str:
        """The text of `plain`."""
        return json.dumps(self.plain(), indent=1)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def result_of(folder: SweepFolder, record: SweepRecord) -> SweepResult:
    """Read the scores of all runs of a sweep, and say which trial is best."""
    score, trials = standings(folder, record, list(record.plan.trials))
    early = record.plan.halving is not None
    last = [trial for trial in trials if trial.values and (not early or trial.step == trials[0].step)]
    contestants = [Contestant(trial.name, {score: list(trial.values.values())}) for trial in last]
    cells = rows(contestants)[0].cells if score and contestants else []
    alone = {trial.name: _alone(trial, score) for trial in trials[len(cells) :]}
    texts = [cell.text for cell in cells] + list(alone.values())
    marks = [_mark(cell.mark, trial, last[0]) for cell, trial in zip(cells, last, strict=False)] + [""] * len(alone)
    comparison, sentence = _concluded(folder, record, score, last)
    return SweepResult(
        directory=folder.path,
        score=score,
        trials=tuple(trials),
        texts=tuple(texts),
        marks=tuple(marks),
        comparison=comparison,
        sentence=sentence,
        early=early,
    )


def _mark(mark: str, trial: TrialResult, best: TrialResult) -> str:
    """The best is the first: a trial of which a seed diverged is not best, whatever its other seeds reach."""
    if trial is best:
        return BEST
    return mark if mark != BEST else LEVEL_WITH if trial.whole else ""


def _alone(trial: TrialResult, score: str) -> str:
    if not trial.values:
        return "—"
    return rows([Contestant(trial.name, {score: list(trial.values.values())})])[0].cells[0].text


def _concluded(
    folder: SweepFolder, record: SweepRecord, score: str, last: Sequence[TrialResult]
) -> tuple[ComparisonResult | None, str]:
    """The comparison of the best two trials, and the sentences that follow, a line each."""
    direction = direction_of(score)
    if not last or direction is None:
        count = len(record.plan.trials) * len(record.plan.seeds)
        every = "every training diverged" if len(record.diverged) == count else "none has been scored yet"
        return None, f"No trial has a score: {every}."
    best, count = last[0], len(record.plan.trials)
    lines = [f"Best of {count} trials by {score} ({direction.words}): {best.name}."]
    if len(last) < 2:
        return None, f"{lines[0]}\nNo other trial has a score at its step, so nothing can be compared with it."
    comparison = None
    try:
        sides = [[folder.trial(it.name).run(seed).path for seed in it.values] for it in last[:2]]
        comparison = compare(sides[0], sides[1], metrics=[score])
        lines.append(comparison.sentence)
    except AgonError as error:
        lines.append(f"The best two, {best.name} and {last[1].name}, were not compared: {error}.")
    if count > MANY:
        lines.append(
            f"It is the best of {count}, which flatters its score; train it under other seeds before you quote that."
        )
    return comparison, "\n".join(lines)
