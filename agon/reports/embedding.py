"""Pictures whose bytes are part of the page, so that nothing is fetched."""

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import PIL.Image

NARROW = 328  # CSS pixels of a picture on a narrow screen
QUALITY = 80  # of a lossy picture


class Picture(NamedTuple):
    """A picture as the page shows it: its pixels enlarged by a whole factor, another one on a narrow screen.

    Attributes:
        caption: text above it.
        source: the `data:` URL with its bytes.
        width: width in CSS pixels.
        height: height in CSS pixels.
        alt: description for readers who cannot see it.
        colour: colour of its run; None for real data.
        note: text below it, about what the picture does not show.
        narrow: width in CSS pixels on a narrow screen; None for `width`.
        crisp: whether its pixels are shown as squares.
    """

    caption: str
    source: str
    width: int
    height: int
    alt: str
    colour: str | None = None
    note: str = ""
    narrow: int | None = None
    crisp: bool = True


class Embedded(NamedTuple):
    """A picture's `data:` URL, and whether it was compressed with a loss."""

    source: str
    lossy: bool


def embed(png: bytes, most: int | None = None) -> Embedded:
    """Return a `data:` URL with a PNG, or if it has more than `most` bytes, with a lossy WebP, halved until it fits."""
    if most is None or len(png) <= most:
        return Embedded(_url("image/png", png), False)
    from PIL import Image

    picture = Image.open(BytesIO(png)).convert("RGB")
    while len(content := _webp(picture)) > most and min(picture.size) > 1:
        picture = picture.reduce(2)
    return Embedded(_url("image/webp", content), True)


def _webp(picture: "PIL.Image.Image") -> bytes:
    file = BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=1)
    return file.getvalue()


def embed_svg(svg: str) -> str:
    """Return a `data:` URL with an SVG."""
    return _url("image/svg+xml", svg.encode())


def narrow_width(width: int, pixels: int, room: int = NARROW) -> int:
    """Return the width on a narrow screen: the largest whole multiple of the pixels that fits, or else the width.

    >>> narrow_width(630, 90), narrow_width(270, 90), narrow_width(512, 512)
    (270, 270, 512)
    """
    return min(width, max(1, room // pixels) * pixels)


def _url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
