"""Animations: PNG frames to a GIF that loops."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from agon.errors import DataError, SettingError

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = 256  # of a frame: the format's limit
TICK, LEAST = 10, 20  # ms: the format's unit of time, and the shortest time that viewers respect
MOST = 655_350  # ms: the format's limit


def gif(frames: Sequence[bytes], *, milliseconds: int = 120) -> bytes:
    """Write a looping GIF of PNG frames.

    Each frame has its own palette of at most 256 colours, which is exact for a frame of no more colours. A frame
    equal to the one before it is not written again; the first one is shown for longer.

    Args:
        frames: PNG files of one size, at least 1.
        milliseconds: time of each frame, from 20 to 655,350; rounded to hundredths of a second.

    Raises:
        SettingError: the time is out of these bounds.
        DataError: there are no frames, a frame is not a PNG, or the sizes differ.
    """
    if not LEAST <= milliseconds <= MOST:
        raise SettingError(f"an animation: expected {LEAST} to {MOST:,} milliseconds a frame, got {milliseconds}")
    first, *others = _opened(frames)
    time = round(milliseconds / TICK) * TICK
    file = BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=time, loop=0, disposal=1)
    return file.getvalue()


def _opened(frames: Sequence[bytes]) -> "list[Image]":
    """The frames, each quantised to its own palette."""
    from PIL import Image, UnidentifiedImageError

    images = []
    for number, content in enumerate(frames):
        try:
            images.append(Image.open(BytesIO(content), formats=["PNG"]).convert("RGB"))
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise DataError(f"an animation: frame {number} cannot be read as a PNG ({error})") from error
    sizes = sorted({image.size for image in images})
    if len(sizes) != 1:
        listed = ", ".join(f"{width}x{height}" for width, height in sizes) or "no frame"
        raise DataError(f"an animation: expected frames of one size, got {listed}")
    return [image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE) for image in images]
