"""Clipping puts its player's parameters back into their box, after its move and only then, differentiably."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import Turns, Unrolled
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import SettingError
from agon.games import Adversarial, Batch, Game, parameters_of
from agon.objectives import Wasserstein
from agon.projections import PROJECTIONS, Clipping, Projection
from tests.dynamics.differences import by_differences, surrogate
from tests.dynamics.test_moves import batch

BOUND = 0.2


def network(outputs: int, *end: nn.Module) -> nn.Module:
    layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, outputs), *end)
    layers.latent_shape = (3,)  # type: ignore[assignment]
    return layers


def game_of(*projections: Projection) -> Adversarial:
    torch.manual_seed(1)
    game = Adversarial(
        generator=network(3), critic=network(1, nn.Flatten(0)), objective=Wasserstein(), projections=projections
    )
    return game.double()


def optimisers_of(game: Game, rate: float = 0.05) -> dict[str, torch.optim.Optimizer]:
    return {player: torch.optim.SGD(parameters_of(game, player), lr=rate) for player in game.players}


def stepped(game: Adversarial, *order: tuple[str, ...], times: int = 1) -> Adversarial:
    """A copy after some turns."""
    game = copy.deepcopy(game)
    optimisers = optimisers_of(game)
    for _ in range(times):
        Turns(order).step(game, optimisers, lambda: batch(0))
    return game


def largest(game: Game, player: str) -> float:
    return max(float(p.detach().abs().max()) for p in parameters_of(game, player))


def test_each_parameter_goes_to_the_nearest_point_of_the_box() -> None:
    layer = nn.Linear(1, 4)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-3.0], [-0.1], [0.1], [3.0]]))
        layer.bias.copy_(torch.tensor([0.2, 0.21, -0.2, -0.21]))
        Clipping(bound=0.2)(layer)
    assert torch.equal(layer.weight.flatten(), torch.tensor([-0.2, -0.1, 0.1, 0.2]))
    assert torch.equal(layer.bias, torch.tensor([0.2, 0.2, -0.2, -0.2]))


@pytest.mark.parametrize("of", ["critic", "generator"])
def test_a_move_ends_with_its_own_players_clipping_only(of: str) -> None:
    """The move itself is the unclipped one's; buffers are left alone; the other player is untouched."""
    plain, clipped = game_of(), game_of(Clipping(bound=BOUND, of=of))
    other = {"critic": "generator", "generator": "critic"}[of]
    assert largest(clipped, of) > BOUND  # not yet: nobody has moved
    one, two = stepped(plain, (of,)), stepped(clipped, (of,))
    for free, bounded in zip(parameters_of(one, of), parameters_of(two, of), strict=True):
        assert torch.equal(free.clamp(-BOUND, BOUND), bounded)
    assert all(torch.equal(b, dict(two.named_buffers())[n]) for n, b in one.named_buffers())
    assert all(map(torch.equal, parameters_of(two, other), parameters_of(clipped, other)))
    assert largest(stepped(clipped, (other,)), of) > BOUND  # and not after the other's move


def test_it_holds_for_good_where_the_free_player_leaves() -> None:
    order = (("critic",), ("critic",), ("generator",))
    assert largest(stepped(game_of(Clipping(bound=BOUND)), *order, times=5), "critic") == BOUND
    assert largest(stepped(game_of(), *order, times=5), "critic") > BOUND


def smooth(*projections: Projection) -> Adversarial:
    """A game without statistics, whose critic has one weight in a clipped place and three in free ones."""
    torch.manual_seed(2)
    generator = nn.Linear(3, 4)
    generator.latent_shape = (3,)  # type: ignore[assignment]
    critic = nn.Sequential(nn.Linear(4, 1, bias=False), nn.Flatten(0))
    game = Adversarial(generator=generator, critic=critic, objective=Wasserstein(), projections=projections).double()
    with torch.no_grad():
        critic[0].weight.copy_(torch.tensor([[0.5, 0.01, -0.02, 0.03]]))
    return game


def four(seed: int) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    return Batch(
        torch.randn(6, 4, generator=rng, dtype=torch.float64), torch.randn(6, 3, generator=rng, dtype=torch.float64), {}
    )


def ahead(game: Adversarial, steps: int) -> list[Tensor]:
    """The generator's gradient with a look-ahead."""
    game = copy.deepcopy(game)
    Unrolled(Turns((("generator",),)), steps=steps).step(game, optimisers_of(game), lambda: four(0))
    return [p.grad for p in game.generator.parameters()]


@pytest.mark.parametrize("steps", [1, 3])
def test_a_look_ahead_differentiates_through_it(steps: int) -> None:
    """By finite differences of real steps; the unclipped gradient is another one."""
    game = smooth(Clipping(bound=BOUND))
    found = ahead(game, steps)
    expected = by_differences(
        game,
        "generator",
        lambda: surrogate(game, optimisers_of(game), "generator", ("critic",), [four(0)] * steps, four(0)),
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)
    assert not torch.allclose(found[0], ahead(smooth(), steps)[0], rtol=1e-2)


def test_the_derivative_is_1_inside_and_0_outside() -> None:
    """θ_G moves the looked-ahead critic's free weights, and not the one at its bound."""
    layer = nn.Linear(1, 3, bias=False)
    start = torch.tensor([[0.1], [0.5], [-0.5]], requires_grad=True)
    layer._parameters["weight"] = start * 1.0
    Clipping(bound=BOUND)(layer)
    layer.weight.sum().backward()
    assert start.grad.flatten().tolist() == [1, 0, 0]


def test_a_compiled_look_ahead_takes_the_eager_step() -> None:
    """The projection is a part of the program."""
    game = smooth(Clipping(bound=BOUND))
    plain = Unrolled(steps=2)
    compiled = CompiledUnrolled.of(plain)
    results = []
    for dynamics in (plain, compiled):
        own = copy.deepcopy(game)
        optimisers = optimisers_of(own)
        for _ in range(2):
            dynamics.step(own, optimisers, lambda: four(0))
        results.append(own.state_dict())
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-12)
    assert compiled.programs
    assert all(compiled.programs.values())


def identical(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan"), float("inf")])
def test_a_box_without_inside_is_refused(bound: float) -> None:
    with pytest.raises(SettingError, match="bound of Clipping: expected a number over 0"):
        Clipping(bound=bound)


@pytest.mark.parametrize("name", sorted(PROJECTIONS))
def test_a_projection_of_an_unknown_player_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="critik"):
        game_of(PROJECTIONS[name](of="critik"))
