"""mirror.json: the names, sizes and checksums of all objects of a mirrored run."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agon.errors import RunError
from agon.runs.layout import MIRROR
from agon.runs.limits import ENTRIES, STATE
from agon.runs.mirrors.content import MIRRORED
from agon.storage import Objects
from agon.untrusted import MALFORMED, parse_json

READS, PAUSE = 5, 0.1  # attempts to read mirror.json, and seconds between two


class Entry(NamedTuple):
    """One content of an object."""

    size: int
    sha256: str

    @classmethod
    def of(cls, pieces: Iterable[bytes]) -> "Entry":
        """The entry of a content."""
        size, digest = 0, hashlib.sha256()
        for piece in pieces:
            size += len(piece)
            digest.update(piece)
        return cls(size, digest.hexdigest())


@dataclass(frozen=True)
class Manifest:
    """What mirror.json holds.

    Attributes:
        session: who writes: a new word for each training that begins or resumes; "" if nobody has begun.
        files: name -> the contents that the object may have: one, or several while it is being replaced.
        pending: names of objects that may exist and mean nothing: they are being written or removed.
    """

    session: str = ""
    files: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()

    def encoded(self) -> bytes:
        """The content of mirror.json."""
        plain = {
            "session": self.session,
            "files": {name: [list(entry) for entry in entries] for name, entries in sorted(self.files.items())},
            "pending": sorted(self.pending),
        }
        return (json.dumps(plain, indent=0) + "\n").encode()

    @property
    def digest(self) -> str:
        """The checksum of the whole."""
        return hashlib.sha256(self.encoded()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all objects."""
        return sum(entries[-1].size for entries in self.files.values())


def read_manifest(store: Objects) -> Manifest:
    """Read mirror.json; an empty one if there is none.

    An object's size is asked before its content, so one that is replaced by a longer one meanwhile comes cut, and is
    read again.

    Raises:
        RunError: it is not one that agon wrote.
        StorageError: storage does not answer.
    """
    for _ in range(READS - 1):
        with suppress(*MALFORMED):
            return _read(store)
        time.sleep(PAUSE)
    try:
        return _read(store)
    except MALFORMED as error:
        raise RunError(
            f"{store.address}/{MIRROR} is not what agon writes ({str(error) or repr(error)}); put it back, or choose "
            "another place"
        ) from error


def _read(store: Objects) -> Manifest:
    content = b""
    try:
        for piece in store.read(MIRROR):
            content += piece
            if len(content) > STATE:
                raise ValueError(f"it has more than {STATE:,} bytes")
    except FileNotFoundError:
        return Manifest()
    return _decoded(parse_json(content))


def write_manifest(store: Objects, manifest: Manifest) -> None:
    """Write mirror.json."""
    store.write(MIRROR, [manifest.encoded()])


def _decoded(value: Any) -> Manifest:
    if len(value["files"]) > ENTRIES:
        raise ValueError(f"it names more than {ENTRIES:,} objects")
    for name in (*value["files"], *value["pending"]):
        if not MIRRORED.fullmatch(name):
            raise ValueError(f"it names {name[:100]!r}, which is no file of a run")
    files = {
        name: tuple(Entry(int(size), str(digest)) for size, digest in entries)
        for name, entries in value["files"].items()
    }
    if not all(files.values()):
        raise ValueError("it names an object without a checksum")
    return Manifest(str(value["session"]), files, frozenset(value["pending"]))
