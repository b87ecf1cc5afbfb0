"""The VAE's bound is the evidence where the posterior is exact, and its divergence is torch's own."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from agon.errors import SettingError
from agon.games import Batch, Variational
from agon.networks.posterior import Posterior
from agon.networks.vae import Vae

PIXELS, LATENT, STD = 4, 2, 0.3
AUTOENCODER = ("autoencoder",)


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    torch.manual_seed(0)
    mean, log_std = torch.randn(2, 5, 7, dtype=torch.float64)
    expected = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(1)
    found = Posterior(mean, log_std).divergence()
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)
    variance_for_deviation = Posterior(mean, 2 * log_std).divergence()
    assert (variance_for_deviation - expected).abs().min() > 0.1  # the usual slip is caught


def test_a_draw_of_the_posterior_is_its_mean_and_deviations() -> None:
    posterior = Posterior(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 2.0]]).log())
    torch.testing.assert_close(posterior.at(torch.tensor([[1.0, -1.0]])), torch.tensor([[1.5, -4.0]]))


def linear_gaussian() -> tuple[Variational, MultivariateNormal]:
    """x = W z + b + std ε: the game at its exact posterior, and the distribution of x."""
    torch.manual_seed(1)
    vae = Vae(shape=(PIXELS,), latent=LATENT, widths=(), range=None)
    game = Variational(autoencoder=vae, likelihood="gaussian", std=STD).double()
    decoder, encoder = vae.decoder.layers[0], vae.encoder[1]
    with torch.no_grad():
        decoder.weight.copy_(
            torch.linalg.qr(torch.randn(PIXELS, LATENT, dtype=torch.float64))[0] * torch.tensor([2, 1])
        )
        decoder.bias.copy_(torch.randn(PIXELS, dtype=torch.float64))
        w, b = decoder.weight, decoder.bias
        precision = torch.eye(LATENT, dtype=torch.float64) + w.T @ w / STD**2  # diagonal: W's columns are orthogonal
        gain = torch.linalg.inv(precision) @ w.T / STD**2
        encoder.weight.copy_(torch.cat((gain, torch.zeros_like(gain))))
        encoder.bias.copy_(torch.cat((-gain @ b, -precision.diagonal().log())))
        evidence = MultivariateNormal(b.clone(), w @ w.T + STD**2 * torch.eye(PIXELS, dtype=torch.float64))
    return game, evidence


def expected_elbo(game: Variational, x: Tensor) -> Tensor:
    """E over ε ~ N(0, I), exactly: -log p(x|z) is quadratic in ε, so the mean over ±√k e_i is the expectation."""
    radius = math.sqrt(LATENT)
    points = radius * torch.cat((torch.eye(LATENT), -torch.eye(LATENT))).double()
    elbos = [game.losses(Batch(x, x, {"posterior": p.expand(len(x), -1)}), of=AUTOENCODER).seen["elbo"] for p in points]
    return torch.stack(elbos).mean()


def test_the_elbo_is_the_evidence_at_the_exact_posterior() -> None:
    game, evidence = linear_gaussian()
    x = evidence.sample((50,))
    torch.testing.assert_close(expected_elbo(game, x), evidence.log_prob(x).mean(), rtol=1e-12, atol=0)


def test_the_elbo_lies_below_the_evidence_by_the_divergence_of_the_posteriors() -> None:
    """Negative control: with q's standard deviation times 1.5, or its mean moved, by a closed form."""
    game, evidence = linear_gaussian()
    x, bias = evidence.sample((50,)), game.autoencoder.encoder[1].bias
    exact = game.autoencoder.posterior(x)
    for change in (torch.tensor([0, 0, 1, 1]) * 2 * math.log(1.5), torch.tensor([0.1, -0.1, 0, 0])):
        before = bias.detach().clone()
        bias.data += change
        wrong = game.autoencoder.posterior(x)
        gap = kl_divergence(Normal(wrong.mean, wrong.log_std.exp()), Normal(exact.mean, exact.log_std.exp()))
        elbo = expected_elbo(game, x)
        assert elbo < evidence.log_prob(x).mean() - 0.01
        torch.testing.assert_close(elbo, evidence.log_prob(x).mean() - gap.sum(1).mean(), rtol=1e-12, atol=0)
        bias.data.copy_(before)


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8), (3, 5, 7)], ids=str)
@pytest.mark.parametrize(("range_", "low", "high"), [((0.0, 1.0), 0, 1), ((-1.0, 1.0), -1, 1), (None, -1e9, 1e9)])
def test_samples_have_the_datas_shape_and_range(
    shape: tuple[int, ...], range_: tuple[float, float] | None, low: float, high: float
) -> None:
    torch.manual_seed(0)
    vae = Vae(shape=shape, latent=3, widths=(8, 6), range=range_)
    x = vae(torch.randn(5, *vae.latent_shape) * 10)
    assert x.shape == (5, *shape)
    assert low <= x.min() < x.max() <= high
    assert vae.reconstruct(x, torch.zeros(5, 3)).logits.shape == (5, *shape)


def test_the_decoder_mirrors_the_encoder() -> None:
    vae = Vae(shape=(1, 4, 4), latent=3, widths=(8, 6))
    sizes = [tuple(p.shape) for p in vae.parameters() if p.ndim == 2]
    assert sizes == [(8, 16), (6, 8), (6, 6), (6, 3), (8, 6), (16, 8)]  # μ and log σ² are the encoder's last 2 x 3


def test_no_latent_is_refused() -> None:
    with pytest.raises(SettingError, match="latent: expected a number over 0"):
        Vae(shape=(2,), latent=0)
