"""The nearest reconstruction of a user's image."""

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor

from agon.data.resize import fit
from agon.errors import SettingError
from agon.metrics import reconstruct
from agon.models import Model
from agon.play.pictures import as_samples

STARTS, ITERATIONS = 3, 60


def as_target(model: Model, image: UInt8[np.ndarray, "h w 3"]) -> Shaped[Tensor, "1 c h w"]:
    """Crop, resize and convert an image to the run's samples: grey if they are grey."""
    channels, height, width = model.experiment.data.shape
    fitted = fit(np.ascontiguousarray(image), (height, width))
    pixels = torch.from_numpy(np.ascontiguousarray(fitted)).permute(2, 0, 1)[None]
    if channels == 1:
        weights = torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)  # luma of ITU-R BT.601
        pixels = (pixels * weights).sum(1, keepdim=True).round().to(torch.uint8)
    return as_samples(model, pixels)


def nearest(model: Model, image: UInt8[np.ndarray, "h w 3"], seed: int = 0) -> tuple[Shaped[Tensor, "2 c h w"], float]:
    """Search the generated sample nearest to an image: (image and sample, mean squared error); see `reconstruct`.

    Raises:
        SettingError: the generator takes labels.
    """
    if model.game.generated_classes:
        raise SettingError("reconstruction: expected a generator of latents alone, got one that takes labels")
    target = as_target(model, image)
    latent, shape = model.experiment.latent, model.game.latent_shape
    with model.painting() as paint:
        found = reconstruct(
            lambda z: paint(z.to(model.device)).float(),
            target,
            lambda n, rng: latent.sample(n, shape, rng),
            STARTS,
            seed=seed,
            iterations=ITERATIONS,
        )
    return torch.cat([target, found.images.detach().cpu()]), float(found.errors[0])
