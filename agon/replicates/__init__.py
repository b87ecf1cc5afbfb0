"""One experiment under many seeds, by the means that measures fastest."""

from agon.replicates.folder import FILE
from agon.replicates.replicates import MEANS, ReplicatesError, replicate, resume

__all__ = ["FILE", "MEANS", "ReplicatesError", "replicate", "resume"]
