"""Autoencoders as critics: the logit is minus the reconstruction error, for any encoder and decoder that fit."""

import copy
from typing import Any

import jaxtyping
import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import Unrolled
from agon.errors import SettingError
from agon.games import Adversarial, Batch, parameters_of
from agon.networks import autoencoder, cnn
from agon.objectives import OBJECTIVES

LAYERS = ((4, 2, 3), (3, 1, 4), (4, 2, 5))
SHAPES = [(1, 28, 28), (3, 32, 32), (1, 8, 8), (2, 13, 9)]


def mirrored(shape: tuple[int, int, int] = (1, 8, 8), **settings: Any) -> autoencoder.Critic:
    torch.manual_seed(0)
    encoder = cnn.Encoder(shape=shape, layers=LAYERS, gain=0.3)
    return autoencoder.Critic(
        encoder=encoder, decoder=autoencoder.Mirror(shape=shape, layers=LAYERS, gain=0.3), **settings
    )


def through_a_vector(shape: tuple[int, int, int] = (1, 8, 8), **settings: Any) -> autoencoder.Critic:
    torch.manual_seed(0)
    sizes = {"shape": shape, "width": 3, "depth": 1, "smallest": 4}
    return autoencoder.Critic(
        encoder=autoencoder.Encoder(code=5, **sizes), decoder=autoencoder.Decoder(latent=5, **sizes), **settings
    )


MAKES = [mirrored, through_a_vector]


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_size_is_reconstructed_at_its_size(make: Any, shape: tuple[int, int, int]) -> None:
    critic, x = make(shape), torch.rand(3, *shape)
    assert critic.reconstruct(x).shape == x.shape
    logits = critic(x)
    assert logits.shape == (3,)
    assert (logits < 0).all()
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in critic.parameters())


def test_the_logit_is_minus_the_error_written_out() -> None:
    x = torch.rand(4, 1, 8, 8)
    for make in MAKES:
        for error in autoencoder.ERRORS:
            critic = make(error=error).eval()
            off = (critic.decoder(critic.encoder(x)) - x).detach().double()
            for i in range(4):
                numbers = [float(d) for d in off[i].flatten()]
                expected = {
                    "squared": sum(d * d for d in numbers) / 64,
                    "absolute": sum(abs(d) for d in numbers) / 64,
                    "euclidean": sum(d * d for d in numbers) ** 0.5,
                }[error]
                assert float(critic(x)[i].detach()) == pytest.approx(-expected, rel=1e-5)


@pytest.mark.parametrize("error", sorted(autoencoder.ERRORS))
def test_a_perfect_reconstruction_is_the_most_real(error: autoencoder.ReconstructionError) -> None:
    """0, with a gradient of 0 and a second derivative that is a number; anything else is below."""
    critic = autoencoder.Critic(encoder=nn.Identity(), decoder=nn.Linear(4, 4), error=error).double()
    with torch.no_grad():
        critic.decoder.weight.copy_(torch.eye(4))
        critic.decoder.bias.zero_()
    x = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    logits = critic(x)
    assert not logits.any()
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    assert not gradient.any()
    second = torch.autograd.grad(gradient.square().sum(), list(critic.parameters()), allow_unused=True)
    assert all(g is None or g.isfinite().all() for g in second)
    with torch.no_grad():
        critic.decoder.bias[0] = 0.1
    assert (critic(x) < 0).all()


def test_a_euclidean_error_grows_with_the_number_of_pixels_and_a_mean_does_not() -> None:
    off = torch.full((2, 16), 0.5)
    told = {name: error(torch.cat([off] * 4, 1)) / error(off) for name, error in autoencoder.ERRORS.items()}
    assert {name: float(ratio[0]) for name, ratio in told.items()} == {"squared": 1, "absolute": 1, "euclidean": 2}


def test_reconstructions_of_another_shape_are_refused() -> None:
    """One channel against three would be broadcast."""
    encoder = cnn.Encoder(shape=(3, 8, 8), layers=LAYERS)
    critic = autoencoder.Critic(encoder=encoder, decoder=autoencoder.Mirror(shape=(1, 8, 8), layers=LAYERS))
    with pytest.raises(SettingError, match=r"samples' shape \(3, 8, 8\), got \(1, 8, 8\)"):
        critic(torch.zeros(2, 3, 8, 8))


def test_an_unknown_error_gets_the_nearest_known_one() -> None:
    jaxtyping.config.update("jaxtyping_disable", True)  # as a user has it
    with pytest.raises(SettingError, match="did you mean 'squared'"):
        mirrored(error="square")
    jaxtyping.config.update("jaxtyping_disable", False)


def test_the_mirror_has_the_encoders_layers_in_reverse() -> None:
    """(128)4c2s-(64)4c2s-(3)4c2s against (64)4c2s-(128)4c2s-(256)4c2s: zhao2016, appendix D."""
    layers = ((4, 2, 64), (4, 2, 128), (4, 2, 256))
    mirror = autoencoder.Mirror(shape=(3, 64, 64), layers=layers)
    ups = [m for m in mirror.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [(up.in_channels, up.out_channels, up.kernel_size, up.stride) for up in ups] == [
        (256, 128, (4, 4), (2, 2)),
        (128, 64, (4, 4), (2, 2)),
        (64, 3, (4, 4), (2, 2)),
    ]
    assert [m.num_features for m in mirror.modules() if isinstance(m, nn.BatchNorm2d)] == [128, 64]


def test_widths_grow_by_the_size_in_the_encoder_and_stay_in_the_decoder() -> None:
    """berthelot2017, section 3.5, at 64x64 down to 8x8."""
    encoder = autoencoder.Encoder(shape=(3, 64, 64), code=64, width=128)
    decoder = autoencoder.Decoder(shape=(3, 64, 64), latent=64, width=128)
    down, up = ([m for m in n.modules() if isinstance(m, nn.Conv2d)] for n in (encoder, decoder))
    assert [m.out_channels for m in down] == [128] * 3 + [256] * 3 + [384] * 3 + [512] * 3
    assert [m.stride[0] for m in down] == [1, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1]
    assert [m.out_channels for m in up] == [128] * 8 + [3]
    assert encoder.layers[-1].in_features == 512 * 8 * 8
    assert decoder.project.out_features == 128 * 8 * 8


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_it_plays_with_any_objective_and_can_be_looked_ahead_at(make: Any, objective: str) -> None:
    critic = make()
    generator = autoencoder.Decoder(shape=(1, 8, 8), latent=2, width=3, depth=1, range=(-1.0, 1.0))
    game = Adversarial(generator=generator, critic=critic, objective=OBJECTIVES[objective]()).double()
    game.check((1, 8, 8))
    optimisers = {player: torch.optim.Adam(parameters_of(game, player)) for player in game.players}
    before = copy.deepcopy(game.state_dict())
    drawn = Batch(torch.rand(4, 1, 8, 8, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64), {})
    told = Unrolled(steps=2).step(game, optimisers, lambda: drawn)
    assert all(loss.isfinite() for loss in told.players.values())
    assert all(value.isfinite().all() for value in game.state_dict().values())
    assert moved(before, game) == {"generator", "critic"}


def moved(before: dict[str, Tensor], game: nn.Module) -> set[str]:
    after = game.state_dict()
    return {name.partition(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
