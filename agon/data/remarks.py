"""Remarks on a set of images: labels it lacks, what was left out, and words that are almost black."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice

from agon.data.decoding import SKIPPED, named
from agon.data.glance import words_of
from agon.data.rows import ImageRows, Raw
from agon.data.source import Split
from agon.errors import Change
from agon.figures.numbers import counted
from agon.untrusted import printable

SEEN = 64  # images whose 16-bit words are looked at, of parts that are spread evenly


def remarks_on(splits: Mapping[Split, ImageRows], *, only: int | str | None, skip_corrupt: bool) -> dict[str, str]:
    """Why a split has no labels or only one class, and what was left out."""
    notes: dict[str, str] = {split: rows.reason for split, rows in splits.items() if rows.reason and rows.classes}
    if not splits["train"].classes:
        notes["classes"] = splits["train"].reason
    if only is not None:
        notes |= {split: f"of class {only!r} alone" for split in splits if split not in notes}
    if closed := [file for rows in splits.values() for file in rows.closed()]:
        advice = "" if skip_corrupt else f"; {SKIPPED.typed} leaves them out"
        notes["unreadable"] = f"{len(closed):,} of the files: {named(closed)}{advice}"
    left_out = "; ".join(dict.fromkeys(note for rows in splits.values() for note in rows.left_out))
    return {**{key: printable(text) for key, text in notes.items()}, **({"left out": left_out} if left_out else {})}


def dark_words(rows: ImageRows) -> str:
    """That the 16-bit words of a set stay below half of their range, with the setting that mends it; else ""."""
    seen = []
    for raw in _spread(rows):
        with suppress(Exception):  # what cannot be read is reported where it is decoded
            seen.append(words_of(raw.content))
    known = [words for words in seen if words is not None]
    if not known or len(known) < len(seen):
        return ""
    most, limit = max(words.most for words in known), max(words.limit for words in known)
    if not 0 < most <= limit // 2:
        return ""
    values = Change("data.values", (0, (1 << most.bit_length()) - 1))  # as many bits as the greatest word has
    return (
        f"16-bit words up to {most:,} of {limit:,} in {counted(len(known), 'image')} looked at, which fill little of "
        f"the range; {values.typed} says what black and white are"
    )


def _spread(rows: ImageRows) -> Iterator[Raw]:
    parts = range(0, rows.parts, max(1, rows.parts // SEEN))
    for number in islice(parts, SEEN):
        yield from islice(rows.part(number), -(-SEEN // len(parts)))
