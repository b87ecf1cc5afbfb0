"""A small classifier of a labelled set of images, as a judge of generated ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from agon.errors import DataError


@dataclass(frozen=True)
class Judge:
    """A fitted classifier of flattened images, with what is known of it.

    Attributes:
        model: scikit-learn's.
        classes: how many the set has, those that were never seen included.
        accuracy: on the held-out images.
        confidence: its mean confidence on them: what perfect samples would get.
        protocol: in words.
    """

    model: Any
    classes: int
    accuracy: float
    confidence: float
    protocol: str

    def probabilities(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """p(class | image) for images in the range that the judge was fitted in."""
        return _by_class(self.model, images, self.classes)


def fit_judge(
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    held: Float[Tensor, "m c h w"],
    held_labels: Int[Tensor, " m"],
    classes: int,
) -> Judge:
    """Fit one hidden layer of 128 units (scikit-learn's MLPClassifier), tested on held-out images.

    Raises:
        DataError: the labels name fewer than two classes, so there is nothing to tell apart.
    """
    from sklearn.neural_network import MLPClassifier

    if len(torch.unique(labels)) < 2:
        raise DataError("a classifier: expected images of at least two classes, got one; evaluate a run on all classes")
    model = MLPClassifier((128,), alpha=1e-3, early_stopping=False, max_iter=400, random_state=0)
    model.fit(_flat(images), labels.numpy())
    probabilities = _by_class(model, held, classes)
    accuracy = float((probabilities.argmax(1) == held_labels).double().mean())
    confidence = float(probabilities.amax(1).mean())
    protocol = (
        f"perceptron of 128 units fitted on {len(images)} real images, accuracy {accuracy:.3f} and "
        f"confidence {confidence:.3f} on {len(held)} held out"
    )
    return Judge(model, classes, accuracy, confidence, protocol)


def _by_class(model: Any, images: Tensor, classes: int) -> Tensor:
    """The model's columns in their classes' places; a class that it has never seen has probability 0."""
    probabilities = torch.zeros(len(images), classes, dtype=torch.float64)
    probabilities[:, torch.as_tensor(model.classes_)] = torch.from_numpy(model.predict_proba(_flat(images))).double()
    return probabilities


def _flat(images: Tensor) -> Float32[np.ndarray, "n d"]:
    return np.asarray(images.flatten(1), dtype=np.float32)
