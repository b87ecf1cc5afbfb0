"""Samples into Scores: pure functions of tensors; imports no run and no training."""

from agon.metrics.classes import accuracy, class_coverage
from agon.metrics.coverage import Coverage, mode_coverage, modes_held
from agon.metrics.judge import Judge, fit_judge
from agon.metrics.score import Score

__all__ = ["Coverage", "Judge", "Score", "accuracy", "class_coverage", "fit_judge", "mode_coverage", "modes_held"]
