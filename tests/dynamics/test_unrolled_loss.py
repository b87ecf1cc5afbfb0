"""Unrolling in a loop that is not agon's, and the check that tells true unrolling from a look-alike."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from agon import check_unrolling, unrolled_loss
from agon.dynamics import Turns, Unrolled
from agon.errors import SettingError
from agon.games import parameters_of

from .test_moves import assert_identical, batch, state
from .test_unrolled_exact import CRITICS, RULES, game_of, optimisers_of

Losses = dict[str, Callable[[nn.Module], Tensor]]


def losses(generator: nn.Module, seed: int = 0) -> Losses:
    """The minimax pair, as one would write it."""
    drawn = batch(seed)

    def value(critic: nn.Module) -> Tensor:
        return (softplus(-critic(drawn.real)) + softplus(critic(generator(drawn.latent)))).mean()

    return {"inner": value, "outer": lambda critic: -value(critic)}


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("critic", sorted(CRITICS))
def test_it_is_the_gradient_of_the_dynamics(critic: str, rule: str) -> None:
    """Which is that of finite differences; the generator has no batch normalisation here, which counts its passes."""
    game = game_of(critic)
    optimisers = optimisers_of(game, rule)
    loss = unrolled_loss(game.critic, optimisers["critic"], **losses(game.generator), steps=4)
    found = torch.autograd.grad(loss, parameters_of(game, "generator"))
    Unrolled(Turns((("generator",),)), steps=4).step(game, optimisers, lambda: batch(0))
    for one, parameter in zip(found, parameters_of(game, "generator"), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_the_live_critic_is_untouched(steps: int, checkpoint: bool) -> None:
    """After `backward`, which reaches every leaf: weights, buffers, gradients, flags, modes and moments."""
    for critic in CRITICS:
        game = game_of(critic)
        optimisers = optimisers_of(game, "adam")
        before = state(game, "critic", optimisers)
        loss = unrolled_loss(
            game.critic, optimisers["critic"], **losses(game.generator), steps=steps, checkpoint=checkpoint
        )
        loss.backward()
        assert_identical(state(game, "critic", optimisers), before)
        assert all(p.grad is not None for p in parameters_of(game, "generator"))


def test_the_looked_ahead_critic_is_a_module_like_the_critic() -> None:
    """Its methods, submodules and parameters can be asked for: they are those of the step."""

    class Critic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Linear(3, 4), nn.Linear(4, 1)

        def features(self, x: Tensor) -> Tensor:
            return self.body(x).tanh()

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.features(x)).flatten()

    critic, generator = Critic(), nn.Linear(3, 3)
    optimiser, drawn, seen = torch.optim.Adam(critic.parameters(), lr=0.1), batch(0), []

    def inner(ahead: nn.Module) -> Tensor:
        assert isinstance(ahead, Critic)
        assert ahead is not critic
        decay = sum(p.square().sum() for p in ahead.parameters())
        seen.append(ahead.head.weight.detach().clone())
        features = ahead.features(generator(drawn.latent.float())) - ahead.features(drawn.real.float())
        return features.square().mean() + 0.1 * decay

    loss = unrolled_loss(
        critic, optimiser, inner=inner, outer=lambda c: c(generator(drawn.latent.float())).mean(), steps=3
    )
    loss.backward()
    assert torch.equal(seen[0], critic.head.weight)
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])


def dirac(steps: int) -> float:
    """How far from its place the generator is: a number against a slope, in a loop of one's own."""
    torch.manual_seed(0)
    generator, critic = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    of_g, of_d = (torch.optim.SGD(m.parameters(), lr=0.1) for m in (generator, critic))
    one, real = torch.ones(1, 1), torch.full((1, 1), 2.0)

    def value(critic: nn.Module) -> Tensor:
        return (critic(generator(one)) - critic(real)).mean()

    for _ in range(300):
        of_d.zero_grad()
        value(critic).backward()
        of_d.step()
        of_g.zero_grad()
        unrolled_loss(critic, of_d, inner=value, outer=lambda ahead: -value(ahead), steps=steps).backward()
        of_g.step()
    return abs(float(generator(one).detach()) - 2)


def test_a_loop_of_ones_own_converges_where_the_plain_one_orbits() -> None:
    assert dirac(0) > 0.1
    assert dirac(5) < 1e-3


