"""The one-player game of every variational autoencoder: VAE, DVAE, DRAW."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from agon.arguments import refuse_classes
from agon.data.source import Source
from agon.errors import Change, SettingError
from agon.games.corruption import Corruption
from agon.games.game import Batch, Game, Losses, two_samples
from agon.networks.layers import evaluation_mode, positive
from agon.networks.posterior import Autoencoder, full

UNIT = (0.0, 1.0)  # the range of probabilities


class Variational(Game):
    """Minimises -ELBO = E[-log p(x|z)] + KL(q(z|x̃) ‖ p(z)), in nats per sample, with one z ~ q(z|x̃) for each x.

    p(z) is N(0, I), so an experiment's `latent` should be `Normal()`. Without corruption, x̃ is x, and the ELBO
    is a lower bound of log p(x). With corruption, the encoder sees x̃ ~ p(x̃|x), and the clean x is
    reconstructed: the denoising bound, E over x̃ of E over q(z|x̃) of log p(x, z) - log q(z|x̃).
    Source: Kingma and Welling 2014, equations 7 and 10; Im et al. 2015 (DVAE).

    Args:
        autoencoder: the only player.
        likelihood: p(x|z): "bernoulli" for data in [0, 1], with grey values as probabilities (-log p is then a
            cross-entropy, and not comparable with that of binary images); or "gaussian",
            N(mean, std² I).
        std: standard deviation of the Gaussian likelihood, in units of x.
        corruption: p(x̃|x), or None.
        binarise: whether each grey value in [0, 1] is replaced at each draw by 1 with that probability and else
            by 0, so that ELBOs compare with those of binary images (Salakhutdinov and Murray 2008).

    Raises:
        SettingError: the likelihood is Bernoulli or data are binarised, and the autoencoder's range is not (0, 1).
    """

    players: ClassVar[Mapping[str, Sequence[str]]] = {"autoencoder": ("autoencoder",)}
    generating_players: ClassVar[Sequence[str]] = ("autoencoder",)

    def __init__(
        self,
        *,
        autoencoder: Autoencoder,
        likelihood: Literal["bernoulli", "gaussian"] = "bernoulli",
        std: float = 1.0,
        corruption: Corruption | None = None,
        binarise: bool = False,
    ) -> None:
        super().__init__()
        refuse_classes(self, autoencoder=autoencoder, corruption=corruption)
        positive(std=std)
        self.autoencoder = autoencoder
        self.likelihood, self.std, self.corruption, self.binarise = likelihood, std, corruption, binarise
        self._refuse_beyond_unit("an autoencoder", autoencoder.range)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return self.autoencoder.latent_shape

    def generate(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """The mean of p(x|z) for latents of the prior."""
        return self.autoencoder(latent)  # type: ignore[no-any-return]

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> dict[str, Tensor]:
        noise = {"posterior": torch.randn((shape[0], *self.latent_shape), generator=rng, device=rng.device)}
        if self.binarise:
            noise["binary"] = torch.rand(shape, generator=rng, device=rng.device)
        if self.corruption is not None:
            noise["corruption"] = self.corruption.noise(shape, rng)
        return noise

    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        """-ELBO for the autoencoder; `fake` is not used."""
        real = (batch.noise["binary"] < batch.real).to(batch.real) if self.binarise else batch.real
        encoded = real if self.corruption is None else self.corruption(real, batch.noise["corruption"])
        decoded = self.autoencoder.reconstruct(encoded, batch.noise["posterior"])
        reconstruction, divergence = self.surprise(decoded.logits, real).mean(), decoded.divergence.mean()
        loss = reconstruction + divergence
        seen = {"elbo": -loss, "reconstruction": reconstruction, "divergence": divergence}
        return Losses(dict.fromkeys(of, loss), {name: value.detach() for name, value in seen.items()})

    def surprise(self, logits: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        """-log p(x|z), summed over the numbers of each sample, with z given as the decoder's logits."""
        logits = full(logits)
        if self.likelihood == "bernoulli":
            terms = binary_cross_entropy_with_logits(logits, x.to(logits), reduction="none")
        else:
            standard = (x - self.autoencoder.squash(logits)) / self.std
            terms = standard.square() / 2 + math.log(self.std) + math.log(2 * math.pi) / 2
        return terms.flatten(1).sum(dim=1)

    def check_source(self, source: Source) -> None:
        self._refuse_beyond_unit("data", source.range)

    def _refuse_beyond_unit(self, what: str, range_: tuple[float, float] | None) -> None:
        """Raise a SettingError if numbers must be probabilities and their range is not (0, 1)."""
        if (self.likelihood == "bernoulli" or self.binarise) and range_ != UNIT:
            unit = Change(f"{'data' if what == 'data' else 'game.autoencoder'}.range", UNIT)
            gaussian = Change("game.likelihood", "gaussian")
            raise SettingError(
                f"likelihood=bernoulli and binarise: expected {what} of range {UNIT}, got {range_}; "
                f"give it {unit}, or use {gaussian} and no binarise",
                unit,
                gaussian,
            )

    def check(self, shape: tuple[int, ...]) -> None:
        with torch.no_grad(), evaluation_mode(self):
            fake = two_samples(self, self.autoencoder, shape)
            self.autoencoder.reconstruct(fake, fake.new_zeros(2, *self.latent_shape))
