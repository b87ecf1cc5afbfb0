"""Penalties against closed forms on a linear critic, and their gradients against finite differences."""

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from agon.errors import SettingError
from agon.games import Adversarial, Batch, Losses
from agon.penalties import PENALTIES, R1, R2, GradientPenalty, Penalty, PullingAway, Scored, WeightDecay

N, D = 5, 3


class Linear(nn.Module):
    """D(x) = w·x + b: its input gradient is w everywhere."""

    def __init__(self, weight: list[float], bias: float = 0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64))
        self.bias = nn.Parameter(torch.tensor(bias, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight + self.bias

    def encode(self, x: Tensor) -> Tensor:
        return x.flatten(1) * self.weight


class Encoding(nn.Sequential):
    """A critic whose codes are what its first layers make."""

    def encode(self, x: Tensor) -> Tensor:
        return self[:2](x)


class Quadratic(nn.Module):
    """D(x) = ‖x‖²/2: its input gradient is x itself."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).square().sum(1) / 2


def samples(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape or (N, D), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def scored(critic: nn.Module, real: Tensor, fake: Tensor, noise: Mapping[str, Tensor] | None = None) -> Scored:
    real, fake = (x.clone().requires_grad_() for x in (real, fake))
    return Scored(real, fake, critic(real), critic(fake), noise or {})


def value(penalty: Penalty, critic: nn.Module, seed: int = 0) -> Tensor:
    noise = penalty.noise((N, D), torch.Generator().manual_seed(seed))
    verdict = scored(critic, samples(1), samples(2), noise)
    return penalty(critic, lambda: verdict)


@pytest.mark.parametrize("penalty", [R1(weight=3.0), R2(weight=3.0)], ids=["r1", "r2"])
def test_r1_and_r2_of_a_linear_critic_are_its_squared_weights(penalty: Penalty) -> None:
    torch.testing.assert_close(value(penalty, Linear([1, -2, 2])), torch.tensor(1.5 * 9, dtype=torch.float64))


def test_r1_looks_at_real_samples_and_r2_at_generated_ones() -> None:
    critic = Quadratic()
    torch.testing.assert_close(value(R1(weight=2.0), critic), samples(1).square().sum(1).mean())
    torch.testing.assert_close(value(R2(weight=2.0), critic), samples(2).square().sum(1).mean())


@pytest.mark.parametrize(("weight", "expected"), [([0.6, 0.8, 0.0], 0.0), ([3.0, 0.0, 4.0], 10 * 16.0)])
def test_the_gradient_penalty_of_a_linear_critic_is_its_distance_from_unit_slope(
    weight: list[float], expected: float
) -> None:
    got = value(GradientPenalty(weight=10.0), Linear(weight))
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64))


def test_the_gradient_penalty_is_taken_on_lines_between_pairs() -> None:
    """D = ‖x‖²/2 has slope ‖x̂‖, so the penalty tells where it was taken: at ε x + (1 - ε) G(z)."""
    penalty = GradientPenalty(weight=1.0)
    epsilon = penalty.noise((N, D), torch.Generator().manual_seed(4))["epsilon"].double()
    mixed = epsilon * samples(1) + (1 - epsilon) * samples(2)
    torch.testing.assert_close(value(penalty, Quadratic(), seed=4), (mixed.norm(dim=1) - 1).square().mean())


def test_weight_decay_is_half_the_squared_norm_of_all_parameters() -> None:
    expected = torch.tensor(0.1 / 2 * (1 + 4 + 4 + 0.25), dtype=torch.float64)
    torch.testing.assert_close(value(WeightDecay(weight=0.1), Linear([1, -2, 2])), expected)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 8, 8)])
def test_epsilon_is_one_number_a_sample_and_broadcasts(shape: tuple[int, ...]) -> None:
    epsilon = GradientPenalty().noise(shape, torch.Generator().manual_seed(0))["epsilon"]
    assert epsilon.shape == (4, *[1] * (len(shape) - 1))
    assert ((epsilon >= 0) & (epsilon < 1)).all()
    assert len(epsilon.unique()) == 4
    assert torch.equal(epsilon, GradientPenalty().noise(shape, torch.Generator().manual_seed(0))["epsilon"])


@pytest.mark.parametrize("penalty", [R1(weight=1.0), R2(weight=1.0), WeightDecay(weight=1.0)])
def test_the_others_draw_nothing(penalty: Penalty) -> None:
    rng = torch.Generator().manual_seed(0)
    before = rng.get_state()
    assert penalty.noise((4, 3), rng) == {}
    assert torch.equal(before, rng.get_state())


@pytest.mark.parametrize("name", sorted(PENALTIES))
def test_gradients_in_the_critics_parameters_are_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    critic = Encoding(nn.Linear(D, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)).double()
    penalty = PENALTIES[name](weight=2.0)
    parameters = list(critic.parameters())
    # a bias of the last layer moves no input gradient
    gradients = torch.autograd.grad(value(penalty, critic), parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        numeric = torch.zeros_like(parameter)
        for i in range(parameter.numel()):
            numeric.view(-1)[i] = difference(penalty, critic, parameter, i)
        torch.testing.assert_close(
            torch.zeros_like(parameter) if gradient is None else gradient, numeric, rtol=1e-6, atol=1e-8
        )


def difference(penalty: Penalty, critic: nn.Module, parameter: nn.Parameter, i: int, h: float = 1e-6) -> float:
    """The central difference of the penalty in one number of one parameter."""
    flat = parameter.data.view(-1)
    kept = float(flat[i])
    flat[i] = kept + h
    above = value(penalty, critic).item()
    flat[i] = kept - h
    below = value(penalty, critic).item()
    flat[i] = kept
    return (above - below) / (2 * h)


@pytest.mark.parametrize("name", sorted(PENALTIES))
def test_a_penalty_is_added_once_to_its_players_loss_and_to_no_other(name: str) -> None:
    """Through the game, where samples come without a gradient of their own."""
    penalty = PENALTIES[name](weight=2.0)
    batch, plain = played(())
    _, with_it = played((penalty,))
    mine, other = ("generator", "critic") if penalty.player == "generator" else ("critic", "generator")
    added = with_it.players[mine] - plain.players[mine]
    assert added.item() > 0
    torch.testing.assert_close(added.detach(), with_it.seen[f"penalty/{type(penalty).__name__}"])
    assert torch.equal(with_it.players[other], plain.players[other])
    assert not batch.real.requires_grad


def played(penalties: tuple[Penalty, ...]) -> tuple[Batch, Losses]:
    torch.manual_seed(0)
    generator = nn.Linear(2, D).double()
    generator.latent_shape = (2,)  # type: ignore[assignment]
    game = Adversarial(generator=generator, critic=Linear([1, -2, 2]), penalties=penalties)
    noise = game.noise((N, D), torch.Generator().manual_seed(0))
    batch = Batch(samples(1), samples(3, N, 2), noise)
    return batch, game(batch, of=("critic", "generator"))


def test_weight_decay_of_the_generator_is_the_generators() -> None:
    _, plain = played(())
    _, decayed = played((WeightDecay(weight=1.0, of="generator"),))
    assert decayed.players["generator"] > plain.players["generator"]
    assert torch.equal(decayed.players["critic"], plain.players["critic"])


@pytest.mark.parametrize("name", sorted(PENALTIES))
@pytest.mark.parametrize("weight", [-1e-9, math.nan])
def test_a_negative_weight_is_refused(name: str, weight: float) -> None:
    with pytest.raises(SettingError, match="expected at least 0"):
        PENALTIES[name](weight=weight)


def test_a_penalty_of_an_unknown_player_is_refused() -> None:
    with pytest.raises(SettingError, match="critik"):
        played((WeightDecay(weight=1.0, of="critik"),))


def pulled(codes: Tensor, weight: float = 1.0) -> Tensor:
    """Of these very codes."""
    critic = Encoding(nn.Identity(), nn.Identity(), nn.Flatten())
    return PullingAway(weight=weight)(critic, lambda: Scored(codes, codes, codes[:, 0], codes[:, 0], {}))


def test_pulling_away_is_0_for_orthogonal_and_1_for_parallel_codes() -> None:
    assert pulled(3 * torch.eye(4, dtype=torch.float64)) == 0
    parallel = torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64) * samples(0, 1, 4)
    torch.testing.assert_close(pulled(parallel, weight=0.5), torch.tensor(0.5, dtype=torch.float64))
    assert pulled(samples(0, 1, 4)) == 0  # one sample has none to be pulled away from


def test_pulling_away_is_its_double_loop() -> None:
    codes = samples(0, 5, 4)
    total = 0.0
    for i in range(5):
        for j in range(5):
            if i != j:
                total += float(codes[i] @ codes[j] / (codes[i].norm() * codes[j].norm())) ** 2
    assert float(pulled(codes)) == pytest.approx(total / (5 * 4))


def test_pulling_away_is_differentiable_at_a_code_of_zeros() -> None:
    codes = samples(0, 4, 3)
    codes[1] = 0
    codes.requires_grad_()
    assert torch.autograd.gradcheck(pulled, [samples(1, 4, 3).requires_grad_()])
    (gradient,) = torch.autograd.grad(pulled(codes.float()), codes, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), codes)
    assert gradient.isfinite().all()
    assert second.isfinite().all()
    assert not gradient[1].any()


def test_pulling_away_reaches_the_generator_through_the_critic_and_moves_no_critic() -> None:
    torch.manual_seed(0)
    generator = nn.Linear(2, D).double()
    generator.latent_shape = (2,)  # type: ignore[assignment]
    games = [
        Adversarial(generator=generator, critic=Linear([1, -2, 2]), penalties=penalties)
        for penalties in ((), (PullingAway(weight=5.0),))
    ]
    batch = Batch(samples(1), samples(3, N, 2), {})
    plain, pulling = (
        {
            player: torch.autograd.grad(game(batch, of=(player,)).players[player], list(parameters(game, player)))
            for player in game.players
        }
        for game in games
    )
    assert all(map(torch.equal, plain["critic"], pulling["critic"]))
    assert not torch.allclose(plain["generator"][0], pulling["generator"][0])


def parameters(game: Adversarial, player: str) -> list[nn.Parameter]:
    return list(game.get_submodule(player).parameters())


def test_a_critic_without_codes_is_refused_when_the_game_is_made() -> None:
    generator = nn.Linear(2, D)
    with pytest.raises(SettingError, match="expected a critic with a method encode, got Quadratic"):
        Adversarial(generator=generator, critic=Quadratic(), penalties=(PullingAway(),))
