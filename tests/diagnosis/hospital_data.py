"""Patients whose data, or whose use of them, is sick, and healthy ones on the same digits."""

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import agon
from agon.networks import gran, mlp
from agon.objectives import NonSaturating
from agon.penalties import R1
from tests.diagnosis.hospital import Make, adam, damped, game, rates, training

DIGITS = agon.Images(path="digits")
FEW = agon.Images(path="digits", holdout=0.97)  # 54 images to train on
WIDE = agon.part(mlp.Critic, shape=(1, 8, 8), widths=(256, 256))
ALL, EIGHT = tuple(range(10)), tuple(range(2, 10))
FOLDER = tempfile.TemporaryDirectory()  # for as long as this process
Arrays = dict[str, np.ndarray]


class Scrapbook(nn.Module):
    """A generator that shows one of the images that it holds, a little changed by weights.

    Args:
        source: a source of digits.
        split: the split of which it holds images.
        classes: the classes of which it does.
    """

    def __init__(self, source: agon.Source = DIGITS, split: str = "test", classes: tuple[int, ...] = ALL) -> None:
        super().__init__()
        self.latent_shape = (8,)
        batch = source.take(source.count(split), split=split)
        kept = torch.isin(batch.label, torch.tensor(classes))
        self.register_buffer("images", batch.real[kept], persistent=False)
        self.change = nn.Linear(8, 64)

    def forward(self, latent: Tensor) -> Tensor:
        chance = torch.special.ndtr(latent[:, 0]).clamp(0, 1 - 1e-6)
        shown = self.images[(chance * len(self.images)).long()]
        return (shown + 0.05 * torch.tanh(self.change(latent)).reshape(-1, 1, 8, 8)).clamp(-1, 1)


class Half(mlp.Generator):
    """A generator of values from 0 to 1, whatever the range of the data is."""

    def forward(self, latent: Tensor) -> Tensor:
        return super().forward(latent).abs()


class Dying(mlp.Generator):
    """A generator of whose first 64 ReLUs all but three are off for every latent."""

    def __init__(self) -> None:
        super().__init__(shape=(2,), latent=8, widths=(64, 64))
        first = next(layer for layer in self.modules() if isinstance(layer, nn.Linear))
        with torch.no_grad():
            first.bias[3:] = -50.0


class Stale(mlp.Generator):
    """A generator whose batch normalisation never updates its running statistics."""

    def __init__(self) -> None:
        super().__init__(shape=(2,), latent=8, widths=(64, 64), normalise=True)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm1d):
                layer.momentum = 0.0


class Forgetful(gran.Generator):
    """A generator of three time steps that hears the noise of the first one alone."""

    def forward(self, latent: Tensor) -> Tensor:
        return super().forward(torch.cat([latent[:, :1], 0 * latent[:, 1:]], dim=1))


def painter(make: type[gran.Generator]) -> agon.Experiment:
    """A training of a small GRAN with noise at every step."""
    settings = {"shape": (1, 8, 8), "latent": 8, "kernels": (16, 8), "kernel": 4, "hidden": 32, "range": (-1.0, 1.0)}
    return digits(60, generator=agon.part(make, **settings, steps=3, noise="every"))


def ring(make: type[mlp.Generator], **changes: Any) -> agon.Experiment:
    """A training on the ring."""
    return damped(NonSaturating(), game=game(generator=agon.part(make), penalties=(R1(weight=0.5),)), **changes)


def digits(steps: int = 200, source: agon.Source = DIGITS, **changes: Any) -> agon.Experiment:
    """A training on images of 8x8; `generator` and `critic` may be others."""
    made = {"shape": (1, 8, 8), "range": (-1.0, 1.0)}
    generator = changes.pop("generator", agon.part(mlp.Generator, **made, latent=8, widths=(128,), normalise=True))
    critic = changes.pop("critic", agon.part(mlp.Critic, shape=(1, 8, 8), widths=(128,)))
    players = agon.part(agon.Adversarial, generator=generator, critic=critic, penalties=(R1(),))
    batch = changes.pop("batch", 32)
    return training(steps, source, game=players, batch=batch, grid=256, optimisers=adam(1e-3), **changes)


