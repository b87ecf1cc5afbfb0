"""A run: the directory that one experiment writes."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agon.errors import RunError
from agon.runs import alarms, checkpoints, records
from agon.runs.checkpoints import Checkpoint
from agon.runs.description import described, text_of
from agon.runs.directory import Directory, unreadable
from agon.runs.holding import holding, lock_of
from agon.runs.layout import (
    ALARMS,
    ARITHMETIC,
    ATTACHMENTS,
    CHECKPOINTS,
    EXPERIMENT,
    HISTORY,
    INIT,
    LOG,
    RUN_LOCK,
    SAMPLES,
    SCORES,
    SCORES_LOCK,
    snapshots,
)
from agon.runs.named import local
from agon.runs.taken import refuse_no_run, refuse_taken

if TYPE_CHECKING:
    from filelock import FileLock

PATIENCE = 10.0  # seconds; writing a score takes far less


class Run:
    """A run directory.

    | name | content |
    |---|---|
    | experiment.json | the complete description of the training |
    | arithmetic.json | settings that change the arithmetic, and versions |
    | init.json | what was taken from the run that the training began from, if it did |
    | log.jsonl, tensorboard/ | a record for each interval |
    | alarms.jsonl | what went wrong while it trained |
    | metrics.jsonl | scores; the process that writes them holds metrics.lock |
    | metrics/ | pictures and arrays of scores |
    | samples/ | real samples, and the same latents over time |
    | checkpoints/ | the newest ones, three by default |
    | history/ | light checkpoints, of weights alone, over the whole training, if `snapshots` asks for them |
    | skill.json, skill.png | what `agon skill` has found |
    | storage.json | where the run is mirrored, if it is |

    Its files are read and written through `files`.

    Attributes:
        path: path of the directory.
        files: access to its files.
        given: the data that were handed over in Python to the training that returned this object, or None. They are in
            memory alone: a run that is opened by its path has none.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path = Path(path)
        self.files = Directory(path)
        self.given: Any = None
        self.log = path / LOG
        self.alarms = path / ALARMS
        self.metrics = path / SCORES
        self.samples = path / SAMPLES
        self.checkpoints = path / CHECKPOINTS
        self.history = path / HISTORY
        self._lock: FileLock | None = None
        self._scoring: FileLock | None = None

    @classmethod
    def open(cls, path: Path | str) -> "Run":
        """Open an existing run: at a path, or by its name, "hub:owner/name" or "pretrained:digits".

        Raises:
            RunError: there is no run at that path, or the Hub has none of that name or cannot be reached.
            SettingError: it is a name that no run can have.
        """
        path = local(path)
        refuse_no_run(path)
        return cls(path)

    @classmethod
    def of(cls, run: "Run | Path | str") -> "Run":
        """Return a run as it is, or open the one of this path or name.

        Raises:
            RunError: there is no run at that path.
        """
        return run if isinstance(run, Run) else cls.open(run)

    @property
    def begun(self) -> bool:
        """Whether the directory holds a run."""
        return self.files.holds(EXPERIMENT)

    @classmethod
    def create(cls, path: Path | str) -> "Run":
        """Create an empty run directory.

        Raises:
            RunError: the path already holds something, or cannot be written.
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
        """Write the description of the run; arithmetic first, since a run exists if its experiment.json does."""
        self.files.write(ARITHMETIC, (json.dumps(compute, indent=2) + "\n").encode())
        self.files.write(EXPERIMENT, experiment.encode())

    def describe_origin(self, taken: Mapping[str, Any]) -> None:
        """Write what was taken from the run that the training began from."""
        self.files.write(INIT, (json.dumps(taken, indent=2) + "\n").encode())

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
        """Lock the run against other processes that would write it; this object may take the lock again.

        Raises:
            RunError: another process writes the run.
        """
        self._lock = lock = self._lock or lock_of(self.files, RUN_LOCK)
        with holding(lock, f"{self.path} is", advice="wait for it, or choose another folder"):
            if lock.lock_counter == 1:
                self.clear()
            yield

    def save(self, checkpoint: Checkpoint, kept: int = checkpoints.KEPT, spared: Collection[int] = ()) -> Path:
        """Write a checkpoint, with the current length of the log; keep the newest `kept`, and `spared` steps."""
        state = {**checkpoint.state, "log_bytes": records.size(self.log)}
        whole = Checkpoint(checkpoint.step, checkpoint.tensors, state)
        return checkpoints.save(self.checkpoints, whole, kept, spared)

    def save_light(self, checkpoint: Checkpoint) -> Path:
        """Write a light checkpoint; all of them stay."""
        return checkpoints.save(self.history, checkpoint, kept=None)

    @property
    def kept(self) -> list[int]:
        """The steps of the checkpoints, oldest first."""
        return [int(path.name) for path in checkpoints.paths(self.checkpoints)]

    @property
    def past(self) -> list[int]:
        """The steps of the light checkpoints, oldest first."""
        return [int(path.name) for path in checkpoints.paths(self.history)]

    def checkpoint(self, step: int) -> Checkpoint:
        """Read the checkpoint of a step; a light one if there is no other.

        Raises:
            CheckpointError: it is missing or damaged.
        """
        return checkpoints.load(self.place(step))

    def place(self, step: int) -> Path:
        """The path of the checkpoint of a step; of a light one if there is no other."""
        light = step in self.past and step not in self.kept
        return checkpoints.place(self.history if light else self.checkpoints, step)

    def last_good(self) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest undamaged checkpoint, and what is wrong with newer ones."""
        return checkpoints.last_good(self.checkpoints)

    def good(self, complaints: list[str]) -> Iterator[Checkpoint]:
        """Yield the undamaged checkpoints, newest first; add what is wrong with others to the complaints."""
        return checkpoints.good(self.checkpoints, complaints)

    def rewind(self, checkpoint: Checkpoint | None, sample_every: int) -> None:
        """Truncate the log to a checkpoint, and remove later alarms, samples and light checkpoints; all are made again.

        Samples of a step that is not a multiple of `sample_every` are the last ones of a shorter budget.
        """
        records.cut(self.log, checkpoint.state["log_bytes"] if checkpoint else 0)
        reached = checkpoint.step if checkpoint else -1
        alarms.rewind(self.alarms, reached)
        for step, path in self.snapshots():
            if step > reached or step % sample_every:
                self.files.remove(f"{SAMPLES}/{path.name}")
        for path in checkpoints.paths(self.history):
            if int(path.name) > reached:
                self.files.remove(f"{HISTORY}/{path.name}")

    def snapshots(self) -> list[tuple[int, Path]]:
        """Return each step with the file of its samples from the fixed latents, in the order of the steps.

        Raises:
            RunError: samples/ is not a folder.
        """
        try:
            return snapshots(self.files)
        except OSError as error:
            raise unreadable(error, self.samples, "put the folder back") from error

    def picture(self, name: str, content: bytes) -> None:
        """Write a file in samples/."""
        self.files.make(SAMPLES)
        self.files.write(f"{SAMPLES}/{name}", content)

    def clear(self) -> None:
        """Remove temporary files of killed processes; the caller holds the lock."""
        self.files.clear(alone=True)
        self.files.clear(SAMPLES, alone=True)
        self.files.clear(ATTACHMENTS)
        checkpoints.clear(self.checkpoints)
        checkpoints.clear(self.history)

    @contextmanager
    def scoring(self, patience: float = PATIENCE) -> Iterator[None]:
        """Lock the scores against other processes that would write them; a training may go on meanwhile.

        Args:
            patience: seconds to wait for another process that writes scores.

        Raises:
            RunError: another process still writes scores after that time, or the run cannot be written.
        """
        self._scoring = lock = self._scoring or lock_of(self.files, SCORES_LOCK)
        with holding(lock, f"{self.path}: its scores are", seconds=patience):
            if lock.lock_counter == 1:
                self._clear_if_idle()
            yield

    def _clear_if_idle(self) -> None:
        """Remove temporary files, unless another process trains the run."""
        with suppress(RunError), self.locked():
            pass


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Lock a folder of several runs for this process as a run is locked, and make it if it is missing.

    Raises:
        RunError: another process has locked it, or it cannot be written.
    """
    Directory(path).make(".")
    with Run(path).locked():
        yield
