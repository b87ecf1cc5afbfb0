"""Begin to mirror a run, go on with one that is mirrored, or fetch it: what happens before a training begins."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path

from agon.errors import RunError, command, require
from agon.runs.directory import Directory
from agon.runs.files import writing
from agon.runs.holding import HeldError, holding, lock_of
from agon.runs.layout import RUN_LOCK
from agon.runs.mirrors.content import DESCRIPTIONS, names_in, newest
from agon.runs.mirrors.fetching import fetch
from agon.runs.mirrors.manifest import Manifest, write_manifest
from agon.runs.mirrors.place import FETCHING, PATIENCE, Place, new_word, opened, patiently, refuse_foreign
from agon.runs.taken import refuse_taken
from agon.storage import Address, Objects
from agon.terminal import warn
from agon.terminal.waiting import waiting

BUSY = 5.0  # seconds to wait in silence for another process that uses the directory


def check_storage(text: str) -> None:
    """Refuse an address that is none, holds credentials, or needs a package that is not installed; "" passes.

    Raises:
        SettingError: it is no address of storage.
        NotInstalledError: pyarrow is not installed.
    """
    if text:
        Address.read(text)
        require("pyarrow")


def prepare(text: str) -> None:
    """See that a new run can be mirrored at an address, before anything is trained; "" passes.

    Raises:
        SettingError: it is no address of storage.
        RunError: it holds a run already, or cannot be read and written.
    """
    if not text:
        return
    address = Address.read(text)
    store, stored = opened(address)
    if stored.files:
        raise RunError(
            f"{address} holds a run already; {command('resume', address)} goes on with it, or choose another place"
        )
    patiently(address, lambda: write_manifest(store, stored))


def is_stored(text: str) -> bool:
    """Whether there is a run at an address; there is none at "".

    Raises:
        RunError: storage does not answer.
    """
    return bool(text) and bool(opened(Address.read(text))[1].files)


def stored_file(text: str, name: str) -> bytes:
    """The content of a small file of what is mirrored at an address; empty where there is none.

    Raises:
        SettingError: it is no address of storage.
        RunError: storage does not answer, or has lost the file.
    """
    store, stored = opened(address := Address.read(text))
    if name not in stored.files:
        return b""
    try:
        return patiently(address, lambda: next(iter(store.read(name)), b""))
    except FileNotFoundError as error:
        raise RunError(f"{address}/{name} is gone; put it back, or choose another place") from error


def begin_storage(files: Directory, text: str) -> None:
    """Write that a directory is mirrored, as this user says."""
    Place(Address.read(text), (new_word(),)).vouch(files)


def inside(text: str, name: str) -> str:
    """The address of a name below an address; "" stays.

    >>> inside("s3://bucket/seeds", "seed-0"), inside("", "seed-0")
    ('s3://bucket/seeds/seed-0', '')
    """
    return str(Address.read(text) / name) if text else ""


def stored_at(path: Path) -> str:
    """The address at which a directory is mirrored; "" if it is not."""
    place = Place.read(Directory(path))
    return "" if place is None else str(place.address)


def claim(files: Directory) -> tuple[Objects, str] | None:
    """Begin a session in the storage of a directory: any other process stops to write there.

    Returns:
        The storage, and the session's word; None if the directory is not mirrored.

    Raises:
        RunError: another process has gone on with the run there, or storage does not answer.
    """
    place = Place.read(files)
    if place is None:
        return None
    refuse_foreign(place, files)
    store, stored = opened(place.address)
    if stored.files and not place.is_current(stored):
        raise RunError(
            f"{place.address} was written by another process meanwhile; {command('resume', files.root)} takes that"
        )
    session = new_word()
    replace(place, sessions=(stored.session, session), copy="").vouch(files)
    patiently(place.address, lambda: write_manifest(store, replace(stored, session=session)))
    replace(place, sessions=(session,), copy="").write(files)
    return store, session


def up_to_date(path: Path, storage: str = "") -> Path:
    """Bring a directory up to date from its storage, if another process has gone on with the run there.

    Args:
        path: the directory; missing or empty for a run that is in storage alone.
        storage: the address; by default the one in storage.json. A run that was not mirrored so far will be.

    Returns:
        The directory.

    Raises:
        SettingError: it is no address of storage.
        RunError: there is no run at the address, or another one, or storage does not answer; or the directory has
            later checkpoints than storage, which would be lost.
    """
    files = Directory(path)
    place = Place.read(files)
    if storage and (place is None or place.address != Address.read(storage)):
        return _moved(files, Address.read(storage))
    if place is None:
        return path
    if storage and not place.is_own:
        place = replace(place, sessions=(*place.sessions, new_word()))
        place.vouch(files)
    refuse_foreign(place, files)
    _, stored = opened(place.address)
    if stored.files and not (is_begun(files) and place.is_current(stored)):
        _fetch(files, place)
    elif not is_begun(files):
        raise RunError(_nothing(place.address))
    return path


def _moved(files: Directory, address: Address) -> Path:
    """Mirror a run that is here to an address where none is, or fetch one into a directory without one."""
    _, stored = opened(address)
    if not stored.files and not is_begun(files):
        raise RunError(_nothing(address))
    if stored.files and is_begun(files):
        raise RunError(f"{address} holds another run than {files.root}; choose another place, or another folder")
    if stored.files:
        refuse_taken(files.root)
        _fetch(files, Place(address))
    else:
        begin_storage(files, str(address))
    return files.root


def is_begun(files: Directory) -> bool:
    """Whether a directory holds anything that can be mirrored."""
    return any(map(files.holds, DESCRIPTIONS))


def _nothing(address: Address) -> str:
    return f"expected a run at {address}, got none; agon train ... --storage {address} begins one"


class AheadError(RunError):
    """A directory has a later checkpoint than its storage, where another process has gone on."""


def set_aside_if_ahead(path: Path, storage: str) -> None:
    """Bring the directory of a job that nobody watches up to date; one that is ahead of its storage is kept elsewhere.

    The job goes on from storage then, where it was last: what it trains is the same.

    Raises:
        RunError: as of `up_to_date`.
    """
    try:
        up_to_date(path, storage)
    except AheadError as error:
        aside = next(free for i in count(1) if not (free := path.with_name(f"{path.name}-aside-{i}")).exists())
        with writing(path):
            path.rename(aside)
        warn(f"agon: {str(error).partition(';')[0]}; the job goes on from there, and what was here is kept in {aside}")


def _refuse_older(files: Directory, address: Address, stored: Manifest) -> None:
    """Refuse to replace what was trained here by something that is not as far.

    Raises:
        AheadError: the directory has a later checkpoint than storage.
    """
    here, there = newest(names_in(files)), newest(stored.files)
    if here > there:
        has = "no checkpoint" if there < 0 else f"that of step {there:,}"
        raise AheadError(
            f"{files.root} has the checkpoint of step {here:,}, and {address}, which another process has written "
            f"meanwhile, {has}; {command('resume', files.root)} --storage ANOTHER-ADDRESS goes on with the one here, "
            f"and agon resume ANOTHER-FOLDER --storage {address} with the other one"
        )


def _fetch(files: Directory, place: Place) -> None:
    """Fetch what storage holds; storage.json is written before the description, and again when all is there."""
    files.make(".")
    complaints: list[str] = []
    with ExitStack() as held:
        try:
            held.enter_context(_holding(files, BUSY))
        except HeldError:
            warn(f"agon: waiting for another process that writes {files.root}")
            held.enter_context(_holding(files, PATIENCE))
        store, stored = opened(place.address)
        now = Place.read(files)
        if now is not None and now.address == place.address and now.is_current(stored):  # another process was faster
            return
        if not place.copy:
            _refuse_older(files, place.address, stored)
        Place(place.address, (new_word(),), FETCHING).vouch(files)
        with waiting():
            stored, complaints = patiently(place.address, lambda: fetch(store, files, stored))
        Place(place.address, (stored.session,), stored.digest).vouch(files)
    for line in complaints:
        warn(f"agon: {line}")


def _holding(files: Directory, seconds: float) -> AbstractContextManager[None]:
    return holding(lock_of(files, RUN_LOCK), f"{files.root} is", seconds=seconds)
