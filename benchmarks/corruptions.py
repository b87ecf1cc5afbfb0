"""Known corruptions of images, in growing severity: what a feature space should put in order."""

import io
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor


class Labelled(NamedTuple):
    """Bytes "n 3 h w" and their classes "n"."""

    images: Tensor
    labels: Tensor


def blurred(real: Labelled, sigma: float) -> Tensor:
    """A Gaussian blur of so many pixels."""
    return _by_image(real.images, lambda image: image.filter(ImageFilter.GaussianBlur(sigma)))


def noisy(real: Labelled, sigma: float) -> Tensor:
    """Normal noise of so many levels out of 255."""
    noise = torch.randn(real.images.shape, generator=torch.Generator().manual_seed(0))
    return (real.images + sigma * noise).round().clamp(0, 255).byte()


def compressed(real: Labelled, quality: float) -> Tensor:
    """JPEG of this quality."""

    def through(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(quality))
        return Image.open(file)

    return _by_image(real.images, through)


def dropped(real: Labelled, share: float) -> Tensor:
    """Without this share of the classes: as many images, repeated from the other classes."""
    k = int(real.labels.max()) + 1
    kept = (real.labels >= round(share * k)).nonzero()[:, 0]
    return real.images[kept[torch.arange(len(real.images)) % len(kept)]]


def mixed(real: Labelled, share: float) -> Tensor:
    """This share of the images is averaged with another one, as a generator between two modes does."""
    images, n = real.images.clone(), round(share * len(real.images))
    images[:n] = (real.images[:n].float() + real.images.roll(n + 1, 0)[:n]).div(2).byte()
    return images


CORRUPTIONS: Mapping[str, tuple[Callable[[Labelled, float], Tensor], tuple[float, ...]]] = {
    "blur": (blurred, (0.5, 1.0, 2.0)),
    "noise": (noisy, (5.0, 15.0, 40.0)),
    "JPEG": (compressed, (80.0, 40.0, 10.0)),
    "classes dropped": (dropped, (0.2, 0.5, 0.8)),
    "mixture": (mixed, (0.1, 0.3, 1.0)),
}


def _by_image(images: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    changed = [np.array(change(Image.fromarray(image.permute(1, 2, 0).numpy())).convert("RGB")) for image in images]
    return torch.from_numpy(np.stack(changed)).permute(0, 3, 1, 2).contiguous()
