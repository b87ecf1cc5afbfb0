"""Decide what a user's word for data means: the bundled set, a local path, or a name on the Hub.

The command line asks here before it imports torch.
"""

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from agon.errors import DataError, unknown

DIGITS = "digits"  # the bundled set; "./digits" is a folder of that name
HUB = "hub:"
CONTENT = "sha256:"  # data that were handed over in Python, by their checksum
LONGEST = 96  # characters of a name on the Hub
ENDINGS = (".npz", ".npy", ".parquet", ".png", ".jpg", ".jpeg", ".zip", ".tar", ".gz", ".h5", ".csv", ".tsv")
FOLDERS = {  # usual folders of images, never taken for an owner's name
    *(
        "data",
        "dataset",
        "datasets",
        "img",
        "imgs",
        "image",
        "images",
        "photos",
        "pictures",
        "samples",
        "out",
        "outputs",
    ),
    *("run", "runs", "results", "train", "test", "val", "home", "mnt", "media", "tmp", "var", "usr", "root", "scratch"),
}


def located(text: str) -> str:
    """The place that a word means, with its kind: "digits", "hub:owner/name", "sha256:...", or an absolute path.

    "owner/name" means the Hub only if it resembles nothing local: there is no such path and no folder called `owner`
    or similar, `owner` is not a usual folder of images, and the name has no file extension. Anything taken for a path
    never causes a network request.

    Raises:
        ValueError: the text after "hub:" is not "owner/name".

    >>> located("digits"), located("ylecun/mnist"), located("hub:ylecun/mnist")
    ('digits', 'hub:ylecun/mnist', 'hub:ylecun/mnist')
    >>> located("data/mnist") == os.path.abspath("data/mnist")
    True
    """
    if text.startswith(HUB):
        if not is_pair(text.removeprefix(HUB)):
            raise ValueError(text)
        return text
    if text == DIGITS or re.fullmatch(f"{CONTENT}[0-9a-f]{{64}}", text):
        return text
    path = os.path.expanduser(text)  # which leaves an unknown user's folder as it is written
    return HUB + text if not os.path.lexists(path) and is_name(text) else os.path.abspath(path)


def is_name(text: str) -> bool:
    """Whether a word looks like "owner/name" on the Hub, and not like a missing path.

    >>> is_name("ylecun/mnist"), is_name("./ylecun/mnist"), is_name("mnist"), is_name("a/b.npz"), is_name("data/cats")
    (True, False, False, False, False)
    """
    if not is_pair(text) or text.lower().endswith(ENDINGS):
        return False
    owner = text.split("/")[0]
    if owner.lower() in FOLDERS or os.path.lexists(owner):
        return False
    return not get_close_matches(owner, filter(os.path.isdir, os.listdir()), cutoff=0.75)


def is_pair(text: str) -> bool:
    """Whether a text has the form "owner/name"."""
    return len(text) <= LONGEST and re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", text) is not None


def refuse_unknown(text: str, names: Iterable[str]) -> None:
    """Refuse a plain word that is neither the name of a source nor a path of this machine.

    Args:
        text: the user's word.
        names: of the sources.

    Raises:
        DataError: it is neither; the sentence has the nearest name.
    """
    plain = not text.startswith(HUB) and "/" not in text
    names = list(names)
    if plain and text not in names and not os.path.lexists(os.path.expanduser(text)):
        raise DataError(unknown("source or path", text, names))


def missing(place: Path) -> DataError:
    """The error for an absolute path with nothing there; it advises the nearest name beside it."""
    near = nearest(place)
    advice = f"did you mean '{near}'?" if near else f"give '{DIGITS}', an existing path, or the Hub's '{HUB}owner/name'"
    return DataError(f"expected images at {place}, but there is no such path; {advice}")


def nearest(place: Path, fits: Callable[[Path], bool] = os.path.lexists) -> Path | None:
    """The path that may be meant by one with nothing there: its first missing name is replaced by the nearest one.

    Args:
        place: the missing path.
        fits: whether a path, which exists, is of the kind that is meant.
    """
    folder = next((parent for parent in place.parents if parent.is_dir()), None)
    if folder is None:
        return None
    name, *rest = place.relative_to(folder).parts
    with suppress(OSError):
        for near in get_close_matches(name, [each.name for each in folder.iterdir()], n=3, cutoff=0.5):
            found = [
                path for path in (Path(folder, near, *rest), folder / near) if os.path.lexists(path) and fits(path)
            ]
            if found:
                return found[0]
    return None


def did_you_mean(place: Path, fits: Callable[[Path], bool] = os.path.lexists, other: str = "") -> str:
    """The end of a sentence on a missing path: "; did you mean ...?", or else what other advice there is."""
    near = nearest(place, fits)
    return f"; did you mean {near}?" if near else f"; {other}" if other else ""


def refuse_no_samples(path: Path) -> None:
    """Refuse a path of samples where nothing is.

    Raises:
        DataError: nothing is there.
    """
    if not path.exists():
        advice = did_you_mean(path)
        raise DataError(f"expected a folder or a file of samples at {path}, but there is no such path{advice}")
