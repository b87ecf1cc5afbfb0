"""Small sets of digits, and what was trained on them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agon.classifiers import (
    SetClassifier,
    cache,
    classifier_of,
)
from agon.data import Images
from agon.training import train

STEPS = 8


def digits(path: Path, **changes: int) -> Path:
    """A file of 300 of the bundled digits, some of whose pixels may be changed."""
    drawn = Images(path="digits", range=(0.0, 1.0)).take(300)
    assert drawn.label is not None
    pixels = (drawn.real[:, 0] * 255).round().to(torch.uint8).numpy()
    for value in changes.values():
        pixels[0, 0, 0] = value
    np.savez(path, images=pixels, labels=drawn.label.numpy())
    return path


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was trained, in order."""
    directories: list[str] = []
    ordinary = train

    def counted(experiment: object, directory: Path, **settings: object) -> object:
        directories.append(str(directory))
        return ordinary(experiment, directory, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "train", counted)
    return directories


def load_classifier(file: Path, cache: Path, show: bool = False, **settings: object) -> SetClassifier:
    source = Images(path=str(file), **settings)  # type: ignore[arg-type]
    classifier = classifier_of(source, steps=STEPS, folder=cache, show=show)
    assert isinstance(classifier, SetClassifier)
    return classifier
