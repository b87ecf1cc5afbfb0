"""What images are turned into before they are compared: the contract of every extractor, and raw pixels."""

import hashlib
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.errors import DataError

ImageBytes = UInt8[Tensor, "n c h w"]


class Features(NamedTuple):
    """What an extractor sees in images.

    Attributes:
        features: "n d", float32 or float64: what distances are taken between.
        probabilities: "n k", p(class | image), rows sum to 1; None where it knows no classes.
    """

    features: Float[Tensor, "n d"]
    probabilities: Float[Tensor, "n k"] | None = None


@runtime_checkable
class Extractor(Protocol):
    """A function of images with its passport.

    It is given bytes, 0 black and 255 white: what a file would hold, so that samples of a run and the same samples
    from a folder get the same score. An image's features do not depend on what else is in the batch.

    Attributes:
        name: in words: what it is.
        hash: hex SHA-256 of its weights, or of its definition where it has none.
        resizer: how images get the size that it wants, in words; "none" where it takes them as they are.
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
    """Features of all images, chunk by chunk, the last and shorter one included; gathered on the CPU.

    Memory beside the result: the extractor's own for `chunk` images.

    Raises:
        DataError: no images, or features that are not finite.
    """
    if not len(images):
        raise DataError("features: expected at least 1 image, got none")
    with torch.no_grad():
        parts = [extractor(part) for part in torch.split(images, chunk)]
    features = torch.cat([part.features.cpu() for part in parts])
    lost = int((~features.isfinite().all(1)).sum())
    if lost:
        raise DataError(f"features by {extractor.name}: expected finite numbers, got {lost} images without them")
    known = [part.probabilities for part in parts if part.probabilities is not None]
    return Features(features, torch.cat([each.cpu() for each in known]) if known else None)
