"""Resize images: every new pixel is the mean over exactly the area it covers."""

import numpy as np
from jaxtyping import Float, UInt8

BAND = 2**22  # numbers of an image to average at a time


def fit(image: UInt8[np.ndarray, "h w c"], size: tuple[int, int]) -> UInt8[np.ndarray, "h2 w2 c"]:
    """Crop the largest centred part of the wanted proportions, and resize it in one pass.

    Shrinking averages over areas, with fractions of pixels at the edges (Pillow's BOX filter and torch's
    "area" mode count a pixel as in or out, so 3 pixels to 2 come out wrong). Enlarging is linear between
    pixel centres. Values are averaged as stored, gamma and all, as every dataset in use was made.

    Args:
        image: bytes, channels last.
        size: (height, width) wanted, in pixels.

    Returns:
        Bytes of the wanted size, rounded to the nearest.

    >>> row = np.array([0, 90, 180], dtype=np.uint8).reshape(1, 3, 1)
    >>> fit(np.repeat(row, 3, axis=0), (2, 2))[0, :, 0].tolist()
    [30, 150]
    """
    height, width = image.shape[:2]
    scale = min(height / size[0], width / size[1])
    if scale == 1:  # a plain crop at whole pixels: an odd margin must not blur the image by half a pixel
        top, left = (height - size[0]) // 2, (width - size[1]) // 2
        return image[top : top + size[0], left : left + size[1]]
    down = _weights(height, size[0], scale)
    across = _weights(width, size[1], scale)
    shrunk = _shrunk(down, image, scale)  # h2 w c
    result: np.ndarray = np.rint(across @ shrunk)  # h2 w2 c
    return result.clip(0, 255).astype(np.uint8)


def _shrunk(
    down: Float[np.ndarray, "h2 h"], image: UInt8[np.ndarray, "h w c"], scale: float
) -> Float[np.ndarray, "h2 w c"]:
    """Rows averaged in bands of at most BAND numbers, so that a large image is never in memory as floats."""
    band = max(1, int(BAND / (image[0].size * max(scale, 1))))
    if len(down) <= band:
        return np.tensordot(down, image.astype(np.float32), axes=1)
    resized = np.empty((len(down), *image.shape[1:]), np.float32)
    for first in range(0, len(down), band):
        weights = down[first : first + band]
        used = np.flatnonzero(weights.any(axis=0))
        rows = slice(used[0], used[-1] + 1)
        resized[first : first + band] = np.tensordot(weights[:, rows], image[rows].astype(np.float32), axes=1)
    return resized


def _weights(length: int, out: int, scale: float) -> Float[np.ndarray, "out length"]:
    """Row i is the share of each old pixel in new pixel i; rows sum to 1."""
    edges = (length - out * scale) / 2 + scale * np.arange(out + 1)
    pixels = np.arange(length)
    if scale > 1:
        upper = np.minimum(edges[1:, None], pixels + 1)
        lower = np.maximum(edges[:-1, None], pixels)
        weights = np.clip(upper - lower, 0, None)
    else:
        centres = (edges[1:] + edges[:-1]) / 2 - 0.5
        centres = centres.clip(0, length - 1)[:, None]  # beyond the outer pixels' centres, repeat their values
        weights = np.clip(1 - np.abs(centres - pixels), 0, None)
    shares: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return shares.astype(np.float32)
