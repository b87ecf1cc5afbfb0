"""The inputs of one pass through a game."""

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Batch(NamedTuple):
    """The inputs of one pass through a game; all random numbers are drawn before it.

    Attributes:
        real: "n c h w" or "n d", in the source's range.
        latent: "n *latent_shape".
        noise: other random numbers that the losses need, by name.
        label: class numbers "n" of the real samples, or None; a generator that takes labels gets the same ones.
    """

    real: Float[Tensor, "n ..."]
    latent: Float[Tensor, "n ..."]
    noise: Mapping[str, Tensor]
    label: Int[Tensor, " n"] | None = None
