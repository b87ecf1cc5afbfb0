"""Pictures one after another: PNG frames -> a GIF that begins again at its end."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from agon.errors import DataError, SettingError

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = 256  # of a frame: all that the format has
TICK, LEAST = 10, 20  # ms: the format's unit of time, and what viewers still keep to
MOST = 655_350  # ms that the format can count to


def gif(frames: Sequence[bytes], *, milliseconds: int = 120) -> bytes:
    """A GIF that shows PNG frames in their order, without end.

    Each frame has at most 256 colours of its own, and exactly those that it had where they are no more. One that is
    like the frame before it is not written again: that one stays for longer.

    Args:
        frames: PNG files of one size, at least 1.
        milliseconds: of each, from 20 to 655,350; rounded to the format's hundredths of a second.

    Raises:
        SettingError: a time out of these bounds.
        DataError: no frames, one that is no PNG, or frames of different sizes.
    """
    if not LEAST <= milliseconds <= MOST:
        raise SettingError(f"an animation: expected {LEAST} to {MOST:,} milliseconds a frame, got {milliseconds}")
    first, *others = _opened(frames)
    time = round(milliseconds / TICK) * TICK
    file = BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=time, loop=0, disposal=1)
    return file.getvalue()


def _opened(frames: Sequence[bytes]) -> "list[Image]":
    """Every frame in a palette of its own."""
    from PIL import Image, UnidentifiedImageError

    images = []
    for number, content in enumerate(frames):
        try:
            images.append(Image.open(BytesIO(content), formats=["PNG"]).convert("RGB"))
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise DataError(f"an animation: frame {number} cannot be read as a PNG ({error})") from error
    sizes = sorted({image.size for image in images})
    if len(sizes) != 1:
        told = ", ".join(f"{width}x{height}" for width, height in sizes) or "no frame"
        raise DataError(f"an animation: expected frames of one size, got {told}")
    return [image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE) for image in images]
