"""Videos: PNG frames to an MP4."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from agon.errors import DataError, require

RATE = 8  # frames a second


def mp4(frames: Sequence[bytes], *, rate: int = RATE) -> bytes:
    """Write an MP4 (H.264) of PNG frames; odd sides get one more row or column, since the format has even ones.

    Args:
        frames: PNG files of one size, at least 1.
        rate: frames a second, from 1.

    Raises:
        NotInstalledError: PyAV is not installed.
        DataError: there are no frames, or the sizes differ.
    """
    require("av")
    import av

    pixels = [_even(frame) for frame in frames]
    if len({frame.shape for frame in pixels}) != 1:
        raise DataError(f"a video: expected frames of one size, got {len(pixels)} of different sizes")
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264" if "libx264" in av.codecs_available else "mpeg4", rate=rate)
        stream.height, stream.width = pixels[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in pixels:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def _even(frame: bytes) -> np.ndarray:
    from PIL import Image

    pixels = np.asarray(Image.open(BytesIO(frame), formats=["PNG"]).convert("RGB"))
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