def scrapbook(**settings: Any) -> agon.Experiment:
    return digits(60, generator=agon.part(Scrapbook, **settings))


def stored(name: str, change: Callable[[Arrays], Arrays], **settings: Any) -> agon.Source:
    """The digits as a file, changed."""
    return agon.Images(path=_file(name, change), **settings)


@cache
def _file(name: str, change: Callable[[Arrays], Arrays]) -> str:
    held, train = (DIGITS.take(DIGITS.count(split), split=split) for split in ("test", "train"))
    arrays = {
        "x_train": _bytes(train.real),
        "y_train": train.label.numpy(),
        "x_test": _bytes(held.real),
        "y_test": held.label.numpy(),
    }
    path = Path(FOLDER.name) / f"{name}.npz"
    np.savez(path, **change(arrays))
    return str(path)


def _bytes(images: Tensor) -> np.ndarray:
    return ((images[:, 0] + 1) * 127.5).round().byte().numpy()


def doubled(arrays: Arrays) -> Arrays:
    """Every training image twice."""
    twice = {name: np.concatenate([arrays[name]] * 2) for name in ("x_train", "y_train")}
    return arrays | twice


def blank(arrays: Arrays) -> Arrays:
    """A tenth of the training images are black."""
    images = arrays["x_train"].copy()
    images[::10] = 0
    return arrays | {"x_train": images}


def leaked(arrays: Arrays) -> Arrays:
    """Half of the test images are training images."""
    images = arrays["x_test"].copy()
    images[::2] = arrays["x_train"][: len(images[::2])]
    return arrays | {"x_test": images}


def drowned(arrays: Arrays) -> Arrays:
    """Of all classes but one, only one image in twenty is left."""
    kept = (arrays["y_train"] == 1) | (np.arange(len(arrays["y_train"])) % 20 == 0)
    return arrays | {name: arrays[name][kept] for name in ("x_train", "y_train")}


def dark(arrays: Arrays) -> Arrays:
    """Seventeen grey levels, stored as they are: as bytes they are nearly black."""
    return {name: x // 16 if name.startswith("x") else x for name, x in arrays.items()}


SICK: Mapping[str, tuple[str, Make]] = {
    "generator that leaves out two digits": ("lost-classes", lambda: scrapbook(classes=EIGHT)),
    "critic of 54 images": ("overfitting-critic", lambda: digits(600, FEW, critic=WIDE)),
    "generator that copies": ("memorisation", lambda: scrapbook(split="train")),
    "GAN of 54 images": ("memorisation", lambda: digits(400, FEW)),
    "54 images": ("few-images", lambda: digits(200, FEW)),
    "black images": ("constant-images", lambda: digits(source=stored("blank", blank))),
    "every image twice": ("duplicate-images", lambda: digits(source=stored("doubled", doubled))),
    "test images in the training": ("leaked-test-images", lambda: digits(source=stored("leaked", leaked))),
    "one class drowns the others": ("class-imbalance", lambda: digits(source=stored("drowned", drowned))),
    "grey levels from 0 to 15": ("wrong-range", lambda: digits(source=stored("dark", dark))),
    "generator of half the range": (
        "wrong-range",
        lambda: digits(generator=agon.part(Half, shape=(1, 8, 8), latent=8, widths=(128,), range=(-1.0, 1.0))),
    ),
    "generator far too slow": ("no-progress", lambda: training(100, optimisers=rates(1e-7, 1e-3), snapshots=10)),
    "generator whose ReLUs died": ("dead-units", lambda: ring(Dying)),
    "statistics that never move": ("batch-statistics", lambda: ring(Stale)),
    "GRAN that hears its first noise alone": ("ignored-latent", lambda: painter(Forgetful)),
}
HEALTHY: Mapping[str, Make] = {
    "generator of other digits": scrapbook,
    "digits": lambda: digits(300),
    "ring with snapshots": lambda: damped(NonSaturating(), snapshots=10),
    "GRAN, noise at every step": lambda: painter(gran.Generator),
    "digits from a file": lambda: digits(source=stored("digits", dict)),
}
QUICK = ("generator that leaves out two digits", "generator that copies", "generator of other digits")
