"""A run: the directory that one experiment writes. The only owner of the disk."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agon.errors import RunError
from agon.runs import checkpoints, log
from agon.runs.checkpoints import Checkpoint
from agon.runs.files import refuse_undecodable, write_atomically, writing

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

    Attributes:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log.jsonl"
        self.metrics = path / "metrics.jsonl"
        self.samples = path / "samples"
        self.checkpoints = path / "checkpoints"
        self._lock: FileLock | None = None
        self._scoring: FileLock | None = None

    @classmethod
    def open(cls, path: Path | str) -> "Run":
        """A run that exists.

        Raises:
            RunError: there is none at that path.
        """
        path = Path(path)
        if not (path / "experiment.json").is_file():
            what = "which does not exist" if not path.exists() else "which has no experiment.json"
            raise RunError(f"expected a run directory, got {path}, {what}; agon train ... --out {path} begins one")
        return cls(path)

    @classmethod
    def create(cls, path: Path | str) -> "Run":
        """A new, still empty run directory.

        Raises:
            RunError: the path holds something already, or cannot be written.
        """
        run = cls(Path(path))
        run.refuse_taken()
        with writing(run.path):
            run.samples.mkdir(parents=True, exist_ok=True)
            run.checkpoints.mkdir(exist_ok=True)
        return run

    def refuse_taken(self) -> None:
        """Raise a RunError if the path holds a run, or anything else, already, or cannot hold one."""
        refuse_undecodable(self.path)
        if (self.path / "experiment.json").exists():
            raise RunError(
                f"{self.path} holds a run already; agon resume {self.path} goes on with it, or choose another folder"
            )
        if self.path.exists() and (not self.path.is_dir() or self._foreign()):
            raise RunError(f"{self.path} holds other files already; choose a new or an empty folder")

    def describe(self, experiment: str, arithmetic: Mapping[str, Any]) -> None:
        """Write what the run is; arithmetic first, since a run exists when its experiment.json does."""
        write_atomically(self.path / "arithmetic.json", (json.dumps(arithmetic, indent=2) + "\n").encode())
        write_atomically(self.path / "experiment.json", experiment.encode())

    @property
    def experiment(self) -> str:
        """The text of experiment.json."""
        try:
            return (self.path / "experiment.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{self.path}/experiment.json cannot be read ({error}); begin again elsewhere") from error

    @property
    def arithmetic(self) -> dict[str, Any]:
        """The content of arithmetic.json."""
        try:
            value = json.loads((self.path / "arithmetic.json").read_bytes())
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path}/arithmetic.json cannot be read ({error}); begin again elsewhere") from error
        if not isinstance(value, dict):
            raise RunError(f"{self.path}/arithmetic.json: expected a JSON object; begin again elsewhere")
        return value

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within it, this object alone writes the run, and may ask again; a killed process's lock is gone with it.

        Raises:
            RunError: another process writes it.
        """
        from filelock import FileLock, Timeout

        self._lock = lock = self._lock or FileLock(self.path / "run.lock", timeout=0)
        with writing(self.path):
            try:
                lock.acquire()
            except Timeout:
                raise RunError(
                    f"{self.path} is being written by another process; wait for it, or choose another folder"
                ) from None
        try:
            yield
        finally:
            lock.release()

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint, with the log's length at that moment."""
        state = {**checkpoint.state, "log_bytes": log.size(self.log)}
        return checkpoints.save(self.checkpoints, Checkpoint(checkpoint.step, checkpoint.tensors, state))

    def last_good(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest undamaged checkpoint, and what was wrong with newer ones."""
        return checkpoints.last_good(self.checkpoints)

    def rewind(self, checkpoint: Checkpoint | None, sample_every: int) -> None:
        """Cut the log to a checkpoint, and remove the samples made after it; the training makes both again.

        Samples of a step that is no multiple of `sample_every` are a shorter budget's last ones.
        """
        log.cut(self.log, checkpoint.state["log_bytes"] if checkpoint else 0)
        reached = checkpoint.step if checkpoint else -1
        for sample in self.samples.glob("[0-9]*"):
            step = int(sample.stem)
            if step > reached or step % sample_every:
                sample.unlink()

    def picture(self, name: str, content: bytes) -> None:
        """Write one file of samples/."""
        write_atomically(self.samples / name, content)

    @contextmanager
    def scoring(self, patience: float = PATIENCE) -> Iterator[None]:
        """Within it, this object alone writes scores, and may ask again; a training may go on meanwhile.

        Args:
            patience: seconds to wait for another process that writes scores.

        Raises:
            RunError: another process still writes them then, or the run cannot be written.
        """
        from filelock import FileLock, Timeout

        self._scoring = lock = self._scoring or FileLock(self.path / "metrics.lock")
        with writing(self.path):
            try:
                lock.acquire(timeout=patience)
            except Timeout:
                raise RunError(f"{self.path}: its scores are being written by another process; wait for it") from None
        try:
            yield
        finally:
            lock.release()

    def _foreign(self) -> list[Path]:
        """What is in the folder and no leftover of a run that was killed before it was described."""
        ours = {"samples", "checkpoints", "arithmetic.json", "run.lock", "metrics.lock"}
        return [p for p in self.path.iterdir() if p.name not in ours and not p.name.startswith(".")]
