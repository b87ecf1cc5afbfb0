"""Steps are known linear maps on the bilinear game; whoever does not move stays what it was, bit for bit."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from agon.dynamics import ALTERNATING, Turns, isolate
from agon.dynamics.moves import gradients_of
from agon.games import Adversarial, Autoregressive, Batch, Game, Losses, parameters_of

H = 0.1
SIMULTANEOUS = (("generator", "critic"),)
GENERATOR_FIRST = (("generator",), ("critic",))


class Number(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))


class Bilinear(Game):
    """f = θψ; the generator holds θ and minimises f, the critic holds ψ and minimises -f."""

    players: ClassVar[Mapping[str, Sequence[str]]] = {"generator": ("theta",), "critic": ("psi",)}
    generating_players: ClassVar[Sequence[str]] = ()
    latent_shape = (1,)

    def __init__(self, theta: float, psi: float) -> None:
        super().__init__()
        self.theta, self.psi = Number(theta), Number(psi)

    def generate(self, latent: Tensor) -> Tensor:
        raise NotImplementedError

    def losses(self, batch: Batch, fake: Tensor | None = None, *, of: Any) -> Losses:
        f = self.theta.value * self.psi.value
        return Losses({player: f if player == "generator" else -f for player in of}, {})

    @property
    def point(self) -> Tensor:
        return torch.stack([self.theta.value.detach(), self.psi.value.detach()])


def sgd(game: Game, rate: float = H) -> dict[str, torch.optim.Optimizer]:
    return {player: torch.optim.SGD(parameters_of(game, player), lr=rate) for player in game.players}


NOTHING = Batch(torch.zeros(1, 1), torch.zeros(1, 1), {})


def stepped(turns: Turns, theta: float, psi: float) -> Tensor:
    game = Bilinear(theta, psi)
    turns.step(game, sgd(game), lambda: NOTHING)
    return game.point


def whole_map(order: tuple[tuple[str, ...], ...]) -> Tensor:
    """The step is linear: its matrix, column by column."""
    return torch.stack([stepped(Turns(order), 1.0, 0.0), stepped(Turns(order), 0.0, 1.0)], dim=1)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (SIMULTANEOUS, [[1, -H], [H, 1]]),
        (ALTERNATING, [[1 - H**2, -H], [H, 1]]),
        (GENERATOR_FIRST, [[1, -H], [H, 1 - H**2]]),
        ((("critic",), ("critic",), ("generator",)), [[1 - 2 * H**2, -H], [2 * H, 1]]),
        ((("generator",), ("generator", "critic")), [[1, -2 * H], [H, 1 - H**2]]),
        ((("critic",),), [[1, 0], [H, 1]]),
    ],
)
def test_a_step_is_its_matrix(order: tuple[tuple[str, ...], ...], expected: list[list[float]]) -> None:
    torch.testing.assert_close(whole_map(order), torch.tensor(expected, dtype=torch.float64), rtol=1e-15, atol=1e-16)


def orbit(order: tuple[tuple[str, ...], ...], steps: int = 200) -> Tensor:
    game = Bilinear(0.7, -1.3)
    optimisers, points = sgd(game), [game.point]
    for _ in range(steps):
        Turns(order).step(game, optimisers, lambda: NOTHING)
        points.append(game.point)
    return torch.stack(points)


def test_simultaneous_moves_spiral_outwards_by_1_plus_h_squared() -> None:
    squares = orbit(SIMULTANEOUS).square().sum(1)
    torch.testing.assert_close(squares[1:] / squares[:-1], torch.full_like(squares[1:], 1 + H**2), rtol=1e-14, atol=0)


@pytest.mark.parametrize(("order", "sign"), [(GENERATOR_FIRST, -1), (ALTERNATING, 1)])
def test_alternating_moves_conserve_an_ellipse(order: tuple[tuple[str, ...], ...], sign: int) -> None:
    points = orbit(order)

    def energy(sign: int) -> Tensor:
        return points.square().sum(1) + sign * H * points.prod(1)

    torch.testing.assert_close(energy(sign), energy(sign)[:1].expand(201), rtol=1e-12, atol=0)
    assert energy(-sign).std() > 1e-2  # the other order's ellipse is another one


def test_the_losses_told_are_those_before_the_move() -> None:
    game = Bilinear(2.0, 3.0)
    told = Turns().step(game, sgd(game), lambda: NOTHING)
    assert told.players["critic"] == -6
    assert told.players["generator"] == pytest.approx(2 * (3 + H * 2))
    assert not any(loss.requires_grad for loss in told.players.values())


class Normed(nn.Sequential):
    """Batch and spectral normalisation: buffers that every pass changes."""

    latent_shape = (3,)

    def __init__(self, outputs: int, *end: nn.Module) -> None:
        first = nn.Linear(3, 5)
        super().__init__(spectral_norm(first), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, outputs), *end)


def networks(seed: int = 0) -> Adversarial:
    torch.manual_seed(seed)
    return Adversarial(generator=Normed(3), critic=Normed(1, nn.Flatten(0))).double()


def batch(seed: int) -> Batch:
    real, latent = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Batch(real, latent, {})


def adam(game: Game) -> dict[str, torch.optim.Optimizer]:
    return {player: torch.optim.Adam(parameters_of(game, player), lr=1e-2) for player in game.players}


def state(game: Game, player: str, optimisers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Any]:
    """All of a player that another's move could disturb."""
    module = game.get_submodule(player)
    parameters = dict(module.named_parameters())
    return copy.deepcopy(
        {
            "weights and buffers": module.state_dict(),
            "gradients": {n: p.grad for n, p in parameters.items()},
            "flags": {n: p.requires_grad for n, p in parameters.items()},
            "modes": {n: m.training for n, m in module.named_modules()},
            "tracking": {n: getattr(m, "track_running_stats", None) for n, m in module.named_modules()},
            "moments": dict(enumerate(optimisers[player].state[p] for p in parameters.values())),
        }
    )


