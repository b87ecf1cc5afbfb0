"""Many runs below one folder: the folder's own files at an address, and each run below it at the run's name.

Seeds, sweeps and papers use it. The driver compares its folder with storage before the runs are trained, so that
nothing is done twice, and fetches afterwards what was trained elsewhere.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agon.errors import AgonError
from agon.runs.directory import Directory
from agon.runs.mirrors.mirror import mirror_now
from agon.runs.mirrors.opening import begin_storage, is_begun, is_stored, stored_at, up_to_date
from agon.runs.mirrors.place import Place, patiently
from agon.runs.mirrors.pushing import Push
from agon.storage import open_store
from agon.terminal import warn
from agon.terminal.waiting import tracked, waiting

Addresses = Mapping[Path, str]  # run directory -> the address at which it is mirrored, "" for none


def begin_folder(files: Directory, storage: str) -> None:
    """Write that a folder of runs is mirrored, unless it is already; nothing at ""."""
    if storage and not stored_at(files.root):
        begin_storage(files, storage)


def sync(path: Path, storage: str) -> None:
    """Fetch a run if its storage is newer, and mirror it if the directory is; nothing where neither has one, or at "".

    Raises:
        NotMirroredError: something is not mirrored.
        RunError: the address holds another run, or storage does not answer.
    """
    files = Directory(path)
    if not storage or not (is_begun(files) or is_stored(storage)):
        return
    up_to_date(path, storage)
    place = Place.read(files)
    if place is not None and not patiently(place.address, lambda: Push(files, open_store(place.address), "").is_done()):
        mirror_now(path)


def sync_all(addresses: Addresses, show: bool = True) -> None:
    """As `sync`, of several directories.

    Raises:
        NotMirroredError: something is not mirrored.
        RunError: an address holds another run, or storage does not answer.
    """
    with waiting(show):
        for path, address in _tracked(addresses, "comparing runs with storage"):
            sync(path, address)


@contextmanager
def fetched_afterwards(addresses: Addresses, advice: str) -> Iterator[None]:
    """Fetch, at the end of the context, the runs that were trained elsewhere; where that fails it is a line.

    Args:
        addresses: of the runs.
        advice: the command that fetches them later.
    """
    try:
        yield
    finally:
        try:
            with waiting():
                for path, address in _tracked(addresses, "fetching runs from storage"):
                    if is_stored(address):
                        up_to_date(path, address)
        except AgonError as error:  # what the trainings say counts
            warn(f"agon: what was trained elsewhere is not here yet: {error}; {advice} fetches it")


def _tracked(addresses: Addresses, what: str) -> Iterator[tuple[Path, str]]:
    """The directories that are mirrored, and their addresses."""
    mirrored = {path: address for path, address in addresses.items() if address}
    yield from tracked(mirrored.items(), what, len(mirrored))
