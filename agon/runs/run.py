"""A run: the directory that one experiment writes. The only owner of the disk."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agon.errors import RunError
from agon.runs import checkpoints, records
from agon.runs.checkpoints import Checkpoint
from agon.runs.description import described, text_of
from agon.runs.directory import Directory, unreadable
from agon.runs.files import writing
from agon.runs.layout import (
    ARITHMETIC,
    ATTACHMENTS,
    CHECKPOINTS,
    EXPERIMENT,
    LOG,
    RUN_LOCK,
    SAMPLES,
    SCORES,
    SCORES_LOCK,
)
from agon.runs.snapshots import snapshots
from agon.runs.taken import refuse_no_run, refuse_taken

if TYPE_CHECKING:
    from filelock import FileLock

PATIENCE = 10.0  # seconds: a score is written in far less


class Run:
    """A run directory.

    | name | content |
    |---|---|
    | experiment.json | the complete description of the training |
    | arithmetic.json | choices that change arithmetic, and versions |
    | log.jsonl, tensorboard/ | a record each interval |
    | metrics.jsonl | scores; metrics.lock is held by who writes them |
    | metrics/ | pictures and arrays of scores |
    | samples/ | real samples, and the same latents over time |
    | checkpoints/ | the newest three |

    Every file of it is read and written through `files`.

    Attributes:
        path: the directory.
        files: what is in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = Directory(path)
        self.log = path / LOG
        self.metrics = path / SCORES
        self.samples = path / SAMPLES
        self.checkpoints = path / CHECKPOINTS
        self._lock: FileLock | None = None
        self._scoring: FileLock | None = None

    @classmethod
    def open(cls, path: Path | str) -> "Run":
        """A run that exists.

        Raises:
            RunError: there is none at that path.
        """
        refuse_no_run(Path(path))
        return cls(Path(path))

    @property
    def begun(self) -> bool:
        """Whether the directory holds a run."""
        return self.files.holds(EXPERIMENT)

    @classmethod
    def create(cls, path: Path | str) -> "Run":
        """A new, still empty run directory.

        Raises:
            RunError: the path holds something already, or cannot be written.
        """
        run = cls(Path(path))
        run.refuse_taken()
        run.files.make(".")
        run.files.make(SAMPLES)
        run.files.make(CHECKPOINTS)
        return run

    def refuse_taken(self) -> None:
        """Raise a RunError if the path already holds a run, or anything else, or cannot hold one."""
        refuse_taken(self.path)

    def describe(self, experiment: str, compute: Mapping[str, Any]) -> None:
        """Write what the run is; arithmetic first, since a run exists when its experiment.json does."""
        self.files.write(ARITHMETIC, (json.dumps(compute, indent=2) + "\n").encode())
        self.files.write(EXPERIMENT, experiment.encode())

    @property
    def experiment(self) -> str:
        """The text of experiment.json."""
        return text_of(self.files, EXPERIMENT)

    @property
    def described(self) -> dict[str, Any]:
        """The content of experiment.json."""
        return described(self.files, EXPERIMENT)

    @property
    def compute(self) -> dict[str, Any]:
        """The content of arithmetic.json."""
        return described(self.files, ARITHMETIC)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within it, this object alone writes the run, and may ask again; a killed process's lock is gone with it.

        Raises:
            RunError: another process writes it.
        """
        from filelock import Timeout

        with writing(self.path):
            self._lock = lock = self._lock or self._file_lock(RUN_LOCK)
            try:
                lock.acquire()
            except Timeout:
                raise RunError(
                    f"{self.path} is being written by another process; wait for it, or choose another folder"
                ) from None
        try:
            if lock.lock_counter == 1:
                self.clear()
            yield
        finally:
            lock.release()

    def _file_lock(self, name: str) -> "FileLock":
        """A lock whose file is inside the run: locking empties it, which must not be done through a link."""
        from filelock import FileLock

        return FileLock(self.files.check(name), timeout=0)

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint, with the log's length at that moment."""
        state = {**checkpoint.state, "log_bytes": records.size(self.log)}
        return checkpoints.save(self.checkpoints, Checkpoint(checkpoint.step, checkpoint.tensors, state))

    def last_good(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest undamaged checkpoint, and what was wrong with newer ones."""
        return checkpoints.last_good(self.checkpoints)

    def good(self, complaints: list[str]) -> Iterator[Checkpoint]:
        """The undamaged checkpoints, the newest first; what is wrong with others is added to the complaints."""
        return checkpoints.good(self.checkpoints, complaints)

    def rewind(self, checkpoint: Checkpoint | None, sample_every: int) -> None:
        """Cut the log to a checkpoint, and remove the samples made after it; the training makes both again.

        Samples of a step that is no multiple of `sample_every` are a shorter budget's last ones.
        """
        records.cut(self.log, checkpoint.state["log_bytes"] if checkpoint else 0)
        reached = checkpoint.step if checkpoint else -1
        for step, path in self.snapshots():
            if step > reached or step % sample_every:
                self.files.remove(f"{SAMPLES}/{path.name}")

    def snapshots(self) -> list[tuple[int, Path]]:
        """Each step with the file of the same latents' samples, in order of the steps.

        Raises:
            RunError: samples/ is no folder.
        """
        try:
            return snapshots(self.files)
        except OSError as error:
            raise unreadable(error, self.samples, "put the folder back") from error

    def picture(self, name: str, content: bytes) -> None:
        """Write one file of samples/."""
        self.files.make(SAMPLES)
        self.files.write(f"{SAMPLES}/{name}", content)

    def clear(self) -> None:
        """Remove what a killed process had under way; its lock is gone with it."""
        self.files.clear(alone=True)
        self.files.clear(SAMPLES, alone=True)
        self.files.clear(ATTACHMENTS)
        checkpoints.clear(self.checkpoints)

    @contextmanager
    def scoring(self, patience: float = PATIENCE) -> Iterator[None]:
        """Within it, this object alone writes scores, and may ask again; a training may go on meanwhile.

        Args:
            patience: seconds to wait for another process that writes scores.

        Raises:
            RunError: another process still writes them then, or the run cannot be written.
        """
        from filelock import Timeout

        with writing(self.path):
            self._scoring = lock = self._scoring or self._file_lock(SCORES_LOCK)
            try:
                lock.acquire(timeout=patience)
            except Timeout:
                raise RunError(f"{self.path}: its scores are being written by another process; wait for it") from None
        try:
            if lock.lock_counter == 1:
                self._clear_if_still()
            yield
        finally:
            lock.release()

    def _clear_if_still(self) -> None:
        """As `clear`, but what a training beside has under way is its own."""
        with suppress(RunError), self.locked():
            pass
