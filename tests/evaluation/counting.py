"""An extractor of one's own, that counts."""

import torch
from torch import Tensor

from agon.metrics.extractors import Features


class Counting:
    """Eight moments of the pixels, by an extractor that counts the images it was given."""

    name, hash, resizer, precision = "eight moments", "0" * 64, "none", "float32"
    seen = 0

    def __call__(self, images: Tensor) -> Features:
        Counting.seen += len(images)
        x = images.flatten(1).float() / 255
        features = torch.stack([x.mean(1), x.std(1), *(x[:, i::6].mean(1) for i in range(6))], 1)
        return Features(features, torch.softmax(8 * features, 1))
