"""The run directory: the only owner of the disk."""

from agon.runs.checkpoints import Checkpoint
from agon.runs.directory import Directory, unreadable
from agon.runs.files import write_atomically, writing
from agon.runs.log import Events, append, read
from agon.runs.naming import ends, names
from agon.runs.run import Run

__all__ = [
    "Checkpoint",
    "Directory",
    "Events",
    "Run",
    "append",
    "ends",
    "names",
    "read",
    "unreadable",
    "write_atomically",
    "writing",
]
