"""Random convolutions as an extractor: weights are drawn once from a fixed seed, so nothing needs to be installed."""

import hashlib
import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from agon.errors import DataError
from agon.metrics.extractors import Features, ImageBytes

CHANNELS = (3, 32, 64, 128)
SEED = 2018
LARGEST = 64  # pixels; larger sides are averaged down


class RandomConvolutions:
    """Means and standard deviations of three layers of random 3x3 convolutions: 448 features.

        x_0 = (b - 127.5) / 127.5,  x_i = relu(W_i * x_{i-1}),  features = means and deviations of all channels,

    with W_i normal of variance 2 / (9 c_{i-1}) and strides 1, 2, 2. A grey image becomes three equal channels. The
    features tell colours, contrast and textures, but no objects. Their weights come from a seed: they need no file.

    Attributes:
        name: what it is, in words.
        hash: hex SHA-256 of the weights.
        resizer: how images are resized, in words.
        precision: "float32".
    """

    name = f"random convolutions (seed {SEED})"
    resizer = f"torch's mean over areas to at most {LARGEST} pixels a side"
    precision = "float32"

    def __init__(self) -> None:
        rng = torch.Generator().manual_seed(SEED)
        self._weights = [
            torch.randn(outer, inner, 3, 3, generator=rng) * math.sqrt(2 / (9 * inner))
            for inner, outer in pairwise(CHANNELS)
        ]
        self.hash = hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in self._weights)).hexdigest()

    @torch.no_grad()
    def __call__(self, images: ImageBytes) -> Features:
        """Features "n 448", and no classes.

        Raises:
            DataError: images have neither 1 nor 3 channels.
        """
        if images.shape[1] not in (1, 3):
            raise DataError(f"random convolutions: expected images of 1 or 3 channels, got {images.shape[1]}")
        x, features = _scaled(images), []
        for index, weight in enumerate(self._weights):
            x = F.relu(F.conv2d(x, weight.to(x.device), stride=2 if index else 1, padding=1))
            features += [x.mean((2, 3)), x.std((2, 3), correction=0)]
        return Features(torch.cat(features, 1))


def _scaled(images: ImageBytes) -> Float[Tensor, "n 3 h w"]:
    x = (images.float() - 127.5) / 127.5
    height, width = (min(side, LARGEST) for side in images.shape[2:])
    return F.adaptive_avg_pool2d(x, (height, width)).expand(-1, 3, -1, -1)
