"""One player's bound: what it sees, what it must reconstruct, and that it trains as every game does."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import agon
from agon import Experiment, Turns, part
from agon.data import Images
from agon.errors import SettingError
from agon.games import Batch, Corruption, GaussianCorruption, SaltAndPepper, Variational
from agon.networks.draw import Draw
from agon.networks.posterior import Autoencoder
from agon.networks.vae import Vae
from tests.training.compare import assert_same

SHAPE = (1, 6, 6)
AUTOENCODER = ("autoencoder",)
MAKE: dict[str, Callable[[], Autoencoder]] = {
    "vae": lambda: Vae(shape=SHAPE, latent=3, widths=(8,)),
    "draw": lambda: Draw(shape=SHAPE, glimpses=2, latent=3, hidden=5, write=3),
}
EVERY = pytest.mark.parametrize("name", MAKE)


def game_of(name: str, **settings: Any) -> Variational:
    torch.manual_seed(0)
    return Variational(autoencoder=MAKE[name](), **settings)


def batch_of(game: Variational, real: Tensor | None = None, seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    real = torch.rand(7, *SHAPE, generator=rng) if real is None else real
    return Batch(real, torch.zeros(0), game.noise(tuple(real.shape), rng))


def loss_of(game: Variational, batch: Batch) -> Tensor:
    return game(batch, of=AUTOENCODER).players["autoencoder"]


@EVERY
def test_the_loss_is_the_negative_elbo_in_nats(name: str) -> None:
    game = game_of(name)
    batch = batch_of(game)
    losses = game(batch, of=AUTOENCODER)
    made = game.autoencoder.reconstruct(batch.real, batch.noise["posterior"])
    p, x = made.logits.sigmoid().double(), batch.real.double()
    surprise = -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1)  # the naive form is fine where p is
    torch.testing.assert_close(losses.seen["reconstruction"].double(), surprise.mean(), rtol=1e-5, atol=0)
    torch.testing.assert_close(losses.seen["divergence"], made.divergence.mean())
    torch.testing.assert_close(losses.players["autoencoder"], -losses.seen["elbo"])
    torch.testing.assert_close(-losses.seen["elbo"], losses.seen["reconstruction"] + losses.seen["divergence"])
    assert not any(value.requires_grad for value in losses.seen.values())


def test_the_gaussian_likelihood_is_torchs() -> None:
    game = Variational(autoencoder=Vae(shape=SHAPE, latent=3, widths=(8,)), likelihood="gaussian", std=0.3)
    logits, x = torch.randn(2, 5, *SHAPE)
    expected = -torch.distributions.Normal(logits.sigmoid(), 0.3).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(game.surprise(logits, x), expected)


@EVERY
def test_losses_draw_nothing_and_change_nothing(name: str) -> None:
    game = game_of(name, corruption=GaussianCorruption(std=0.1), binarise=True)
    batch = batch_of(game)
    before, state = batch.real.clone(), torch.get_rng_state()
    assert torch.equal(loss_of(game, batch), loss_of(game, batch))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(batch.real, before)
    assert not torch.equal(loss_of(game, batch), loss_of(game, batch_of(game, batch.real, seed=1)))


NONE = [GaussianCorruption(std=0.0), SaltAndPepper(share=0.0)]


@EVERY
@pytest.mark.parametrize("corruption", NONE, ids=lambda each: type(each).__name__)
def test_a_dvae_without_corruption_is_the_vae(name: str, corruption: Corruption) -> None:
    plain, denoising = game_of(name), game_of(name, corruption=corruption)
    one, two = batch_of(plain), batch_of(denoising)
    assert torch.equal(one.noise["posterior"], two.noise["posterior"])
    assert torch.equal(loss_of(plain, one), loss_of(denoising, two))


class Recorded(Vae):
    """Keeps what its encoder is shown."""

    def reconstruct(self, x: Tensor, noise: Tensor) -> Any:
        self.shown = x
        return super().reconstruct(x, noise)


@pytest.mark.parametrize("binarise", [False, True])
def test_corruption_enters_only_the_encoder(binarise: bool) -> None:
    """With an encoder that ignores its input, the loss is the VAE's: the target is clean."""
    torch.manual_seed(0)
    corruption = GaussianCorruption(std=0.5)
    vae = Recorded(shape=SHAPE, latent=3, widths=(8,))
    game = Variational(autoencoder=vae, corruption=corruption, binarise=binarise)
    batch = batch_of(game)
    for parameter in vae.encoder.parameters():
        parameter.data.zero_()
    plain = Variational(autoencoder=vae, binarise=binarise)
    assert torch.equal(loss_of(game, batch), loss_of(plain, batch))
    clean = vae.shown
    loss_of(game, batch)
    torch.testing.assert_close(vae.shown, clean + 0.5 * batch.noise["corruption"])
    dirty = batch._replace(real=batch.real + 0.5 * batch.noise["corruption"])
    if not binarise:  # negative control: a target that is corrupted too
        assert (loss_of(game, dirty) - loss_of(game, batch)).abs() > 0.01


def test_corruptions_have_their_moments() -> None:
    rng, x = torch.Generator().manual_seed(0), torch.full((100, 1, 20, 20), 0.4)
    n = x.numel()
    gaussian = GaussianCorruption(std=0.2)
    noisy = gaussian(x, gaussian.noise(tuple(x.shape), rng))
    assert abs(noisy.mean() - 0.4) < 4 * 0.2 / math.sqrt(n)
    assert abs(noisy.std() / 0.2 - 1) < 4 / math.sqrt(2 * n)
    pepper = SaltAndPepper(share=0.3, range=(-1.0, 1.0))
    spotted = pepper(x, pepper.noise(tuple(x.shape), rng))
    for value in (-1.0, 1.0):
        assert abs((spotted == value).double().mean() - 0.15) < 4 * math.sqrt(0.15 * 0.85 / n)
    assert spotted.unique().tolist() == pytest.approx([-1.0, 0.4, 1.0])
    everything = SaltAndPepper(share=1.0)
    assert set(everything(x, everything.noise(tuple(x.shape), rng)).unique().tolist()) == {0.0, 1.0}
    assert (x == 0.4).all()


