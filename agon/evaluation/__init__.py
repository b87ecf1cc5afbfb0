"""Samples -> metrics -> scores, appended to their run.

| module | content |
|---|---|
| evaluating | scores of a run, of a training that goes on, or of a folder of samples |
| evidence, extractors | what metrics are made of: samples, real ones, and the features of both |
| table | the metrics by name |
| by_features, by_labels, by_samples | the metrics themselves |
| recorded | scores that a run has, or is given |
"""

from agon.evaluation.by_labels import over_time
from agon.evaluation.evaluating import EvaluationCallback, IncompleteError, N, evaluate, evaluate_samples, measured
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
    "write",
]
