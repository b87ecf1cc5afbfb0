"""The base class of variational autoencoders: a decoder of latents, and a Gaussian posterior over them."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.networks.layers import squash


class Posterior(NamedTuple):
    """q(z|x) = N(μ, diag σ²): the mean and the log standard deviation of each coordinate of z.

    Attributes:
        mean: μ, "n k".
        log_std: log σ, "n k".
    """

    mean: Tensor
    log_std: Tensor

    def at(self, noise: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """z = μ + σ ε for ε ~ N(0, I). Source: Kingma and Welling 2014, section 2.4."""
        return self.mean + self.log_std.exp() * noise

    def divergence(self) -> Float[Tensor, " n"]:
        """KL(q(z|x) ‖ N(0, I)) = ½ Σ (μ² + σ² - 2 log σ - 1) of each sample, in nats.

        Source: Kingma and Welling 2014, appendix B.
        """
        mean, log_std = full(self.mean), full(self.log_std)
        terms: Tensor = mean.square() + (2 * log_std).exp() - 2 * log_std - 1
        return terms.sum(dim=1) / 2


class AutoencoderPass(NamedTuple):
    """The result of encoding samples and decoding one latent of each posterior.

    Attributes:
        logits: "n *shape"; `Autoencoder.squash` turns them into the mean of p(x|z).
        divergence: KL(q(z|x) ‖ p(z)), "n", in nats.
    """

    logits: Tensor
    divergence: Tensor


class Autoencoder(nn.Module, ABC):
    """An encoder x -> q(z|x) and a decoder z -> p(x|z); called as a generator, it maps z to the mean of p(x|z).

    The prior p(z) is N(0, I). Not to be confused with an autoencoder that scores samples by its error, a critic.

    Args:
        shape: shape of one sample.
        latent_shape: shape of one z, and of the noise for its posterior.
        range: range of the samples; (0, 1) ends in a sigmoid, (-1, 1) in tanh, None in no activation.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_shape: tuple[int, ...],
        range: tuple[float, float] | None,  # noqa: A002 - the sources' word
    ) -> None:
        super().__init__()
        self.shape, self.latent_shape, self.range = tuple(shape), latent_shape, range
        self.squash = squash(range)

    @abstractmethod
    def decode(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """z -> logits "n *shape"."""

    @abstractmethod
    def reconstruct(self, x: Float[Tensor, "n ..."], noise: Float[Tensor, "n ..."]) -> AutoencoderPass:
        """Encode x "n *shape", and decode latents drawn from the posteriors with the noise "n *latent_shape"."""

    def forward(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return self.squash(self.decode(latent))  # type: ignore[no-any-return]


def full(outputs: Tensor) -> Tensor:
    """Cast bfloat16 outputs to float32, so that sums of hundreds of them are not rounded."""
    return outputs.float() if outputs.dtype is torch.bfloat16 else outputs
