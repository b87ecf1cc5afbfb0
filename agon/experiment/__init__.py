"""Experiments: the complete description of a training, to and from JSON."""

from agon.experiment.augmenting import augmented
from agon.experiment.budget import Budget
from agon.experiment.changes import changed, differences
from agon.experiment.experiment import Experiment
from agon.experiment.names import OPTIMISERS, PARTS, SCHEDULES
from agon.experiment.part import Part, part

__all__ = [
    "OPTIMISERS",
    "PARTS",
    "SCHEDULES",
    "Budget",
    "Experiment",
    "Part",
    "augmented",
    "changed",
    "differences",
    "part",
]
