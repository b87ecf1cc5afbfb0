"""The run directory; no other room reads or writes its files.

| module | content |
|---|---|
| layout | names of the files |
| run | the whole directory: create, lock, rewind |
| description, records, scores, snapshots, checkpoints | contents of the files, each written and read in one module |
| directory, files, arrays, limits | safe reading and writing of files, whoever made them |
| taken | whether a path holds a run, or is free for one |
| naming | short names for several runs |
| named | runs on the Hub, and those that agon brings |

The modules that need torch are imported when a name of theirs is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agon.runs.directory import Directory, unreadable
from agon.runs.files import write_atomically, writing
from agon.runs.naming import ends, names
from agon.runs.records import Events, append, read

if TYPE_CHECKING:  # what type checkers and editors read; LAZY says the same to Python
    from agon.runs.checkpoints import Checkpoint
    from agon.runs.run import Run
    from agon.runs.snapshots import image_snapshots, last_images, point_snapshots

__all__ = [
    "Checkpoint",
    "Directory",
    "Events",
    "Run",
    "append",
    "ends",
    "image_snapshots",
    "last_images",
    "names",
    "point_snapshots",
    "read",
    "unreadable",
    "write_atomically",
    "writing",
]

LAZY = {  # name -> module
    "Checkpoint": "checkpoints",
    "Run": "run",
    "image_snapshots": "snapshots",
    "last_images": "snapshots",
    "point_snapshots": "snapshots",
}


def __getattr__(name: str) -> Any:
    """A name of a module that needs torch, at its first use."""
    if name not in LAZY:
        raise AttributeError(f"module 'agon.runs' has no attribute '{name}'")
    globals()[name] = value = getattr(import_module(f"agon.runs.{LAZY[name]}"), name)
    return value
