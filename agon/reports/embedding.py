"""A picture inside the page: its bytes are in the page's own text, so nothing is fetched."""

from base64 import b64encode
from typing import NamedTuple


class Picture(NamedTuple):
    """What the page needs to show a PNG.

    Attributes:
        caption: above it.
        source: the `data:` address that holds its bytes.
        width: in CSS pixels.
        height: in CSS pixels.
        alt: what it shows, for who cannot see it.
        colour: of its run, None for real data.
        note: below it, what the picture cannot show.
    """

    caption: str
    source: str
    width: int
    height: int
    alt: str
    colour: str | None = None
    note: str = ""


def embed(png: bytes) -> str:
    """The bytes of a PNG as an address that holds them."""
    return "data:image/png;base64," + b64encode(png).decode("ascii")
