"""Many trainings at once: several experiments, or one under many seeds."""

from agon.training.replicates.folder import Folder
from agon.training.replicates.many import ReplicatesError, train_many
from agon.training.replicates.replicates import STRATEGIES, replicate, resume

__all__ = ["STRATEGIES", "Folder", "ReplicatesError", "replicate", "resume", "train_many"]
