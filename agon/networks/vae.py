"""The variational autoencoder of fully connected layers: for points, and for images as vectors."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from agon.networks import mlp
from agon.networks.layers import Activation, Initialisation, flat, initialise, positive
from agon.networks.posterior import Autoencoder, AutoencoderPass, Posterior


class Vae(Autoencoder):
    """q(z|x) = N(μ(x), diag σ²(x)) and p(x|z) by perceptrons with the same hidden layers, in opposite order.

    The encoder's last layer gives μ and log σ². Source: Kingma and Welling 2014, section 3 and appendix C.

    Args:
        shape: shape of one sample, e.g. (1, 28, 28).
        latent: number of coordinates of z.
        widths: units of the encoder's hidden layers.
        nonlinearity: activation after each hidden layer.
        range: range of the samples; (0, 1) ends in a sigmoid, (-1, 1) in tanh, None in no activation.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent: int = 50,
        widths: Sequence[int] = (200, 200),
        nonlinearity: Activation = "tanh",
        range: tuple[float, float] | None = (0.0, 1.0),  # noqa: A002 - the sources' word
        initialisation: Initialisation = "xavier",
        gain: float = 1.0,
    ) -> None:
        positive(latent=latent, gain=gain)
        super().__init__(shape, (latent,), range)
        inputs = flat(self.shape)
        hidden = mlp.hidden_layers(inputs, widths, nonlinearity, normalise=False)
        self.encoder = nn.Sequential(nn.Flatten(), *hidden, nn.Linear((inputs, *widths)[-1], 2 * latent))
        self.decoder = mlp.Generator(
            shape=self.shape, latent=latent, widths=tuple(widths)[::-1], nonlinearity=nonlinearity, range=None
        )
        initialise(self, initialisation, gain)

    def posterior(self, x: Float[Tensor, "n ..."]) -> Posterior:
        """q(z|x) of samples "n *shape"."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return Posterior(mean, log_variance / 2)

    def decode(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n ..."]:
        return self.decoder(latent)  # type: ignore[no-any-return]

    def reconstruct(self, x: Float[Tensor, "n ..."], noise: Float[Tensor, "n k"]) -> AutoencoderPass:
        posterior = self.posterior(x)
        return AutoencoderPass(self.decode(posterior.at(noise)), posterior.divergence())
