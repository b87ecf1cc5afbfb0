"""Contrast, edges and changes of images, from their pixels alone."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.metrics.intervals import mean_score
from agon.metrics.score import Score

SATURATED = 255 // 20  # levels from black or white


def saturation(images: UInt8[Tensor, "n c h w"]) -> Score:
    """The share of pixels within 1/20 of the range of black or white: "saturated", 0 to 1; the mean over images.

    Args:
        images: bytes; at least 1 image.

    Source: tabak2016, section 3.2: tanh "has more contrast", in a number.

    >>> saturation(torch.tensor([[[[0, 128]]]], dtype=torch.uint8)).value
    0.5
    """
    extreme = ((images <= SATURATED) | (images >= 255 - SATURATED)).double()
    return _over_images("saturated", extreme.flatten(1), "share of pixels within 1/20 of the range of black or white")


def roughness(images: UInt8[Tensor, "n c h w"]) -> Score:
    """Mean absolute difference of neighbouring pixels in [0, 1]: "roughness", 0 to 1; the mean over images.

    Horizontal and vertical pairs have equal weights. Both edges and noise raise it, so it does not measure blur.

    Args:
        images: bytes; at least 1 image of 2 or more pixels a side.
    """
    levels = images.double() / 255
    across, down = (levels.diff(dim=axis).abs().flatten(1) for axis in (3, 2))
    return _over_images("roughness", torch.cat([across, down], 1), "mean difference of neighbouring pixels from 0 to 1")


def detail(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Mean absolute difference of each image's neighbouring pixels: half the horizontal mean, half the vertical one."""
    levels = images.float() / 255
    down, across = (levels.diff(dim=axis).abs().flatten(1).mean(1) for axis in (2, 3))
    return (down + across) / 2


def relative_detail(images: UInt8[Tensor, "n c h w"], real: float) -> Score:
    """How fine-grained images are: their mean `detail` divided by that of training images, "detail".

    Args:
        images: bytes; at least 1 image.
        real: mean `detail` of training images, above 0.

    Source: im2016, section 5: "more fine-grained" time steps, in a number.
    """
    protocol = "mean absolute difference of neighbouring pixels / that of training images"
    return mean_score("detail", detail(images) / real, protocol, n=len(images))


def canvas_changes(canvases: UInt8[Tensor, "t n c h w"]) -> Float[Tensor, "t n"]:
    """Mean squared change of an image's pixels, from 0 to 1, at each step: 1/P Σ (C_t - C_{t-1})², C_0 = σ(0) = 1/2."""
    levels = canvases.flatten(2).float() / 255
    return torch.cat([(levels[:1] - 0.5), levels.diff(dim=0)]).square().mean(2)


def canvas_change(values: Float[Tensor, " n"]) -> Score:
    """The mean change of canvases in a time step, over images: "change", 0 to 1.

    Args:
        values: a row of `canvas_changes`, or the mean of several rows.

    Source: im2016, section 5: "more pronounced changes", in a number.
    """
    return mean_score("change", values, "mean squared change of a pixel, from 0 to 1, in a time step", n=len(values))


def _over_images(name: str, values: Float[Tensor, "n k"], protocol: str) -> Score:
    return mean_score(name, values.mean(1), protocol, n=len(values), bounds=(0.0, 1.0))
