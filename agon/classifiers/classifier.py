"""Trained classifiers as extractors: features and class probabilities of any images."""

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data.finite import scaled
from agon.data.source import Source
from agon.errors import DataError
from agon.games import Classification
from agon.metrics import Score
from agon.metrics.extractors import Features, ImageBytes
from agon.networks.classifier import Classifier, ResidualClassifier

CHUNK = 500  # images that pass at a time


class SetClassifier:
    """The trained classifier of one set of images, as an extractor (`agon.metrics.extractors.Extractor`).

    Features are the inputs of the network's last layer in evaluation mode; probabilities are p(k | x). Images are
    bytes, 0 black and 255 white, of the training images' size and channels.

    Args:
        game: the game with the trained network; it is put into evaluation mode.
        source: the images that it was trained on, for their shape, range and classes.
        accuracy: the accuracy on the set's whole test split.
        key: the key in the cache; equal keys mean the same classifier.

    Attributes:
        game, accuracy, key: as given.
        names: the names of the classes, in the order of their indices.
        shape, range: the shape of a training image, and its values of black and white.
        name, hash, resizer, precision: as every extractor has them; the hash is SHA-256 of the weights.
    """

    resizer = "none"
    precision = "float32"

    def __init__(self, game: Classification, source: Source, accuracy: Score, key: str) -> None:
        self.game, self.accuracy, self.key = game.eval(), accuracy, key
        self.names: Sequence[str] = tuple(source.classes)
        self.shape, self.range = source.shape, source.range or (-1.0, 1.0)
        size = "x".join(map(str, self.shape))
        self.name = f"classifier of {len(self.names)} classes of images {size}, accuracy {accuracy.value:.4f}"
        self.hash = digest(game)

    @torch.no_grad()
    def __call__(self, images: ImageBytes) -> Features:
        """Compute features "n d" and probabilities "n k" on the images' own device.

        Raises:
            DataError: images have another size or other channels.
        """
        if tuple(images.shape[1:]) != self.shape:
            raise DataError(
                f"a classifier: expected images of {self.shape} (channels, height, width), which it was trained on, "
                f"got {tuple(images.shape[1:])}; give those of one data set, or another extractor"
            )
        network = self.game.classifier
        assert isinstance(network, Classifier | ResidualClassifier)  # our choice
        weight = next(network.parameters())
        parts = [network.features(scaled(part, self.range).to(weight)) for part in torch.split(images, CHUNK)]
        features = torch.cat(parts)
        return Features(features.to(images.device), network.classes(features).softmax(1).to(images.device))

    @torch.no_grad()
    def probabilities(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """p(class | image) for images in the source's range, on the images' own device; each row sums to 1."""
        weight = next(self.game.parameters())
        parts = [self.game.logits(chunk.to(weight)).softmax(1) for chunk in torch.split(images, CHUNK)]
        return torch.cat(parts).to(images.device)


class StackedClassifier:
    """A grey set's classifier applied to each channel of stacked images: p(abc | x) = p(a | x₁) p(b | x₂) p(c | x₃).

    Memory: k³ probabilities per image, 1,000 for digits. Its accuracy is the grey classifier's to the third power,
    because the three channels are independent.

    Args:
        grey: the classifier of one channel.
        names: the names of all triples of classes, in order.

    Attributes:
        grey: as given.
        names, accuracy, key, name, hash, resizer, precision: as `SetClassifier` has them.
    """

    resizer = "none"
    precision = "float32"

    def __init__(self, grey: SetClassifier, names: Sequence[str]) -> None:
        self.grey, self.names = grey, tuple(names)
        grey_accuracy = grey.accuracy
        self.accuracy = Score(
            name=grey_accuracy.name,
            value=grey_accuracy.value**3,
            error=None if grey_accuracy.error is None else 3 * grey_accuracy.value**2 * grey_accuracy.error,
            interval=None
            if grey_accuracy.interval is None
            else (grey_accuracy.interval[0] ** 3, grey_accuracy.interval[1] ** 3),
            n=grey_accuracy.n,
            protocol=f"third power of the {grey_accuracy.protocol}",
        )
        self.key = f"{grey.key}-stacked"
        self.name = f"{grey.name}, on each of 3 channels"
        self.hash = hashlib.sha256(f"stacked {grey.hash}".encode()).hexdigest()

    def __call__(self, images: ImageBytes) -> Features:
        """Features "n 3d", channel after channel, and probabilities "n k³".

        Raises:
            DataError: images have another size, or not 3 channels.
        """
        n, channels, *size = images.shape
        if channels != 3:
            raise DataError(f"a classifier of stacks: expected images of 3 channels, got {channels}")
        features, probabilities = self.grey(images.reshape(3 * n, 1, *size))
        assert probabilities is not None  # a set's classifier knows classes
        a, b, c = probabilities.reshape(n, 3, -1).unbind(1)  # n k
        return Features(features.reshape(n, -1), torch.einsum("na,nb,nc->nabc", a, b, c).flatten(1))


def digest(game: Classification) -> str:
    """Hex SHA-256 of all weights and statistics, with their names and shapes, in float32."""
    total = hashlib.sha256()
    for name, tensor in sorted(game.state_dict().items()):
        total.update(f"{name} {tuple(tensor.shape)} ".encode())
        total.update(tensor.detach().float().cpu().contiguous().numpy().data)
    return total.hexdigest()
