"""How the runs of a sweep are scored, and what a run's score is."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from agon.arena.comparisons.sentences import rank
from agon.errors import SettingError
from agon.evaluation import (
    METRICS,
    EvaluationCallback,
    ExtractorSpec,
    asked,
    evaluate,
    evidence_of,
    refuse_inapplicable,
)
from agon.experiment.scripts import values_under
from agon.metrics.differences import Measured
from agon.metrics.directions import direction_of
from agon.runs import Run
from agon.runs.scores import ScoreRecord, read_scores
from agon.training import Callback, Training
from agon.training.replicates.folder import Plan

SEED = 0  # of the latents of every score


@dataclass(frozen=True)
class Scoring:
    """How the runs of a sweep are scored: against validation images, where the data keep some out of training.

    Attributes:
        metric: a name in `evaluation.METRICS`.
        n: number of samples.
        extractor: name of the extractor of the features, for metrics that compare features.
        every: steps between two scores during a training, for curves; None for a score at its end alone.
    """

    metric: str
    n: int
    extractor: str = "auto"
    every: int | None = None

    def refuse_inapplicable(self, plans: Iterable[Plan], *, trust: bool) -> None:
        """Raise what the metric would end with once runs are trained: of each kind of data among them, once.

        Raises:
            SettingError, DataError, NotInstalledError: as of `evaluation.refuse_inapplicable`.
        """
        data = {json.dumps(plan.experiment.describe()["data"], default=str): plan for plan in plans}
        spec = ExtractorSpec(self.extractor, trust=trust)
        for plan in data.values():
            with torch.random.fork_rng(devices=[]):
                training = Training(plan.replicate(plan.seeds[0]), plan.compute, torch.device("cpu"))
            with evidence_of(training, self.n, SEED, spec, validation=True) as context:
                refuse_inapplicable(self.metric, context)

    def callback(self, *, trust: bool = False) -> Callback | None:
        """What scores a training while it goes on."""
        if self.every is None:
            return None
        spec = ExtractorSpec(self.extractor, trust=trust)
        return Callback(self.every, EvaluationCallback([self.metric], self.n, spec, validation=True))

    def measure(self, run: Path, *, trust: bool = False) -> None:
        """Score a run at its last checkpoint, unless it is scored there; the score is recorded in the run."""
        spec = ExtractorSpec(self.extractor, trust=trust)
        evaluate(run, metrics=[self.metric], n=self.n, seed=SEED, extractor=spec, trust=trust, validation=True)

    def recorded(self, run: Run, step: int | None = None) -> list[ScoreRecord]:
        """The scores that a run has by this metric against the sweep's images, at one step or at all."""
        scores = read_scores(run.metrics)
        if not scores:
            return []
        split = "validation" if any(values_under(run.described.get("data"), "validation")) else "train"
        return [
            score
            for score in scores
            if (score.metric, score.asked, score.seed, score.split) == (self.metric, self.n, SEED, split)
            and score.step is not None
            and step in (None, score.step)
        ]


def known_metric(name: str) -> str:
    """Return a metric's name as it is listed.

    Raises:
        SettingError: there is no such metric.
    """
    return asked([name], None)[0] if name else _no_metric()


def _no_metric() -> str:
    raise SettingError(f"metric: expected what decides, one of {', '.join(METRICS)}, got none")


def deciding(scores: Sequence[Sequence[ScoreRecord]]) -> str:
    """Return the name of the score that decides: of those that all runs have, the most telling with a direction.

    Args:
        scores: of each run.

    Returns:
        Its name; empty if the runs have none in common.
    """
    names = [{score.name for score in of_run} for of_run in scores]
    common = set.intersection(*names) if names else set()
    telling = [name for name in common if direction_of(name) is not None]
    return min(telling, key=lambda name: (rank(name), name), default="")


def measured(score: ScoreRecord) -> Measured:
    """Return a recorded score as a value with its standard error."""
    return Measured(float("nan") if score.value is None else score.value, score.error)
