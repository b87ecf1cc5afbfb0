"""Pictures whose bytes are part of the page, so that nothing is fetched."""

from base64 import b64encode
from typing import NamedTuple


class Picture(NamedTuple):
    """A PNG as the page shows it.

    Attributes:
        caption: text above it.
        source: the `data:` URL with its bytes.
        width: width in CSS pixels.
        height: height in CSS pixels.
        alt: description for readers who cannot see it.
        colour: colour of its run; None for real data.
        note: text below it, about what the picture does not show.
    """

    caption: str
    source: str
    width: int
    height: int
    alt: str
    colour: str | None = None
    note: str = ""


def embed(png: bytes) -> str:
    """Return a `data:` URL with the bytes of a PNG."""
    return "data:image/png;base64," + b64encode(png).decode("ascii")
