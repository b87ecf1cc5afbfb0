"""What the word that a user gives for images means: a bundled set, a path of this machine, or a name on the Hub."""

import os
import re
from difflib import get_close_matches

DIGITS = "digits"  # the bundled set; "./digits" is a folder of that name
HUB = "hub:"
LONGEST = 96  # characters of a name on the Hub
ENDINGS = (".npz", ".npy", ".parquet", ".png", ".jpg", ".jpeg", ".zip", ".tar", ".gz", ".h5", ".csv")
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
    """The place that a word means, with its kind: "digits", "hub:owner/name", or an absolute path.

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
        if not _is_pair(text.removeprefix(HUB)):
            raise ValueError(text)
        return text
    if text == DIGITS:
        return text
    path = os.path.expanduser(text)  # which leaves an unknown user's folder as it is written
    return HUB + text if not os.path.lexists(path) and is_name(text) else os.path.abspath(path)


def is_name(text: str) -> bool:
    """Whether a word looks like "owner/name" on the Hub, and not like a missing path.

    >>> is_name("ylecun/mnist"), is_name("./ylecun/mnist"), is_name("mnist"), is_name("a/b.npz"), is_name("data/cats")
    (True, False, False, False, False)
    """
    if not _is_pair(text) or text.lower().endswith(ENDINGS):
        return False
    owner = text.split("/")[0]
    if owner.lower() in FOLDERS or os.path.lexists(owner):
        return False
    return not get_close_matches(owner, filter(os.path.isdir, os.listdir()), cutoff=0.75)


def _is_pair(text: str) -> bool:
    return len(text) <= LONGEST and re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", text) is not None