def first_order(critic: nn.Module, optimiser: torch.optim.Optimizer, given: Losses, steps: int) -> Tensor:
    """What most ports do: the critic's real steps on a copy, and a generator's loss that has forgotten them."""
    critic, optimiser = copy.deepcopy((critic, optimiser))
    for _ in range(steps):
        optimiser.zero_grad()
        given["inner"](critic).backward()
        optimiser.step()
    return given["outer"](critic)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_the_check_tells_unrolled_from_first_order(rule: str, dtype: torch.dtype) -> None:
    game = game_of()
    optimisers = optimisers_of(game, rule)
    if dtype is torch.float32:
        game, optimisers = single(rule)
    drawn = batch(0)
    real, latent = drawn.real.to(dtype), drawn.latent.to(dtype)

    def value(critic: nn.Module) -> Tensor:
        return (softplus(-critic(real)) + softplus(critic(game.generator(latent)))).mean()

    given: Losses = {"inner": value, "outer": lambda critic: -value(critic)}
    own = parameters_of(game, "generator")
    critic, optimiser = game.critic, optimisers["critic"]
    before = state(game, "critic", optimisers), [p.detach().clone() for p in own]
    found = {}
    for name, loss in (
        ("unrolled", unrolled_loss(critic, optimiser, **given, steps=5)),
        ("first-order", first_order(critic, optimiser, given, 5)),
    ):
        for p, g in zip(own, torch.autograd.grad(loss, own), strict=True):
            p.grad = g
        found[name] = check_unrolling(critic, optimiser, **given, steps=5, parameters=own)
    assert {name: verdict.kind for name, verdict in found.items()} == {n: n for n in found}
    assert found["unrolled"]
    assert not found["first-order"]
    assert found["unrolled"].off < 1e-5 < 0.05 < found["first-order"].off
    wrong = [3 * p.grad for p in own if p.grad is not None]
    assert check_unrolling(critic, optimiser, **given, steps=5, parameters=own, gradient=wrong).kind == "neither"
    assert_identical(state(game, "critic", optimisers), before[0])
    assert all(torch.equal(p, b) for p, b in zip(own, before[1], strict=True))
    print(*found.values(), sep="\n")


def single(rule: str) -> tuple[Any, Any]:
    """The same game in float32."""
    game = game_of().float()
    return game, {player: RULES[rule](parameters_of(game, player)) for player in game.players}


def test_a_critic_that_does_not_move_has_one_gradient_which_is_the_true_one() -> None:
    game = game_of()
    still = torch.optim.SGD(game.critic.parameters(), lr=0.0)
    unrolled_loss(game.critic, still, **losses(game.generator), steps=2).backward()
    verdict = check_unrolling(
        game.critic, still, **losses(game.generator), steps=2, parameters=parameters_of(game, "generator")
    )
    assert verdict, str(verdict)
    assert verdict.first_order_off < 1e-12


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": -1}, "steps: expected a number from 0, got -1"),
        ({"critic_optimiser": torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)}, "moves none of its"),
        ({"critic_optimiser": torch.optim.NAdam}, "got NAdam"),
    ],
)
def test_what_cannot_be_unrolled_is_refused_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    game = game_of()
    made = {n: v(game.critic.parameters()) if isinstance(v, type) else v for n, v in change.items()}
    settings = {"critic_optimiser": optimisers_of(game, "adam")["critic"], "steps": 2} | made
    with pytest.raises(SettingError, match=sentence):
        unrolled_loss(game.critic, **settings, **losses(game.generator))


def test_a_frozen_critic_and_disabled_gradients_are_refused() -> None:
    game = game_of()
    optimiser = optimisers_of(game, "adam")["critic"]
    with torch.no_grad(), pytest.raises(SettingError, match="leave that block"):
        unrolled_loss(game.critic, optimiser, **losses(game.generator), steps=1)
    game.critic.requires_grad_(False)
    with pytest.raises(SettingError, match="do not freeze the critic"):
        unrolled_loss(game.critic, optimiser, **losses(game.generator), steps=1)


def test_a_check_without_a_gradient_is_refused() -> None:
    game = game_of()
    with pytest.raises(SettingError, match=r"call backward\(\) first"):
        check_unrolling(
            game.critic,
            optimisers_of(game, "adam", warm=0)["critic"],
            **losses(game.generator),
            steps=1,
            parameters=game.generator.parameters(),
        )
