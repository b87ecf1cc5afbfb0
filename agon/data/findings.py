"""What an inspection of a set of images found, in lines of text."""

from collections.abc import Iterator

import numpy as np

from agon.data.amounts import few
from agon.data.cache import default_folder
from agon.data.decoding import SKIPPED, named
from agon.data.images import Images
from agon.data.inspection import Inspection
from agon.data.settling import sizes
from agon.data.source import MEMORY
from agon.figures.numbers import counted
from agon.terminal.progress import duration
from agon.untrusted import listed, printable, shortened

GROUPS, MEMBERS = 3, 3  # copies named in a line
BY_CLASS = "agon train miyato2018b/projection trains a generator by class; agon train own uses no classes"
CLASSES = 12  # most classes whose numbers are all listed


def findings(source: Images, found: Inspection) -> Iterator[tuple[str, str]]:
    """Name and text of each line, in the order in which they are shown."""
    if found.headers:
        yield "sizes", _sizes(source, found)
        if found.headers[0].kind != "array":
            unread = [f"{len(found.broken):,} cannot be read"] if found.broken else []
            yield "formats", ", ".join([*(f"{kind} {n:,}" for kind, n in found.formats), *unread])
    if balance := _balance(source):
        yield "balance", balance
    if len(source.classes) > 1:
        yield "by class", BY_CLASS
    if warning := few(source.count(), "image"):
        yield "few", warning
    if found.broken:
        advice = "" if source.skip_corrupt else f"; {SKIPPED.typed} leaves them out"
        number = f"{counted(len(found.broken), 'image')} of {found.seen:,}"
        yield "broken", f"{number} cannot be read: {named(found.broken)}{advice}"
    yield "copies", _copies(found.exact, "the same bytes") or "none with the same bytes"
    yield "similar", _copies(found.near, "almost the same picture") or "none"
    yield "seen", _seen(found)
    yield from _costs(source, found)


def _seen(found: Inspection) -> str:
    if found.seen == found.total:
        return f"all {counted(found.total, 'image')}"
    return f"{found.seen:,} of {counted(found.total, 'image')}; --check: all"


def _sizes(source: Images, found: Inspection) -> str:
    side = source.shape[1:]
    smaller = np.mean([seen.height < side[0] or seen.width < side[1] for seen in found.headers])
    enlarged = f"; {smaller:.1%} are smaller than {side[0]}x{side[1]}, and are enlarged" if smaller else ""
    return f"{sizes(found.headers)} (height x width){enlarged}"


def _balance(source: Images) -> str:
    """The number of images of each class of the training split, or the extremes."""
    rows = source.rows()["train"]
    if rows.labels is None or not rows.classes:
        return ""
    numbers = np.bincount(rows.labels[rows.labels >= 0], minlength=len(rows.classes))
    order = np.argsort(-numbers, kind="stable")
    names = [f"{shortened(rows.classes[index], 40)} {numbers[index]:,}" for index in order]
    missing = int((rows.labels < 0).sum())
    unlabelled = f"; {missing:,} have no class" if missing else ""
    if len(names) <= CLASSES:
        return f"{', '.join(names)}{unlabelled}"
    return f"from {names[0]} to {names[-1]} images{unlabelled}"


def _copies(groups: list[list[str]], what: str) -> str:
    if not groups:
        return ""
    spare = sum(map(len, groups)) - len(groups)
    shown = "; ".join(" = ".join(printable(place) for place in group[:MEMBERS]) for group in groups[:GROUPS])
    more = f"; and {len(groups) - GROUPS:,} groups more" if len(groups) > GROUPS else ""
    have = "image has" if spare == 1 else "images have"
    return f"{spare:,} {have} {what} as others, in {counted(len(groups), 'group')}: {shown}{more}"


def _costs(source: Images, found: Inspection) -> Iterator[tuple[str, str]]:
    size = found.total * int(np.prod(source.shape))
    kept = "in memory" if size <= MEMORY else f"on the disk, as they exceed {MEMORY / 2**30:.0f} GiB"
    yield "memory", f"{_bytes(size)} of decoded images, kept {kept}"
    yield (
        "time",
        f"decoding takes about {duration(found.seconds * found.total)} on one core, once; "
        f"then they are read from {listed([default_folder()])}",
    )


def _bytes(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
