"""Recognise splits by the names of folders, files, or a set's own splits."""

import re
from collections.abc import Iterable
from pathlib import Path

from agon.data.source import Split

TRAIN = ("train", "training", "trainset")
TEST = ("test", "testing", "testset", "validation", "valid", "val", "dev", "eval")  # the first that exists is held out


def word_of(name: str) -> tuple[str, tuple[str, ...]]:
    """The word in a name that means a split (or ""), and the other words; case does not matter.

    >>> word_of("seg_TRAIN"), word_of("val2017"), word_of("bus")
    (('train', ('seg',)), ('val', ('2017',)), ('', ('bus',)))
    """
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]
    split = next((word for word in words if word in TRAIN + TEST), "")
    return split, tuple(word for word in words if word != split)


def split_of(file: Path) -> str:
    """The word for the split in a file's name, or the nearest folder with such a name; else "all".

    >>> split_of(Path("test/train-0.parquet")), split_of(Path("val/0.parquet")), split_of(Path("test_run/a.b"))
    ('train', 'val', 'all')
    """
    words = [word_of(file.stem)[0], *(word for word, rest in map(word_of, reversed(file.parts[:-1])) if not rest)]
    return next(filter(None, words), "all")


def pick(names: Iterable[str]) -> dict[Split, str]:
    """Choose which of a data set's own splits are used for training and held out.

    >>> pick(["validation", "train", "extra"])
    {'train': 'train', 'test': 'validation'}
    >>> pick(["all"])
    {'train': 'all'}
    """
    names = list(names)
    words = {name: word_of(name)[0] for name in names}

    def rank(name: str) -> tuple[int, bool]:
        first = TRAIN.index(words[name]) if words[name] in TRAIN else len(TRAIN) + (words[name] in TEST)
        return first, name.lower() != words[name]

    train = min(names, key=rank)
    tests = [name for word in TEST for name in sorted(names, key=len) if words[name] == word and name != train]
    return {"train": train, "test": tests[0]} if tests else {"train": train}
