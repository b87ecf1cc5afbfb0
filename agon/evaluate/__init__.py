"""Samples -> metrics -> scores, appended to their run."""

from agon.evaluate.comparison import ranked, reconstructions
from agon.evaluate.evaluating import IncompleteError, N, evaluate, evaluate_samples, evidence_of, measured
from agon.evaluate.extractors import Choice
from agon.evaluate.kept import kept, kept_images, last_images, over_time
from agon.evaluate.recorded import write
from agon.evaluate.table import METRICS, asked
from agon.evaluate.watching import Looks

__all__ = [
    "METRICS",
    "Choice",
    "IncompleteError",
    "Looks",
    "N",
    "asked",
    "evaluate",
    "evaluate_samples",
    "evidence_of",
    "kept",
    "kept_images",
    "last_images",
    "measured",
    "over_time",
    "ranked",
    "reconstructions",
    "write",
]
