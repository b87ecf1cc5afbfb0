"""Bring a directory up to date from storage: every object is verified before it gets its name."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agon.errors import RunError
from agon.runs.directory import Directory
from agon.runs.files import remove, sync_folder, writing
from agon.runs.layout import SAMPLES, SCORES, STATE
from agon.runs.mirrors.content import DESCRIPTIONS, FOLDERS, TENSORS, VITAL, folder_of, pieces
from agon.runs.mirrors.manifest import Entry, Manifest, read_manifest
from agon.storage import Objects
from agon.terminal.waiting import stage
from agon.untrusted import open_regular

TRIES = 20  # fetches that are begun again since storage was written meanwhile


@dataclass
class Fetch:
    """Fetches the objects of one mirror.json into a directory.

    Attributes:
        store: the storage.
        files: the directory; it exists.
        manifest: what storage holds.
        damaged: object -> why it could not be taken.
    """

    store: Objects
    files: Directory
    manifest: Manifest
    damaged: dict[str, str] = field(default_factory=dict)

    def __call__(self) -> None:
        """Fetch what differs, the description last, and remove samples and checkpoints that storage does not have.

        Scores that were made here stay beside the fetched ones.

        Raises:
            StorageError: storage does not answer.
            RunError: the directory cannot be written.
        """
        names = sorted(self.manifest.files, key=lambda name: (name in DESCRIPTIONS, name))
        folders = sorted({folder_of(name) for name in names} - {""})
        with stage(f"fetching {self.store.address}", self.manifest.size) as advance:
            for folder in folders:
                self._folder(folder)
                advance(sum(self.manifest.files[name][-1].size for name in names if folder_of(name) == folder))
            self._remove_others()
            for name in names:
                if not folder_of(name) and not (name in DESCRIPTIONS and self.damaged.keys() & set(VITAL)):
                    self._single(name)
                    advance(self.manifest.files[name][-1].size)

    def _folder(self, folder: str) -> None:
        """Fetch a checkpoint, as a whole or not at all."""
        names = [f"{folder}/{file}" for file in (TENSORS, STATE)]
        if all(name in self.manifest.files and self._is_here(name) for name in names):
            return
        parent, _, step = folder.rpartition("/")
        temporary = self.files.make(parent) / f".writing-{step}-{os.getpid()}"
        with writing(temporary):
            remove(temporary)
            temporary.mkdir()
        try:
            for name in names:
                self._download(name, temporary / name.rpartition("/")[2])
            with writing(temporary):
                remove(self.files.path(folder))
                temporary.rename(self.files.path(folder))
                sync_folder(temporary.parent)
        except DamagedError as error:
            self.damaged[folder] = str(error)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _single(self, name: str) -> None:
        """Fetch a file."""
        if self._is_here(name):
            return
        folder, _, last = name.rpartition("/")
        temporary = self.files.make(folder or ".") / f".{last}.{os.getpid()}"
        try:
            with writing(temporary):
                remove(temporary)
            self._download(name, temporary)
            if name == SCORES:
                self._keep_lines(temporary)
            with writing(self.files.root / name):
                temporary.replace(self.files.check(name))
        except DamagedError as error:
            self.damaged[name] = str(error)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _keep_lines(self, fetched: Path) -> None:
        """Write the scores that were made here before those that were fetched, each once."""
        try:
            here = self.files.read(SCORES).splitlines(keepends=True)
        except OSError:
            return
        with writing(fetched):
            there = fetched.read_bytes()
            known = set(there.splitlines(keepends=True))
            own = [line for line in here if line.endswith(b"\n") and line not in known]
            fetched.write_bytes(b"".join(own) + there)

    def _download(self, name: str, path: Path) -> None:
        """Write the content of an object to a new file, and verify it.

        Raises:
            DamagedError: it is not what mirror.json says.
        """
        entries = self.manifest.files.get(name, ())
        most = max((entry.size for entry in entries), default=0)
        with writing(path):
            with open_regular(path, flags=os.O_WRONLY | os.O_CREAT | os.O_EXCL, follow=False) as file:
                for piece in self._bounded(name, most):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            with open_regular(path, follow=False) as file:
                found = Entry.of(iter(lambda: file.read(2**20), b""))
        if found not in entries:
            raise DamagedError(f"{self.store.address}/{name} does not have the checksum it was written with")

    def _bounded(self, name: str, most: int) -> Iterator[bytes]:
        """Yield an object's content, as long as it may be."""
        size = 0
        try:
            for piece in self.store.read(name):
                size += len(piece)
                if size > most:
                    raise DamagedError(f"{self.store.address}/{name} is longer than it was written")
                yield piece
        except FileNotFoundError:
            raise DamagedError(f"{self.store.address}/{name} is gone") from None

    def _is_here(self, name: str) -> bool:
        try:
            return Entry.of(pieces(self.files, name)) in self.manifest.files[name]
        except OSError:
            return False

    def _remove_others(self) -> None:
        """Remove checkpoints and samples that storage does not have: they are of steps that were not mirrored."""
        known = {folder_of(name) or name for name in self.manifest.files}
        for folder in (*FOLDERS, SAMPLES):
            for name in self.files.names(folder):
                if f"{folder}/{name}" not in known and not name.startswith("."):
                    self.files.remove(f"{folder}/{name}")


class DamagedError(Exception):
    """An object is not what mirror.json says: damaged, or written at this moment."""


def fetch(store: Objects, files: Directory, manifest: Manifest) -> tuple[Manifest, list[str]]:
    """Bring a directory up to date from storage; again if storage is written meanwhile.

    Args:
        store: the storage.
        files: the directory.
        manifest: what storage held a moment ago; it names a run.

    Returns:
        What was fetched, and a sentence for each object that is damaged and was left out.

    Raises:
        RunError: what no run can be without is damaged, or the directory cannot be written.
        StorageError: storage does not answer.
    """
    for _ in range(TRIES):
        attempt = Fetch(store, files, manifest)
        attempt()
        if not attempt.damaged:
            return manifest, []
        now = read_manifest(store)
        if now == manifest:
            break
        manifest = now
    if vital := [why for name, why in attempt.damaged.items() if name in VITAL]:
        raise RunError(f"{vital[0]}; without it there is no run: put it back, or begin again")
    return manifest, [f"{why}; it is left out" for why in attempt.damaged.values()]
