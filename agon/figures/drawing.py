"""Drawings as PNGs of a few colours on white, in a third of the bytes."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import matplotlib.figure

COLOURS = 64


def drawing_png(figure: "matplotlib.figure.Figure") -> bytes:
    """A figure in 64 colours at most, the same bytes on every day: for drawings, not for images."""
    from PIL import Image

    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()
