"""Which numbers are black and white in a set's files, where the setting `values` can state others."""

from contextlib import suppress

from agon.data.arrays import Arrays
from agon.data.glance import words_of
from agon.data.images import Images
from agon.data.source import Source
from agon.places import CONTENT, DIGITS


def stored_range(source: Source) -> tuple[float, float] | None:
    """Black and white of the numbers in a source's files; black is the greater one where 0 is white.

    None where `values` cannot change how they are read: files of bytes, the bundled digits, images that were handed
    over in Python and are bytes by now, and all other sources.

    Raises:
        DataError: there are no images at the source's path.

    >>> stored_range(Images(path="digits")) is None
    True
    """
    if not isinstance(source, Images) or source.path == DIGITS or source.path.startswith(CONTENT):
        return None
    rows = source.rows()["train"]
    if isinstance(rows, Arrays):
        return rows.numbers
    words = None
    with suppress(Exception):  # what cannot be read is reported where it is decoded
        words = words_of(next(iter(rows)).content)
    stated = source.values or ((0.0, float(words.limit)) if words else None)
    return (stated[1], stated[0]) if stated and words and words.inverted else stated
