"""Contrast, edges and changes of images, from their pixels alone."""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.metrics.intervals import mean_score
from agon.metrics.score import Score

SATURATED = 255 // 20  # levels from black or white
FLAT = 1e-6  # standard deviation of pixels in [0, 1] below which an image has one value, but for rounding


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


def at_equal_contrast(images: Float[Tensor, "n c h w"], mean: float, deviation: float) -> Float[Tensor, "n c h w"]:
    """Shift and scale each image so that its pixels, over all channels, have this mean and standard deviation.

    An image of one value becomes `mean` everywhere. Values are not clamped.

    Args:
        images: at least 1, pixels in [0, 1].
        mean: of the result.
        deviation: of the result, from 0.
    """
    centred = images - images.mean((1, 2, 3), keepdim=True)
    spread = centred.square().mean((1, 2, 3), keepdim=True).sqrt()
    return mean + deviation * torch.where(spread > FLAT, centred / spread, 0.0)


def roughness_by_contrast(images: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Mean absolute difference of each image's neighbouring pixels in units of its pixels' standard deviation."""
    levels = at_equal_contrast(images, 0.0, 1.0)
    down, across = (levels.diff(dim=axis).abs().flatten(1).mean(1) for axis in (2, 3))
    return (down + across) / 2


def fineness(values: Float[Tensor, " n"], real: float) -> Score:
    """How fine-grained images are at equal contrast: their mean `roughness_by_contrast` divided by that of real ones.

    Unlike "detail" it does not rise when a pale image only gains contrast. It sees noise as well.

    Args:
        values: of `roughness_by_contrast`; at least 1 image.
        real: its mean over training images, above 0.

    Source: im2016, section 5: "more fine-grained" time steps, in a number.
    """
    protocol = "mean absolute difference of neighbouring pixels / the image's deviation, / that of training images"
    return mean_score("fineness", values / real, protocol, n=len(values))


def fineness_gain(last: Float[Tensor, " n"], first: Float[Tensor, " n"]) -> Score:
    """How much finer canvases become at equal contrast: "fineness-gain", log(mean last / mean first).

    0 if they stay as they are; below 0 if they become smoother, for instance because noise goes.

    Args:
        last: `roughness_by_contrast` of n canvases after the last step.
        first: of the same canvases after the first step.
    """
    last, first = last.double(), first.double()
    influence = last / last.mean() - first / first.mean()  # of one latent
    return Score(
        name="fineness-gain",
        value=math.log(float(last.mean() / first.mean())),
        error=float(influence.std()) / math.sqrt(len(last)),
        n=len(last),
        protocol="logarithm of the last canvases' fineness by that of the first",
    )


def redrawn(canvases: Float[Tensor, "n c h w"], before: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """How much of each picture a step draws anew: 1 - r, r the correlation of pixels with the canvas before.

    0 if only the contrast changes, 1 if the pictures have nothing in common, 2 for the negative. A canvas of one value
    has nothing in common with any.
    """
    levels, earlier = (at_equal_contrast(images, 0.0, 1.0) for images in (canvases, before))
    return 1 - (levels * earlier).mean((1, 2, 3))


def redrawing(values: Float[Tensor, " n"]) -> Score:
    """The mean of `redrawn` over images: "redrawn", 0 to 2.

    Source: im2016, section 5: "more pronounced changes", in a number that contrast does not change.
    """
    protocol = "1 - correlation of a canvas's pixels with those of the canvas before"
    return mean_score("redrawn", values, protocol, n=len(values), bounds=(0.0, 2.0))


def rendering_error(canvases: UInt8[Tensor, "n c h w"], reference: UInt8[Tensor, "n c h w"]) -> Score:
    """How unlike canvases are to the images that they should render: "rendering-error", 0 to 2.

        1 - r, r the correlation of a canvas's pixels with those of its reference image, over channels;

    0 for the image at any contrast, about 1 for unrelated pixels.

    Args:
        canvases: bytes; at least 1.
        reference: the image of each canvas.

    Source: im2016, section 3: "a rendering of the content image", in a number.

    >>> x = torch.tensor([[[[0, 100], [0, 200]]]], dtype=torch.uint8)
    >>> [round(abs(rendering_error(image, x).value), 6) for image in (x // 2, 200 - x)]
    [0.0, 2.0]
    """
    values = redrawn(canvases.float() / 255, reference.float() / 255)
    protocol = "1 - correlation of a canvas's pixels with those of the image that it should render"
    return mean_score("rendering-error", values, protocol, n=len(values), bounds=(0.0, 2.0))


def redrawing_gain(values: Float[Tensor, " n"], others: Float[Tensor, " m"]) -> Score:
    """How much more of a picture one generator's steps redraw than another's: "redrawn-gain", log of the means' ratio.

    Args:
        values: of `redrawn`, of one generator, with a mean above 0.
        others: of the other.
    """
    relative = [float(x.std() / x.mean()) / math.sqrt(len(x)) for x in (values.double(), others.double())]
    return Score(
        name="redrawn-gain",
        value=math.log(float(values.mean() / others.mean())),
        error=math.hypot(*relative),
        n=len(values),
        protocol="logarithm of how much is redrawn, by the same with one noise",
    )


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
