"""Where real data x come from: known distributions of points, and images.

A *source* is a frozen description; `Stream` draws endless, seeded, resumable batches from it.

>>> Stream(Ring(), batch=64, seed=0).draw().real.shape
torch.Size([64, 2])
"""

from dataclasses import fields as fields_of
from typing import Any

from agon.data.images import Images
from agon.data.settling import Settled, settle
from agon.data.source import MEMORY, Opened, RealBatch, Source, Split
from agon.data.stacked import Stacked
from agon.data.stream import Stream
from agon.data.toy import Dirac, Gaussian, Grid, Ring, SwissRoll
from agon.errors import SettingError, unknown
from agon.places import DIGITS, refuse_unknown

SOURCES: dict[str, type[Source]] = {
    "gaussian": Gaussian,
    "ring": Ring,
    "grid": Grid,
    "swiss-roll": SwissRoll,
    "dirac": Dirac,
    "images": Images,
    "stacked": Stacked,
}


def named(text: str, **fields: Any) -> Source:
    """Make the source that a command-line argument names.

    Args:
        text: a name in SOURCES, "digits", a path, or "hub:owner/name" (or "owner/name" if it resembles no local path).
        **fields: fields of the source.

    Raises:
        SettingError: the source has no such field, or a field does not accept the value.
        DataError: the text is not a known name, and there is nothing at that path.

    >>> named("ring", number=4)
    Ring(points=None, std=0.02, number=4, radius=2.0)
    >>> named("digits", only=2).path
    'digits'
    """
    kind = SOURCES.get(text, Images)
    if kind is Images and text != "images":
        refuse_unknown(text, [*SOURCES, DIGITS])
        fields = {"path": text, **fields}
    known = [field.name for field in fields_of(kind)]
    for name in fields:
        if name not in known:
            raise SettingError(unknown(f"field of {kind.__name__}", name, known))
    return kind(**fields)


__all__ = [
    "MEMORY",
    "SOURCES",
    "Dirac",
    "Gaussian",
    "Grid",
    "Images",
    "Opened",
    "RealBatch",
    "Ring",
    "Settled",
    "Source",
    "Split",
    "Stacked",
    "Stream",
    "SwissRoll",
    "named",
    "settle",
]
