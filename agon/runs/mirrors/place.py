"""storage.json: where a directory is mirrored, and which sessions there were its own. It holds no credentials.

A run directory may come from a stranger, whose storage.json must not make this user write anywhere. So each word in it
that this user's own commands have written is also noted in the cache, and a storage.json without one is not acted on.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agon.errors import RunError, command
from agon.runs.description import described
from agon.runs.directory import Directory
from agon.runs.files import writing
from agon.runs.layout import STORAGE
from agon.runs.mirrors.manifest import Manifest, read_manifest
from agon.storage import Address, Objects, StorageError, open_store
from agon.terminal import warn
from agon.untrusted import MALFORMED

T = TypeVar("T")
PATIENCE = 60.0  # seconds for storage that does not answer where a command cannot go on without it
PAUSE = 2.0  # seconds between two attempts
FETCHING = "fetching"  # what `Place.copy` is until everything is there


@dataclass(frozen=True)
class Place:
    """What storage.json holds.

    Attributes:
        address: where the directory is mirrored.
        sessions: words in mirror.json under which this directory is as new as storage, or newer; two of them while a
            session begins. Before the first session it is a word that is in no mirror.json.
        copy: the checksum of mirror.json, if the directory is a copy of just that, or `FETCHING` while it becomes one;
            empty if it is written here.
    """

    address: Address
    sessions: tuple[str, ...] = ()
    copy: str = ""

    @classmethod
    def read(cls, files: Directory) -> "Place | None":
        """Read storage.json; None if the directory is not mirrored.

        Raises:
            RunError: it cannot be read.
        """
        if not files.holds(STORAGE):
            return None
        values = described(files, STORAGE)
        try:
            return cls(Address.read(values["address"]), tuple(map(str, values["sessions"])), str(values["copy"]))
        except MALFORMED as error:
            raise RunError(
                f"{files.root / STORAGE} cannot be read ({error!r}); remove it, and say --storage again"
            ) from error

    def write(self, files: Directory) -> None:
        """Write storage.json."""
        values = {"address": str(self.address), "sessions": list(self.sessions), "copy": self.copy}
        files.write(STORAGE, (json.dumps(values) + "\n").encode())

    def vouch(self, files: Directory) -> None:
        """Write storage.json, and note that this user has."""
        for session in self.sessions:
            note = _note(self.address, session)
            with writing(note, instead="set AGON_CACHE to a folder that can be written"):
                note.parent.mkdir(parents=True, exist_ok=True)
                note.touch()
        self.write(files)

    @property
    def is_own(self) -> bool:
        """Whether a command of this user has written it, so that its address can be trusted."""
        return any(_note(self.address, session).is_file() for session in self.sessions)

    def is_current(self, manifest: Manifest) -> bool:
        """Whether the directory has everything that storage has."""
        return manifest.session in self.sessions and self.copy in ("", manifest.digest)


def new_word() -> str:
    """A word for a session that nobody can guess."""
    return secrets.token_hex(8)


def refuse_foreign(place: Place, files: Directory) -> None:
    """Refuse to act on a storage.json that no command of this user has written.

    Raises:
        RunError: it is such a one.
    """
    if not place.is_own:
        raise RunError(
            f"{files.root / STORAGE} is of another user or machine, and says to mirror the run to {place.address}; "
            f"{command('resume', files.root)} --storage {place.address} does, or remove that file"
        )


def patiently(address: Address, do: Callable[[], T]) -> T:
    """Do something with storage; try again for a minute if it does not answer, and say so once.

    Raises:
        RunError: it does not answer, or refuses.
    """
    end, said = time.monotonic() + PATIENCE, False
    while True:
        try:
            return do()
        except StorageError as error:
            if error.advice:
                raise RunError(f"{address} refuses ({error.reason}); {error.advice}") from error
            if time.monotonic() > end:
                raise RunError(
                    f"{address} does not answer ({error.reason}); see that it can be reached from here, and try again"
                ) from error
            if not said:
                warn(f"agon: {address} does not answer ({error.reason}); trying again for {PATIENCE:.0f} s")
            said = True
            time.sleep(PAUSE)


def opened(address: Address) -> tuple[Objects, Manifest]:
    """Open a storage, and read what it holds.

    Raises:
        RunError: it does not answer, or refuses, or its mirror.json is not agon's.
    """

    def read() -> tuple[Objects, Manifest]:
        store = open_store(address)
        return store, read_manifest(store)

    return patiently(address, read)


def _note(address: Address, session: str) -> Path:
    """The file in the cache which notes that this user has written a word with an address."""
    from agon.data.cache import default_folder

    name = hashlib.sha256(f"{address} {session}".encode()).hexdigest()
    return default_folder() / "runs" / "sessions" / name
