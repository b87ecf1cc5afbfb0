"""Metrics while a model trains: at every so many steps, of the same latents each time."""

from collections.abc import Sequence

from agon.evaluate.evaluating import evidence_of, scored
from agon.evaluate.evidence import Evidence
from agon.evaluate.extractors import Choice
from agon.evaluate.table import asked
from agon.metrics import Score
from agon.runs import Run
from agon.training import Training


class Looks:
    """The `look` of a `training.Watch`: takes metrics of a training, and leaves it as it was.

    Real samples, their features and the extractor are made at the first look, and kept.

    Args:
        metrics: names in METRICS.
        n: samples at each look.
        extractor: of features.
    """

    def __init__(self, metrics: Sequence[str], n: int, extractor: Choice = Choice()) -> None:  # noqa: B008 - frozen
        self.metrics, self.n, self.extractor = metrics, n, extractor
        self._kept: Evidence | None = None

    def __call__(self, training: Training, run: Run) -> list[Score]:
        """The scores at this step, recorded in the run."""
        with evidence_of(training, self.n, 0, self.extractor) as evidence:
            if self._kept is not None:
                evidence.remember(self._kept)
            self._kept = evidence
            return scored(evidence, asked(self.metrics, training.experiment.data), run, training.step)
