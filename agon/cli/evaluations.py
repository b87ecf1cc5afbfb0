"""The options --evaluate of agon train and agon resume: metrics while a model trains."""

import os
from typing import Any

from agon.arguments import check_samples
from agon.cli.catalogue import check_metrics
from agon.cli.shared import names
from agon.errors import SettingError


def check_evaluations(metrics: str, every: int, n: int, extractor: str) -> None:
    """Raise a SettingError for an unknown metric or extractor, or a number out of range; nothing without metrics."""
    if metrics:
        check_metrics(names(metrics), extractor)
        if every < 1:
            raise SettingError(f"--evaluate-every: expected at least 1 step, got {every}")
        check_samples(n, "--evaluate-n")


def evaluation_callback(metrics: str, every: int, n: int, extractor: str, source: Any, devices: int = 1) -> Any:
    """Return the callback that computes these metrics during a training, or None without metrics.

    Raises:
        SettingError: a metric is unknown, or several processes would have to train a classifier.
    """
    from agon.evaluation import EvaluationCallback, ExtractorSpec, asked
    from agon.training import Callback

    if not metrics:
        return None
    chosen = asked(names(metrics), source)
    if "classifier" in (*chosen, extractor) and (devices > 1 or "WORLD_SIZE" in os.environ):
        raise SettingError("--evaluate classifier: expected one process, got several; evaluate the run afterwards")
    return Callback(every, EvaluationCallback(chosen, n, ExtractorSpec(extractor)))
