"""One experiment under many seeds, by the means that measures fastest; or many experiments, a core each."""

from agon.replicates.each import train_each
from agon.replicates.errors import ReplicatesError
from agon.replicates.folder import Folder
from agon.replicates.replicates import MEANS, replicate, resume
from agon.runs.layout import REPLICATES as FILE

__all__ = ["FILE", "MEANS", "Folder", "ReplicatesError", "replicate", "resume", "train_each"]
