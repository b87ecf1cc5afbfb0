"""The three kinds of sets on which `agon train own` is measured, made of the real images that are at hand."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

from agon.metrics.extractors import Features
from benchmarks.sets import SHARED

FACES, SPRITES, PHOTOS = 1_965, 919, 3_781  # images, as many as the sets of new users had


def faces(folder: Path) -> Path:
    """Grey images of 28x20 in one array: the middle of MNIST's digits."""
    place = folder / "faces.npy"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(place, np.stack([np.asarray(image)[:, 4:24] for image in stored("mnist", FACES)]))
    return place


def sprites(folder: Path) -> Path:
    """Few small pictures in colour: the frogs of CIFAR-10, one of its classes."""
    place = folder / "sprites"
    if not place.exists():
        place.mkdir(parents=True)
        for number, image in enumerate(stored("cifar10", SPRITES, label=6)):
            image.save(place / f"{number:04}.png")
    return place


def photos(folder: Path) -> Path:
    """Photographs of varied sizes: Tiny ImageNet's, each cropped and enlarged at random."""
    place, rng = folder / "photos", np.random.default_rng(0)
    if not place.exists():
        place.mkdir(parents=True)
        for number, image in enumerate(stored("tiny-imagenet", PHOTOS)):
            width, height = (int(side) for side in rng.integers(48, 65, 2))
            left, top = (64 - width) // 2, (64 - height) // 2
            enlarged = tuple(round(side * rng.uniform(1, 6)) for side in (width, height))
            image.crop((left, top, left + width, top + height)).resize(enlarged).save(place / f"{number:04}.jpg")
    return place


def stored(name: str, n: int, label: int | None = None) -> Iterator[Image.Image]:
    """The first n images of a set's training split, of one class or of all."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(SHARED / name / "train-00000-of-00001.parquet").to_pylist()
    chosen = [row for row in rows if label is None or row["label"] == label][:n]
    yield from (Image.open(io.BytesIO(row["image"]["bytes"])) for row in chosen)


SETS: dict[str, Callable[[Path], Path]] = {"faces": faces, "sprites": sprites, "photos": photos}


class Coarse:
    """Features that need no network: means over 16x16 areas, and over 8x8 areas the mean difference of neighbours.

    The means see colours and layout, the differences see blur, noise and patterns; neither knows what is shown.
    """

    name, resizer, precision = "coarse", "area", "float32"
    hash = hashlib.sha256(b"16x16 means and 8x8 mean differences of neighbours").hexdigest()

    def __call__(self, images: torch.Tensor) -> Features:
        levels = images.float() / 255
        across, down = levels.diff(dim=3).abs(), levels.diff(dim=2).abs()
        means = adaptive_avg_pool2d(levels, (16, 16)).flatten(1)
        edges = [adaptive_avg_pool2d(part, (8, 8)).flatten(1) for part in (across, down)]
        return Features(torch.cat([means, *edges], dim=1))
