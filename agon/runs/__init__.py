"""The run directory: the only owner of the disk.

| module | content |
|---|---|
| layout | what the files are called |
| run | the directory as a whole: begun, locked, rewound |
| description, records, scores, snapshots, checkpoints | what the files hold: each written and read in one place |
| directory, files, arrays, limits | how files are read and written safely, whoever made them |
| naming | what runs are called beside each other |
"""

from agon.runs.checkpoints import Checkpoint
from agon.runs.directory import Directory, unreadable
from agon.runs.files import write_atomically, writing
from agon.runs.naming import ends, names
from agon.runs.records import Events, append, read
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
