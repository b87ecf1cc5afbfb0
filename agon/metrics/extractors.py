"""Extractors turn images into features before metrics compare them: their contract, and raw pixels as the simplest."""

import hashlib
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.errors import DataError
from agon.terminal.waiting import tracked

ImageBytes = UInt8[Tensor, "n c h w"]


class Features(NamedTuple):
    """What an extractor computes from n images.

    Attributes:
        features: "n d", float32 or float64; metrics measure distances between them.
        probabilities: "n k", p(class | image), each row sums to 1; None if the extractor knows no classes.
    """

    features: Float[Tensor, "n d"]
    probabilities: Float[Tensor, "n k"] | None = None


@runtime_checkable
class Extractor(Protocol):
    """A function from images to features that states where the features come from.

    It takes bytes, 0 black and 255 white, as an image file holds them, so that a run's samples and the same samples in
    a folder get the same score. An image's features must not depend on the rest of the batch.

    Attributes:
        name: what it is, in words.
        hash: hex SHA-256 of its weights, or of its definition if it has no weights.
        resizer: how it resizes images, in words; "none" if it takes them as they are.
        precision: of its arithmetic, "float32" or "float64".
    """

    name: str
    hash: str
    resizer: str
    precision: str

    def __call__(self, images: ImageBytes) -> Features: ...


class Pixels:
    """Raw pixels in [0, 1] as features "n chw", and no classes.

    Cheap and blind to meaning, but exact: it needs no weights.
    """

    name = "raw pixels"
    hash = hashlib.sha256(b"pixels: bytes / 255 in float32, channel by channel, row by row").hexdigest()
    resizer = "none"
    precision = "float32"

    def __call__(self, images: ImageBytes) -> Features:
        return Features(images.flatten(1).float() / 255)


def extract(extractor: Extractor, images: ImageBytes, chunk: int = 50) -> Features:
    """Compute the features of all images, `chunk` images at a time, and gather them on the CPU.

    The last, shorter chunk is included. Memory beside the result: what the extractor needs for `chunk` images.

    Raises:
        DataError: there are no images, or features are not finite.
    """
    if not len(images):
        raise DataError("features: expected at least 1 image, got none")
    with torch.no_grad():
        chunks = tracked(torch.split(images, chunk), f"features by {extractor.name}", len(images), len)
        parts = [extractor(part) for part in chunks]
    features = torch.cat([part.features.cpu() for part in parts])
    non_finite = int((~features.isfinite().all(1)).sum())
    if non_finite:
        raise DataError(f"features by {extractor.name}: expected finite numbers, got {non_finite} images without them")
    known = [part.probabilities for part in parts if part.probabilities is not None]
    return Features(features, torch.cat([probabilities.cpu() for probabilities in known]) if known else None)
