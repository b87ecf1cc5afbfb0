"""Compute metrics of samples, and append the scores to the run.

| module | content |
|---|---|
| evaluating | evaluate a run, a training that goes on, or a folder of samples |
| evidence, extractors | what metrics need: generated and real samples, and the features of both |
| table | the metrics by name |
| by_features, by_labels, by_samples | the metrics themselves |
| recorded | read and write the scores of a run |
"""

from agon.evaluation.by_labels import over_time
from agon.evaluation.evaluating import (
    EvaluationCallback,
    IncompleteError,
    N,
    evaluate,
    evaluate_samples,
    measured,
    score,
    statistics_of,
)
from agon.evaluation.evidence import evidence_of
from agon.evaluation.extractors import ExtractorSpec
from agon.evaluation.recorded import write
from agon.evaluation.table import METRICS, asked

__all__ = [
    "METRICS",
    "EvaluationCallback",
    "ExtractorSpec",
    "IncompleteError",
    "N",
    "asked",
    "evaluate",
    "evaluate_samples",
    "evidence_of",
    "measured",
    "over_time",
    "score",
    "statistics_of",
    "write",
]