def test_binary_data_are_drawn_anew_with_the_grey_value_as_probability() -> None:
    vae = Recorded(shape=SHAPE, latent=3, widths=(8,))
    game, real = Variational(autoencoder=vae, binarise=True), torch.full((2000, *SHAPE), 0.3)
    loss_of(game, batch_of(game, real, seed=0))
    first = vae.shown
    loss_of(game, batch_of(game, real, seed=1))
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert abs(first.mean() - 0.3) < 4 * math.sqrt(0.21 / first.numel())
    assert not torch.equal(first, vae.shown)
    whole = torch.randint(0, 2, (4, *SHAPE)).float()
    loss_of(game, batch_of(game, whole))
    assert torch.equal(vae.shown, whole)  # 0 and 1 stay what they are


@EVERY
def test_images_of_exactly_0_and_1_have_finite_losses_at_any_logit(name: str) -> None:
    game = game_of(name)
    for value in (0.0, 1.0):
        loss = loss_of(game, batch_of(game, torch.full((7, *SHAPE), value)))
        loss.backward()
        assert torch.isfinite(loss)
        assert all(torch.isfinite(p.grad).all() for p in game.parameters() if p.grad is not None)
        logits = torch.full((1, *SHAPE), 1e4).requires_grad_()
        surprise = game.surprise(logits, torch.full((1, *SHAPE), value))
        assert surprise.item() == pytest.approx(36e4 if value == 0 else 0)
        (gradient,) = torch.autograd.grad(surprise.sum(), logits)
        assert (gradient == (1 if value == 0 else 0)).all()  # where log(sigmoid + eps) has none


@EVERY
def test_samples_ignore_the_encoder(name: str) -> None:
    game = game_of(name)
    z = torch.randn(5, *game.latent_shape)
    before = game.generate(z)
    assert before.shape == (5, *SHAPE)
    assert 0 <= before.min() < before.max() <= 1
    for part_, same in (("encoder", True), ("decoder", False)):
        for parameter in game.autoencoder.get_submodule(part_).parameters():
            parameter.data += 0.1
        assert torch.equal(game.generate(z), before) is same
    assert game.realness(before) is None


@EVERY
@pytest.mark.parametrize("settings", [{}, {"corruption": SaltAndPepper(share=0.2), "binarise": True}], ids=str)
def test_every_parameter_gets_a_gradient(name: str, settings: dict[str, Any]) -> None:
    game = game_of(name, **settings)
    loss_of(game, batch_of(game)).backward()
    for parameter_name, parameter in game.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.any(), parameter_name


def test_settings_that_do_not_fit_are_sentences() -> None:
    other = Vae(shape=SHAPE, latent=3, range=(-1.0, 1.0))
    for settings in ({}, {"likelihood": "gaussian", "binarise": True}):
        with pytest.raises(SettingError, match=r"expected an autoencoder of range \(0.0, 1.0\), got \(-1.0, 1.0\)"):
            Variational(autoencoder=other, **settings)
    with pytest.raises(SettingError, match=r"expected data of range \(0.0, 1.0\), got \(-1.0, 1.0\)"):
        game_of("vae").check_source(Images())
    Variational(autoencoder=other, likelihood="gaussian").check_source(Images())
    with pytest.raises(SettingError, match=r"shape \(1, 8, 8\), got \(1, 6, 6\)"):
        game_of("vae").check((1, 8, 8))
    with pytest.raises(SettingError, match="std: expected a number over 0"):
        Variational(autoencoder=other, likelihood="gaussian", std=0.0)
    with pytest.raises(SettingError, match="std of GaussianCorruption: expected a number of at least 0, got -1"):
        GaussianCorruption(std=-1.0)
    with pytest.raises(SettingError, match="share of SaltAndPepper: expected a number from 0 to 1, got 2"):
        SaltAndPepper(share=2.0)
    with pytest.raises(SettingError, match="range of SaltAndPepper"):
        SaltAndPepper(range=(1.0, 0.0))


def experiment(name: str) -> Experiment:
    data = Images(path="digits", range=(0.0, 1.0))
    networks = {
        "vae": part(Vae, shape=data.shape, latent=3, widths=(8,)),
        "draw": part(Draw, shape=data.shape, glimpses=2, latent=3, hidden=8, write=3),
    }
    game = part(Variational, autoencoder=networks[name], corruption=GaussianCorruption(), binarise=True)
    marks = {"log_every": 1, "sample_every": 3, "checkpoint_every": 2, "grid": 4}
    return Experiment(game=game, data=data, steps=6, batch=16, dynamics=Turns((AUTOENCODER,)), **marks)


@EVERY
def test_it_trains_and_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    one, whole = tmp_path / "one", tmp_path / "whole"
    compute = agon.Compute(threads=1, device="cpu")
    described = experiment(name)
    assert Experiment.from_json(described.to_json()) == described
    agon.train(described.with_steps(4), one, compute=compute, show=False)
    agon.resume(one, steps=6, show=False)
    agon.train(described, whole, compute=compute, show=False)
    assert_same(one, whole)
