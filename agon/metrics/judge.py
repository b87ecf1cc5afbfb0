"""A small classifier of a labelled set of images, as a judge of generated ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor


@dataclass(frozen=True)
class Judge:
    """A fitted classifier of flattened images, with what is known of it.

    Attributes:
        accuracy: on the held-out images.
        confidence: its mean confidence on them: what perfect samples would get.
        protocol: in words.
    """

    model: Any
    accuracy: float
    confidence: float
    protocol: str

    def probabilities(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """p(class | image) for images in the range that the judge was fitted in."""
        return torch.from_numpy(self.model.predict_proba(_flat(images)))


def fit_judge(
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    held: Float[Tensor, "m c h w"],
    held_labels: Int[Tensor, " m"],
) -> Judge:
    """Fit one hidden layer of 128 units (scikit-learn's MLPClassifier), tested on held-out images."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((128,), alpha=1e-3, early_stopping=False, max_iter=400, random_state=0)
    model.fit(_flat(images), labels.numpy())
    probabilities = model.predict_proba(_flat(held))
    accuracy = float((probabilities.argmax(1) == held_labels.numpy()).mean())
    confidence = float(probabilities.max(1).mean())
    protocol = (
        f"perceptron of 128 units fitted on {len(images)} real images, accuracy {accuracy:.3f} and "
        f"confidence {confidence:.3f} on {len(held)} held out"
    )
    return Judge(model, accuracy, confidence, protocol)


def _flat(images: Tensor) -> Float32[np.ndarray, "n d"]:
    return np.asarray(images.flatten(1), dtype=np.float32)
