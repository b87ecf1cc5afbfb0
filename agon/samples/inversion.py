"""Backpropagation to the input: images painted by the gradient of a fixed encoder's features, step by step."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

LARGEST = 1.0  # root mean square of a step's change, in logits of a pixel
TINY = 1e-30

Encode = Callable[[Float[Tensor, "n c h w"]], Float[Tensor, "n ..."]]


def invert_features(
    encode: Encode, reference: Float[Tensor, "n c h w"], steps: int
) -> Iterator[Float[Tensor, "n c h w"]]:
    """Paint images whose features become those of reference images; yields the canvases after each gradient step.

        C_t = C_{t-1} - η_t ∂J_t/∂C_{t-1},    J_t = |f(σ(C_{t-1})) - f(x)|²,    C_0 = 0

    A canvas is σ(C_t), as a GRAN's is: it starts as grey, and what each step adds is the negative gradient where a
    GRAN's decoder adds ΔC_t. J is 0 for x itself, so that Polyak's rule chooses the rate of each image,
    η_t = J_t / |∂J_t/∂C|², but for steps of a root mean square above `LARGEST`. Nothing is trained: not even the
    encoder, which must treat images one by one.

    Not to be confused with `metrics.reconstruct`, which searches a generator's latent.

    Args:
        encode: f, from images with pixels in [0, 1] to features; differentiable.
        reference: x, pixels in [0, 1], on the encoder's device.
        steps: number of gradient steps.

    Source: im2016, section 3 and supplement, equations 18 to 20, after Gatys et al. 2015 without style; the rate after
    Polyak 1987.

    >>> x = torch.full((1, 1, 2, 2), 0.75)
    >>> *_, last = invert_features(lambda images: images, x, steps=20)
    >>> torch.allclose(last, x, atol=1e-3)
    True
    """
    with torch.no_grad():
        target = encode(reference)
    canvas = torch.zeros_like(reference)
    for _ in range(steps):
        with torch.enable_grad():
            canvas.requires_grad_()
            losses = (encode(canvas.sigmoid()) - target).square().flatten(1).sum(1)  # n
            (gradient,) = torch.autograd.grad(losses.sum(), canvas)
        canvas = canvas.detach() - _limited(losses.detach(), gradient)
        yield canvas.sigmoid()


def _limited(losses: Float[Tensor, " n"], gradient: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """The step of Polyak's rate along the gradient, shortened where it is too long."""
    squares = gradient.square().sum((1, 2, 3))
    longest = LARGEST * (gradient[0].numel() / squares.clamp_min(TINY)).sqrt()  # the rate of a step of that size
    rates = torch.minimum(losses / squares.clamp_min(TINY), longest)
    return rates[:, None, None, None] * gradient
