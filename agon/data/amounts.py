"""How many samples a training has: too few to learn from, or fewer than are stored."""

from dataclasses import replace

from agon.data.images import Images
from agon.data.source import Source
from agon.figures.numbers import counted

FEW = 8  # samples, under which a set is called too small


def few(count: int | None, noun: str = "sample") -> str:
    """A warning of a set that is too small to learn from; nothing for a larger or an endless one.

    >>> few(8), few(None)
    ('', '')
    """
    if count is None or count >= FEW:
        return ""
    return (
        f"{counted(count, noun)} in the training set, fewer than {FEW}: a generator can only repeat what it is shown; "
        "expect something new from hundreds on"
    )


def unreadable(source: Source) -> int:
    """How many stored images a training leaves out because they cannot be read, with `skip_corrupt` on.

    Streams find that out while they are read, and count as 0.

    Raises:
        DataError: the images cannot be read with these settings.
    """
    images = getattr(source, "of", source)  # the set below stacks
    if not isinstance(images, Images) or not images.skip_corrupt or images.streaming:
        return 0
    whole = replace(images, holdout=0.0, validation=0.0, only=None)
    return len(whole.rows()["train"]) - (whole.count("train") or 0)
