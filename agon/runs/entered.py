"""What a word means that enters a tournament: a run, one of its checkpoints, a folder of seeds, or samples.

The command line asks here before it imports torch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agon.errors import DataError, RunError
from agon.places import did_you_mean
from agon.runs.directory import Directory
from agon.runs.groups import runs_in
from agon.runs.layout import EXPERIMENT
from agon.runs.named import is_named, local

CACHE, LOCK, RESULT = "cache", "tournament.lock", "tournament.json"  # in the folder of a tournament


class Entry(NamedTuple):
    """A path, the step of the checkpoint that is meant, and the name of a run that is called by one.

    The step is None for the last checkpoint, and 0 for the run before its training.
    """

    path: Path
    step: int | None = None
    name: str = ""

    @property
    def is_run(self) -> bool:
        """Whether a run is there, and not samples."""
        return Directory(self.path).holds(EXPERIMENT)

    @property
    def suffix(self) -> str:
        """What follows the path's name: "@300" for a checkpoint."""
        return "" if self.step is None else f"@{self.step}"


def entries(word: Path | str) -> list[Entry]:
    """Return what a word enters: the runs of a folder, a run or samples; RUN@STEP means a checkpoint.

    Raises:
        DataError: nothing is there, or samples should have a step.
        RunError: it is the name of a run on the Hub that cannot be had.
    """
    given, step = _split(word)
    path = local(given)
    if not path.exists():
        raise DataError(
            f"a tournament: expected a run, a folder of runs, or samples at {path}, but there is no such path"
            f"{did_you_mean(path)}"
        )
    found = [Entry(run, step, str(given) if is_named(given) else "") for run in runs_in(path)]
    if step is not None and not found[0].is_run:
        raise DataError(f"a tournament: expected samples without a step, got {word}; only runs have checkpoints")
    return found


def refuse_other_folder(folder: Path) -> None:
    """Refuse a folder that a tournament cannot have; the command line asks before it imports torch.

    Raises:
        RunError: it is a run, a file, or holds other files.
    """
    if Directory(folder).holds(EXPERIMENT):
        raise RunError(f"--out: expected a folder for a tournament alone, got the run {folder}; choose another folder")
    if not folder.exists():
        return
    known = folder.is_dir() and any(Directory(folder).holds(name) for name in (CACHE, LOCK, RESULT))
    if not folder.is_dir() or (any(folder.iterdir()) and not known):
        raise RunError(f"--out: {folder} holds other files already; choose a new or an empty folder")


def is_arena(paths: Sequence[Path]) -> bool:
    """Whether paths are shown by the page of a tournament: one is the folder of one, or the file of a comparison."""
    return any(path.suffix == ".json" or (path / RESULT).is_file() for path in paths)


def _split(word: Path | str) -> tuple[Path | str, int | None]:
    """Split RUN@STEP, unless a file has the whole name."""
    before, at, step = str(word).rpartition("@")
    if at and before and step.isdecimal() and not Path(word).exists():
        return (before if isinstance(word, str) else Path(before)), int(step)
    return word, None
