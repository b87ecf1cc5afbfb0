"""Sources by name: the table of the command line and of files, and what a user's word means."""

import os
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

from agon.data.images import Images
from agon.data.number_files import holds_numbers
from agon.data.numeric import Numeric
from agon.data.source import Source
from agon.data.stacked import Stacked
from agon.data.toy import Dirac, Gaussian, Grid, Ring, SwissRoll
from agon.errors import SettingError, unknown
from agon.places import DIGITS, HUB, refuse_unknown

SOURCES: dict[str, type[Source]] = {
    "gaussian": Gaussian,
    "ring": Ring,
    "grid": Grid,
    "swiss-roll": SwissRoll,
    "dirac": Dirac,
    "images": Images,
    "numeric": Numeric,
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
    kind = SOURCES.get(text)
    if kind is None:
        refuse_unknown(text, [*SOURCES, DIGITS])
        kind = _kind_at(text, fields.get("layout"))
        fields = {"path": text, **fields}
    return with_fields(kind, fields)


def with_fields(kind: type[Source], fields: dict[str, Any]) -> Source:
    """Make a source with these fields.

    Raises:
        SettingError: the source has no such field, or a field does not accept the value.
    """
    known = {field.name: field.compare for field in fields_of(kind)}
    for name in fields:
        if name not in known:
            settings = [name for name, is_setting in known.items() if is_setting]
            raise SettingError(unknown(f"field of {kind.__name__}", name, settings))
    return kind(**fields)


def _kind_at(text: str, layout: Any) -> type[Source]:
    """The kind of source at a path, by the file's ending and what it holds."""
    if text == DIGITS or text.startswith(HUB):
        return Images
    return Numeric if holds_numbers(Path(os.path.expanduser(text)), layout) else Images
