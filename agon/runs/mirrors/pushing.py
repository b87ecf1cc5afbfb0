"""Bring storage up to date with a directory, in an order in which storage is a consistent run after every operation.

1. mirror.json is written with the old and the new checksum of each object that will be replaced, without the
   checkpoints that the new log contradicts, and with the names of what will come as pending.
2. The objects are written; of a checkpoint the tensors, then the state, which has their checksum.
3. mirror.json is written with the new state; what goes is pending.
4. What is pending is removed.

So every name in mirror.json is an object with one of its checksums at any moment, and a later push removes what an
interrupted one has left.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from agon.errors import RunError
from agon.runs.directory import Directory
from agon.runs.layout import CHECKPOINTS, LOG, MIRROR, STATE
from agon.runs.mirrors.content import DESCRIPTIONS, TENSORS, folder_of, names_in, pieces, stamp
from agon.runs.mirrors.manifest import Entry, Manifest, read_manifest, write_manifest
from agon.storage import Objects, StorageError
from agon.untrusted import MALFORMED, parse_json


class SupersededError(RunError):
    """Another process goes on with the run, and writes to its storage."""


@dataclass
class Push:
    """Pushes of one directory, which remember the checksums of files that did not change.

    Attributes:
        files: the directory.
        store: its storage.
        session: the word under which it is written there.
    """

    files: Directory
    store: Objects
    session: str
    _known: dict[str, tuple[tuple[int, ...], Entry]] = field(default_factory=dict)
    _whole: dict[tuple[Entry | None, Entry | None], bool] = field(default_factory=dict)

    def __call__(self) -> Manifest:
        """Bring storage up to date.

        Returns:
            What storage holds now.

        Raises:
            SupersededError: another session writes there.
            StorageError: storage does not answer, or its mirror.json is gone.
        """
        before = self._stored()
        here = self._entries()
        if not here.keys() & set(DESCRIPTIONS):
            raise RunError(f"{self.files.root} has none of {', '.join(DESCRIPTIONS)} any more, so it is not mirrored")
        if not before.pending and _is_all(before, here):
            return before
        held = self._held(before, here)
        dropped = self._dropped(before, here, held.get(LOG))
        stays = {name: entries for name, entries in before.files.items() if folder_of(name) not in dropped}
        todo = [name for name, entry in here.items() if stays.get(name) != (entry,)]
        intent = {name: (*entries, here[name]) if name in held else entries for name, entries in stays.items()}
        coming = before.pending | (before.files.keys() - stays.keys()) | (set(todo) - stays.keys())
        write_manifest(self.store, Manifest(self.session, intent, frozenset(coming)))
        lacking = self._upload(sorted(todo, key=lambda name: bool(folder_of(name))), here, held)
        after = {name: (entry,) for name, entry in here.items() if not _among(name, lacking)}
        pending = frozenset((coming | before.files.keys()) - after.keys())
        self._stored()
        write_manifest(self.store, Manifest(self.session, after, pending))
        self._remove(pending, after)
        return Manifest(self.session, after)

    def is_done(self) -> bool:
        """Whether storage has exactly what the directory has, whoever has written it.

        Raises:
            StorageError: storage does not answer.
        """
        return _is_all(read_manifest(self.store), self._entries())

    def _stored(self) -> Manifest:
        """What storage holds; refuse to go on if another process has begun to write there."""
        stored = read_manifest(self.store)
        if not stored.session:  # such as a folder of a network that is not mounted at this moment
            raise StorageError(self.store.address, f"its {MIRROR} is gone")
        if stored.session != self.session:
            raise SupersededError(
                f"another process goes on with this run in {self.store.address}, so it is not mirrored from here"
            )
        return stored

    def _entries(self) -> dict[str, Entry]:
        """The checksum of each file; a checkpoint that is damaged, or being removed, is left out."""
        found: dict[str, Entry] = {}
        gone: set[str] = set()
        for name in names_in(self.files):
            try:
                now = stamp(self.files.path(name))
                if self._known.get(name, ((), None))[0] != now:
                    self._known[name] = now, Entry.of(pieces(self.files, name))
                found[name] = self._known[name][1]
            except OSError:
                gone.add(folder_of(name) or name)
        whole = {folder for name in found if (folder := folder_of(name)) and self._is_whole(folder, found)}
        return {
            name: entry
            for name, entry in found.items()
            if not _among(name, gone) and (not folder_of(name) or folder_of(name) in whole)
        }

    def _is_whole(self, folder: str, found: Mapping[str, Entry]) -> bool:
        """Whether a checkpoint has both its files, and its state has the checksum of its tensors."""
        both = found.get(f"{folder}/{TENSORS}"), found.get(f"{folder}/{STATE}")
        if both not in self._whole:
            try:
                values = parse_json(b"".join(pieces(self.files, f"{folder}/{STATE}")))
                self._whole[both] = both[0] is not None and values["tensors"] == both[0].sha256
            except (OSError, *MALFORMED):
                return False
        return self._whole[both]

    def _held(self, before: Manifest, here: dict[str, Entry]) -> dict[str, bytes]:
        """Read what replaces an object, or grows; its entry in `here` becomes that of exactly these bytes."""
        held = {}
        for name, entry in list(here.items()):
            grows = "/" not in name or (name in before.files and not folder_of(name))
            if grows and before.files.get(name) != (entry,):
                held[name] = b"".join(pieces(self.files, name))
                here[name] = Entry.of([held[name]])
        return held

    def _dropped(self, before: Manifest, here: Mapping[str, Entry], log: bytes | None) -> set[str]:
        """Folders in storage that are replaced, or that do not belong to the new log."""
        differ = {
            folder
            for name, entries in before.files.items()
            if (folder := folder_of(name)) and entries != (here.get(name),)
        }
        replaced = {folder for folder in differ if f"{folder}/{STATE}" in here}
        if log is None or _extends(log, before.files.get(LOG, ())):
            return replaced
        old = b"".join(self.store.read(LOG))  # the training went back to an older checkpoint: a rare case
        others = {folder for folder in differ - replaced if folder.startswith(f"{CHECKPOINTS}/")}
        return replaced | {folder for folder in others if not self._fits(folder, old, log)}

    def _fits(self, folder: str, old: bytes, new: bytes) -> bool:
        """Whether the log of a checkpoint in storage is the same in the old and in the new log."""
        try:
            size = parse_json(b"".join(self.store.read(f"{folder}/{STATE}")))["state"]["log_bytes"]
            return len(new) >= size and old[:size] == new[:size]
        except (FileNotFoundError, *MALFORMED):
            return False

    def _upload(self, names: Collection[str], here: Mapping[str, Entry], held: Mapping[str, bytes]) -> set[str]:
        """Write objects; return the names and folders of those whose files have changed or gone meanwhile."""
        lacking: set[str] = set()
        for name in names:
            if _among(name, lacking):
                continue
            if name in held:
                self.store.write(name, [held[name]])
                continue
            written = Hashing(pieces(self.files, name))
            with suppress(OSError):
                self.store.write(name, written)
            if written.entry != here[name]:
                lacking.add(folder_of(name) or name)
        return lacking

    def _remove(self, pending: Collection[str], after: Mapping[str, object]) -> None:
        folders = {folder_of(name) for name in pending} - {""}
        for folder in sorted(folders - {folder_of(name) for name in after}):
            self.store.remove_folder(folder)
        for name in sorted(pending):
            if not folder_of(name):
                self.store.remove(name)


class Hashing:
    """An iterator over pieces that computes their checksum."""

    def __init__(self, content: Iterator[bytes]) -> None:
        self._content, self._size, self._digest = content, 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._content:
            self._size += len(piece)
            self._digest.update(piece)
            yield piece

    @property
    def entry(self) -> Entry:
        """The entry of all pieces so far."""
        return Entry(self._size, self._digest.hexdigest())


def _among(name: str, names: Collection[str]) -> bool:
    """Whether a name, or its checkpoint's folder, is among some."""
    return name in names or folder_of(name) in names


def _is_all(stored: Manifest, here: Mapping[str, Entry]) -> bool:
    """Whether storage names these entries and no others."""
    return stored.files == {name: (entry,) for name, entry in here.items()}


def _extends(log: bytes, before: Collection[Entry]) -> bool:
    """Whether a log begins with each content that it may have had."""
    return all(entry.size <= len(log) and Entry.of([log[: entry.size]]) == entry for entry in before)