def assert_identical(one: object, other: object, where: str = "") -> None:
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_identical(one[key], other[key], f"{where}/{key}")
    elif isinstance(one, Tensor) and isinstance(other, Tensor):
        assert torch.equal(one, other), where
    else:
        assert one == other, where


Step = Callable[[Adversarial, Mapping[str, torch.optim.Optimizer], str], None]


def moved(game: Adversarial, optimisers: Mapping[str, torch.optim.Optimizer], mover: str) -> None:
    Turns(((mover,),)).step(game, optimisers, lambda: batch(1))


def leaking(game: Adversarial, optimisers: Mapping[str, torch.optim.Optimizer], mover: str) -> None:
    """What one writes first: the other player's normalisation and gradients change too."""
    game(batch(1), of=(mover,)).players[mover].backward()
    optimisers[mover].step()


def others_after(step: Step, mover: str) -> None:
    game = networks()
    optimisers = adam(game)
    Turns(draws="round").step(game, optimisers, lambda: batch(0))  # so that there are moments
    other = "critic" if mover == "generator" else "generator"
    game.get_submodule(other)[2].eval()
    game.get_submodule(other)[3].bias.requires_grad_(False)
    mine, before = (state(game, player, optimisers) for player in (mover, other))
    step(game, optimisers, mover)
    assert_identical(state(game, other, optimisers), before)
    now = state(game, mover, optimisers)
    assert not torch.equal(now["weights and buffers"]["3.weight"], mine["weights and buffers"]["3.weight"])
    assert now["weights and buffers"]["1.num_batches_tracked"] > mine["weights and buffers"]["1.num_batches_tracked"]


@pytest.mark.parametrize("mover", ["generator", "critic"])
def test_whoever_does_not_move_stays_bit_identical(mover: str) -> None:
    others_after(moved, mover)


@pytest.mark.parametrize("mover", ["generator", "critic"])
def test_a_leaking_step_is_caught(mover: str) -> None:
    with pytest.raises(AssertionError):
        others_after(leaking, mover)


def test_isolating_gives_everything_back_after_an_error() -> None:
    game = networks()
    before = state(game, "critic", adam(game))

    def fail() -> None:
        with isolate(game, ("generator",)):
            assert not any(p.requires_grad for p in game.critic.parameters())
            game.critic(batch(0).real)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert_identical(state(game, "critic", adam(game)), before)


@pytest.mark.parametrize("contrastive", [False, True])
def test_shared_terms_give_each_player_the_gradients_of_its_own_loss(contrastive: bool) -> None:
    """One pass backwards for each term, in place of one for each player; the bits are the same."""
    torch.manual_seed(0)
    networks = {name: nn.Sequential(nn.Linear(3, 3), nn.Tanh()) for name in ("encoder", "autoregressor")}
    generator = nn.Linear(2, 3)
    generator.latent_shape = (2,)  # type: ignore[assignment]
    game = Autoregressive(generator=generator, **networks, contrastive=contrastive)
    losses = game(Batch(torch.randn(5, 3), torch.randn(5, 2), {}), of=tuple(game.players))
    expected = gradients_of(game, losses._replace(sums={}), tuple(game.players), again=True)
    found = gradients_of(game, losses, tuple(game.players), again=True)
    assert found.keys() == expected.keys()
    for player, values in expected.items():
        assert all(torch.equal(*both) for both in zip(values, found[player], strict=True))  # type: ignore[arg-type]
    (term, *_) = losses.sums["encoder"]
    wrong = losses._replace(sums={**losses.sums, "encoder": [term]})  # the negative control: a term left out
    others = gradients_of(game, wrong, tuple(game.players))["encoder"]
    assert not all(map(torch.equal, others, expected["encoder"]))  # type: ignore[arg-type]
