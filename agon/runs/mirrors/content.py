"""Which files are mirrored: what is needed to go on, and what people look at; no locks, no trackers' files.

A directory of a run, of replicates, of a sweep or of a paper; the runs below it are mirrored by themselves.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from agon.runs.directory import Directory
from agon.runs.layout import (
    ALARMS,
    ARITHMETIC,
    ATTACHMENTS,
    CHECKPOINTS,
    EXPERIMENT,
    HISTORY,
    INIT,
    LOG,
    PAGE,
    PAPER,
    REPLICATES,
    REPORT,
    SAMPLES,
    SCORES,
    SKILL,
    SKILL_PICTURE,
    STATE,
    SWEEP,
    TRACKING,
    TRIAL,
)
from agon.storage.objects import PIECE
from agon.untrusted import open_regular

DESCRIPTIONS = (EXPERIMENT, REPLICATES, SWEEP, PAPER)  # one of these says what the directory holds
VITAL = (*DESCRIPTIONS, ARITHMETIC, LOG)  # without one of these that is named, there is no run
SINGLE = (*VITAL, INIT, TRACKING, ALARMS, SCORES, SKILL, SKILL_PICTURE, REPORT)
FOLDERS = (CHECKPOINTS, HISTORY)  # of folders, each written once and as a whole
TENSORS = "tensors.safetensors"
MIRRORED = re.compile(
    rf"{'|'.join(map(re.escape, SINGLE))}|({SAMPLES}|{ATTACHMENTS})/\w[\w.-]*\.(png|npy|npz)"
    rf"|({'|'.join(FOLDERS)})/[0-9]{{8,18}}/({re.escape(TENSORS)}|{re.escape(STATE)})"
    rf"|{TRIAL}/{re.escape(REPLICATES)}|{PAGE}"
)


def folder_of(name: str) -> str:
    """The folder of a checkpoint's file, such as "checkpoints/00000500"; "" for other names."""
    folder, _, _ = name.rpartition("/")
    return folder if folder.startswith(tuple(f"{each}/" for each in FOLDERS)) else ""


def step_of(folder: str) -> int:
    """The step of a checkpoint's folder."""
    return int(folder.rpartition("/")[2])


def newest(names: Iterable[str]) -> int:
    """The step of the newest checkpoint among the names of files; -1 without any."""
    states = (folder_of(name) for name in names if name.endswith(f"/{STATE}"))
    return max((step_of(folder) for folder in states if folder.startswith(f"{CHECKPOINTS}/")), default=-1)


def names_in(files: Directory) -> list[str]:
    """The files of a directory that are mirrored; the checkpoints, oldest first, were listed before all others.

    Raises:
        OSError: a folder cannot be read.
    """
    names = [
        f"{folder}/{step}/{file}"
        for folder in FOLDERS
        for step in sorted(files.names(folder), key=lambda step: (len(step), step))
        for file in (TENSORS, STATE)
    ]
    names += [f"{folder}/{name}" for folder in (SAMPLES, ATTACHMENTS) for name in sorted(files.names(folder))]
    names += SINGLE
    if files.holds(SWEEP):
        names += [f"{name}/{REPLICATES}" for name in sorted(files.names("."))]
    if files.holds(PAPER):
        names += [name for name in sorted(files.names(".")) if re.fullmatch(PAGE, name)]
    return [name for name in names if MIRRORED.fullmatch(name) and files.is_file(name)]


def pieces(files: Directory, name: str) -> Iterator[bytes]:
    """Yield the content of a file in pieces.

    Raises:
        OSError: it is gone, or cannot be read.
    """
    with open_regular(files.path(name), follow=False) as file:
        while piece := file.read(PIECE):
            yield piece


def stamp(path: Path) -> tuple[int, ...]:
    """What changes if a file is written or replaced.

    Raises:
        OSError: it is gone.
    """
    found = os.stat(path, follow_symlinks=False)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
