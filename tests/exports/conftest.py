"""Trainings of every network, narrow, of images of any size, at their first weights."""

from collections.abc import Iterator
from typing import Any

import jaxtyping
import pytest
import torch

from agon import Compute, Experiment, Turns, part
from agon.data import Images, Source
from agon.data.source import Known
from agon.exports.network import Exported, network_of
from agon.games import Adversarial
from agon.games.variational import Variational
from agon.networks import NETWORKS
from agon.training import Training
from tests.combinations.narrow import narrow

GENERATORS = [*(name for name in NETWORKS if name.endswith(".generator")), "vae", "draw"]
CRITICS = [name for name in NETWORKS if name.endswith(".critic")]
RANGE = (0.0, 1.0)


@pytest.fixture(autouse=True)
def unchecked() -> Iterator[None]:
    """Types are not checked while a pass is recorded, in which sizes are tensors or symbols."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def images(shape: tuple[int, ...]) -> Source:
    """Data of a shape, which nobody reads."""
    return Images(path="digits", range=RANGE).knowing(Known(shape, ()))


def training_of(game: Any, shape: tuple[int, ...], **settings: Any) -> Training:
    described = Experiment(game=game, data=images(shape), steps=1, batch=4, **settings)
    return Training(described, Compute(threads=1, device="cpu").resolved(), torch.device("cpu"))


def training(name: str, shape: tuple[int, ...], **settings: Any) -> Training:
    """The training of a network of the table, with a partner."""
    if name in ("vae", "draw"):
        game = part(Variational, autoencoder=narrow(NETWORKS[name], shape=shape))
        return training_of(game, shape, dynamics=Turns((("autoencoder",),)), **settings)
    generator = name if name in GENERATORS else "dcgan.generator"
    critic = name if name in CRITICS else "dcgan.critic"
    both = {
        "generator": narrow(NETWORKS[generator], shape=shape, range=RANGE),
        "critic": narrow(NETWORKS[critic], shape=shape),
    }
    return training_of(part(Adversarial, **both), shape, **settings)


def exported(name: str, shape: tuple[int, ...]) -> Exported:
    return network_of(training(name, shape), "critic" if name in CRITICS else "generator", 5)
