"""What the word that a user gives for images means: a bundled set, a path of this machine, or a name on the Hub."""

import os
import re
from difflib import get_close_matches
from pathlib import Path

DIGITS = "digits"  # the bundled set; "./digits" is a folder of that name
HUB = "hub:"
ENDINGS = (".npz", ".npy", ".parquet", ".png", ".jpg", ".jpeg", ".zip", ".tar", ".gz", ".h5", ".csv")
FOLDERS = {  # that people keep images in: never an owner's name
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
    """The place that a word means, with its kind: "digits", "hub:owner/name", or an absolute path.

    "owner/name" is one of the Hub only where nothing here is like it: no such path, no folder that is called `owner`
    or nearly so, no usual name of a folder of images, no file's ending. Whatever is taken for a path is never asked of
    a network.

    Raises:
        ValueError: after "hub:" there is no owner and name.

    >>> located("digits"), located("ylecun/mnist"), located("hub:ylecun/mnist")
    ('digits', 'hub:ylecun/mnist', 'hub:ylecun/mnist')
    >>> located("data/mnist") == os.path.abspath("data/mnist")
    True
    """
    if text.startswith(HUB):
        if not _is_pair(text.removeprefix(HUB)):
            raise ValueError(text)
        return text
    if text == DIGITS:
        return text
    path = os.path.expanduser(text)  # which leaves an unknown user's folder as it is written
    return HUB + text if not os.path.lexists(path) and is_name(text) else os.path.abspath(path)


def is_name(text: str) -> bool:
    """Whether a word looks like "owner/name" on the Hub, and not like a path that is missing here.

    >>> is_name("ylecun/mnist"), is_name("./ylecun/mnist"), is_name("mnist"), is_name("a/b.npz"), is_name("data/cats")
    (True, False, False, False, False)
    """
    if not _is_pair(text) or text.lower().endswith(ENDINGS):
        return False
    owner = text.split("/")[0]
    here = [] if owner.lower() in FOLDERS else [entry.name for entry in Path().iterdir() if entry.is_dir()]
    return owner.lower() not in FOLDERS and not Path(owner).exists() and not get_close_matches(owner, here, cutoff=0.75)


def _is_pair(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", text) is not None
