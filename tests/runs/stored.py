"""A directory written as a training writes it, without torch; storage that breaks off; what must hold of both."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from agon.runs.directory import Directory
from agon.runs.mirrors.content import folder_of, step_of
from agon.runs.mirrors.fetching import fetch
from agon.runs.mirrors.manifest import Entry, read_manifest
from agon.runs.mirrors.opening import begin_storage, claim
from agon.runs.mirrors.pushing import Push
from agon.storage import Address, Objects, StorageError, open_store

KEEP = 2


class Killed(BaseException):
    """The process is killed at this moment."""


class Written:
    """What a training writes: a growing log, samples, and checkpoints, of which the newest stay.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session = "first"
        for folder in ("checkpoints", "samples"):
            (path / folder).mkdir(parents=True, exist_ok=True)

    def begin(self) -> None:
        """Describe the run."""
        (self.path / "arithmetic.json").write_text("{}\n")
        (self.path / "experiment.json").write_text('{"steps": 400}\n')
        (self.path / "log.jsonl").write_text("")
        (self.path / "samples/real.npy").write_bytes(b"real")

    def train(self, step: int) -> None:
        """Write a record, whose length depends on the clock, samples and a checkpoint; remove what is too old."""
        with open(self.path / "log.jsonl", "a") as file:
            file.write(json.dumps({"step": step, "wall": self.session}) + "\n")
        (self.path / f"samples/{step:08d}.npy").write_bytes(b"samples %d" % step)
        target = self.path / f"checkpoints/{step:08d}"
        tensors = b"tensors %d " % step * 50
        log = (self.path / "log.jsonl").read_bytes()
        state = {"log_bytes": len(log), "log": hashlib.sha256(log).hexdigest(), "wall": self.session}
        target.mkdir(exist_ok=True)
        (target / "tensors.safetensors").write_bytes(tensors)
        (target / "state.json").write_text(json.dumps({"tensors": hashlib.sha256(tensors).hexdigest(), "state": state}))
        for old in self.kept()[:-KEEP]:
            self.lose(old)

    def lose(self, step: int) -> None:
        """Remove a checkpoint."""
        for name in ("tensors.safetensors", "state.json"):
            (self.path / f"checkpoints/{step:08d}/{name}").unlink()
        (self.path / f"checkpoints/{step:08d}").rmdir()

    def rewind(self, step: int) -> None:
        """Go on from an older checkpoint, as later ones are damaged: cut the log, and remove later samples."""
        state = json.loads((self.path / f"checkpoints/{step:08d}/state.json").read_text())
        with open(self.path / "log.jsonl", "ab") as log:
            log.truncate(state["state"]["log_bytes"])
        for path in (self.path / "samples").glob("[0-9]*"):
            if int(path.stem) > step:
                path.unlink()
        for later in (later for later in self.kept() if later > step):
            (self.path / f"checkpoints/{later:08d}/tensors.safetensors").write_bytes(b"damaged")
        self.session = "a later session, whose records are longer"

    def kept(self) -> list[int]:
        """The steps of the checkpoints."""
        return sorted(int(path.name) for path in (self.path / "checkpoints").glob("[0-9]*"))


class Breaking:
    """Storage in which the process is killed at one operation that changes something.

    Args:
        store: the storage.
        at: number of the operation that does not happen any more, from 0; None for none.
    """

    def __init__(self, store: Objects, at: int | None = None) -> None:
        self.address, self.store, self.at, self.count = store.address, store, at, 0
        self.after_each: Callable[[], object] = lambda: None

    def write(self, name: str, content: Iterable[bytes]) -> None:
        self._do(lambda: self.store.write(name, content))

    def read(self, name: str) -> Iterator[bytes]:
        return self.store.read(name)

    def remove(self, name: str) -> None:
        self._do(lambda: self.store.remove(name))

    def remove_folder(self, name: str) -> None:
        self._do(lambda: self.store.remove_folder(name))

    def _do(self, act: Callable[[], object]) -> None:
        if self.count == self.at:
            raise Killed
        act()
        self.count += 1
        self.after_each()


class Failing(Breaking):
    """Storage that does not answer any more from one operation on."""

    def _do(self, act: Callable[[], object]) -> None:
        if self.at is not None and self.count >= self.at:
            raise StorageError(self.address, "it is gone")
        act()
        self.count += 1


def pushing(run: Path, address: Address) -> Push:
    """A new session of a directory."""
    begin_storage(Directory(run), str(address))
    claimed = claim(Directory(run))
    assert claimed is not None
    return Push(Directory(run), *claimed)


def live(files: Path, address: Address, at: int | None = None, push: type[Push] = Push) -> Breaking:
    """A training with two sessions, of which the second goes on from an older checkpoint; killed at one operation."""
    store = Breaking(open_store(address), at)
    run = Written(files)
    run.begin()
    begin_storage(Directory(files), str(address))
    for session in range(2):
        claimed = claim(Directory(files))
        assert claimed is not None
        pushed = push(Directory(files), store, claimed[1])
        for step in ((0, 100, 200), (150, 200))[session]:
            run.train(step)
            if (session, step) != (0, 0):  # so that two checkpoints come at once
                pushed()
        if session == 0:
            run.rewind(100)
    return store


def check(address: Address, path: Path) -> list[int]:
    """What must hold at every moment: all that mirror.json names is there, and fits together; the steps that are there.

    Args:
        address: the storage.
        path: an empty directory to fetch into.
    """
    store = open_store(address)
    manifest = read_manifest(store)
    for name, entries in manifest.files.items():
        found = None
        with suppress(FileNotFoundError):
            found = Entry.of(store.read(name))
        assert found in entries, f"{name} is not what mirror.json says"
    if not manifest.files:
        return []
    path.mkdir(parents=True)
    _, complaints = fetch(store, Directory(path), manifest)
    assert complaints == []
    log = (path / "log.jsonl").read_bytes()
    for step in (fetched := Written(path)).kept():
        folder = path / f"checkpoints/{step:08d}"
        signed = json.loads((folder / "state.json").read_text())
        assert hashlib.sha256((folder / "tensors.safetensors").read_bytes()).hexdigest() == signed["tensors"]
        state = signed["state"]
        assert hashlib.sha256(log[: state["log_bytes"]]).hexdigest() == state["log"], f"the log of step {step}"
    return fetched.kept()


def content_of(path: Path) -> dict[str, bytes]:
    """Every file of a directory that is mirrored, by name; no damaged checkpoint is."""
    files = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    damaged = {name.rpartition("/")[0] for name, content in files.items() if content == b"damaged"}
    others = {"run.lock", "storage.json", "mirror.json"}
    return {n: content for n, content in files.items() if n not in others and n.rpartition("/")[0] not in damaged}


def objects_of(address: Address) -> dict[str, bytes]:
    """All objects of storage, but for mirror.json."""
    from pyarrow import fs

    files: Any = open_store(address)._files
    found = files.get_file_info(fs.FileSelector(address.place, recursive=True))
    paths = [info.path for info in found if info.type == fs.FileType.File]
    names = {path: path.removeprefix(f"{address.place}/") for path in paths}
    return {name: files.open_input_stream(path).read() for path, name in names.items() if name != "mirror.json"}


def mirrored_step(address: str) -> int:
    """The step of the newest checkpoint in storage; -1 without any."""
    names = read_manifest(open_store(Address.read(address))).files
    return max((step_of(folder_of(name)) for name in names if name.startswith("checkpoints/")), default=-1)
