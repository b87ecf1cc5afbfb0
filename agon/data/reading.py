"""From the one word or path that a user gives to the stored images it means."""

import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

from agon.data.arrays import read_arrays, read_digits
from agon.data.folders import read_folder
from agon.data.hub import is_name, read_hub
from agon.data.rows import Rows
from agon.data.source import Split
from agon.data.tables import read_tables
from agon.errors import DataError

DIGITS = "digits"  # the bundled set; "./digits" is a folder of that name


def read(
    path: str,
    *,
    values: tuple[float, float] | None,
    subset: str | None,
    revision: str | None,
    streaming: bool,
) -> Mapping[Split, Rows]:
    """The stored images of a bundled set, a local file or folder, or a name on the Hub, in that order.

    Args:
        path: "digits", a path, or "owner/name".
        values: the range of arrays that hold no bytes.
        subset: a configuration of a Hub set.
        revision: a commit, tag or branch of a Hub set.
        streaming: read a Hub set as it is used.

    Returns:
        "train" and, where the set has a split of its own to hold out, "test".

    Raises:
        DataError: nothing is there, or nothing that is an image.
    """
    place = Path(os.path.expanduser(path))  # which leaves an unknown user's folder as it is written
    if path == DIGITS:
        found = read_digits()
    elif place.exists():
        found = _local(place, values)
    elif is_name(path):
        found = read_hub(path, subset=subset, revision=revision, streaming=streaming)
    else:
        raise DataError(_missing(path, place))
    for split, rows in found.items():
        if len(rows) == 0 and not streaming:
            raise DataError(f"expected images in {path}, got none in its split '{split}'; check the file")
    return found


def _local(place: Path, values: tuple[float, float] | None) -> Mapping[Split, Rows]:
    readers: dict[str, Callable[[], Mapping[Split, Rows]]] = {
        ".parquet": lambda: read_tables(place),
        ".npz": lambda: read_arrays(place, values),
        ".npy": lambda: read_arrays(place, values),
    }
    try:
        if place.is_dir():
            tables = next(place.rglob("*.parquet"), None)
            return read_tables(place) if tables is not None else read_folder(place)
        if place.suffix.lower() not in readers:
            raise DataError(
                f"expected a folder of images or a file ending in {', '.join(readers)}, got {place}; "
                "put single images in a folder and unpack archives"
            )
        return readers[place.suffix.lower()]()
    except OSError as fault:
        raise DataError(f"expected to read {place}, but the system refuses: {fault}") from fault


def _missing(path: str, place: Path) -> str:
    folder = next((parent for parent in place.absolute().parents if parent.is_dir()), Path("/"))
    below = place.absolute().relative_to(folder).parts
    near = get_close_matches(below[0], [f.name for f in folder.iterdir()], n=1, cutoff=0.5)
    if near:
        rest = "/".join((near[0], *below[1:]))
        advice = f"did you mean '{folder / rest}'?" if len(below) == 1 else f"did you mean '{folder / near[0]}'?"
    else:
        advice = "give '" + DIGITS + "', an existing path, or the Hub's 'owner/name'"
    return f"expected images at {path}, but there is no such path; {advice}"
