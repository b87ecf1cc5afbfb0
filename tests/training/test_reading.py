"""A training asks its source what it is before its first step, and opens nothing of it after."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agon import Compute, Experiment, part
from agon.data import Images
from agon.games import Adversarial
from agon.networks import mlp
from agon.training import Training


@pytest.fixture
def training(tmp_path: Path) -> Training:
    """Of a file of images, whose shape is found by opening it."""
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), dtype=np.uint8))
    source = Images(path=str(tmp_path / "images.npy"), holdout=0.0)
    generator = part(mlp.Generator, shape=source.shape, latent=4, widths=(8,))
    game = part(Adversarial, generator=generator, critic=part(mlp.Critic, shape=source.shape, widths=(8,)))
    experiment = Experiment(game=game, data=source, steps=3, batch=8)
    training = Training(experiment, Compute(device="cpu", threads=1), torch.device("cpu"))
    assert training.data.count == 32
    return training


def test_a_step_opens_nothing_of_its_source(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(Images, "_read", lambda *_: opened.append(True))
    for _ in range(3):
        training.advance()
    assert opened == []


def test_asking_the_source_would_be_noticed(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: such a source does open its file to tell its shape."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("opened")

    monkeypatch.setattr(Images, "_read", refuse)
    with pytest.raises(OSError, match="opened"):
        _ = training.experiment.data.shape
