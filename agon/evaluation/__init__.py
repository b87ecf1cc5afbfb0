"""Compute metrics of samples, and append the scores to the run.

| module | content |
|---|---|
| evaluating | evaluate a run, or a training that goes on |
| many | evaluate many runs at a time |
| of_samples | evaluate samples made by any program |
| evidence, extractors | what metrics need: generated and real samples, and the features of both |
| table | the metrics by name |
| requirements | what each metric requires, checked before anything is generated |
| by_features, by_labels, by_samples | the metrics themselves |
| recorded | read and write the scores of a run |
"""

from agon.evaluation.by_labels import over_time
from agon.evaluation.evaluating import (
    EvaluationCallback,
    IncompleteError,
    N,
    evaluate,
    measured,
    score,
)
from agon.evaluation.evidence import evidence_of
from agon.evaluation.extractors import ExtractorSpec
from agon.evaluation.many import score_runs
from agon.evaluation.of_samples import evaluate_samples, statistics_of
from agon.evaluation.recorded import write
from agon.evaluation.requirements import refuse_inapplicable
from agon.evaluation.table import METRICS, asked, compare_features

__all__ = [
    "METRICS",
    "EvaluationCallback",
    "ExtractorSpec",
    "IncompleteError",
    "N",
    "asked",
    "compare_features",
    "evaluate",
    "evaluate_samples",
    "evidence_of",
    "measured",
    "over_time",
    "refuse_inapplicable",
    "score",
    "score_runs",
    "statistics_of",
    "write",
]
