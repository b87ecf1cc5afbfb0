"""Boundary equilibrium: the losses and k's rule by hand, under every dynamics, in checkpoints and across processes."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import agon
from agon import Experiment, part
from agon.data import Images
from agon.dynamics import Extragradient, Optimistic, Turns, Unrolled
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import SettingError
from agon.games import Batch, BoundaryEquilibrium, equilibrium, parameters_of
from agon.networks import autoencoder
from agon.penalties import PullingAway
from agon.runs import Run
from tests.dynamics.test_moves import SIMULTANEOUS
from tests.training.compare import assert_same


class Shift(nn.Module):
    """z -> z + b: where the generator is, exactly."""

    latent_shape = (3,)

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.5))

    def forward(self, latent: Tensor) -> Tensor:
        return latent + self.shift


class Energy(nn.Module):
    """a(x) = -|w| E|x|."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return -self.scale.abs() * x.abs().mean(1)


def game_of(**settings: Any) -> BoundaryEquilibrium:
    return BoundaryEquilibrium(generator=Shift(), critic=Energy(), **settings).double()


def drawn(seed: int, real: float = 1.0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    x, z = torch.randn(2, 4, 3, generator=rng, dtype=torch.float64)
    return Batch(real * x, z, {})


def sgd(game: BoundaryEquilibrium, rate: float = 1e-3) -> dict[str, torch.optim.Optimizer]:
    return {player: torch.optim.SGD(parameters_of(game, player), lr=rate) for player in game.players}


def energies(game: BoundaryEquilibrium, batch: Batch) -> tuple[float, float]:
    """L(x) and L(G(z)) by hand."""
    w, b = float(game.critic.scale.detach()), float(game.generator.shift.detach())
    return w * float(batch.real.abs().mean()), w * float((batch.latent + b).abs().mean())


def test_the_losses_are_their_formulas() -> None:
    game, batch = game_of(initial=0.3), drawn(0)
    real, fake = energies(game, batch)
    told = game(batch, of=("generator", "critic"))
    assert float(told.players["critic"].detach()) == pytest.approx(real - 0.3 * fake, rel=1e-7)
    assert float(told.players["generator"].detach()) == pytest.approx(fake, rel=1e-7)
    assert float(told.seen["equilibrium/k"]) == pytest.approx(0.3)
    assert float(told.seen["equilibrium/measure"]) == pytest.approx(real + abs(0.5 * real - fake))
    assert not any(value.requires_grad for value in told.seen.values())
    assert game.k == pytest.approx(0.3)  # losses are pure


def by_hand(game: BoundaryEquilibrium, batches: Sequence[Batch], sign: int = 1) -> list[float]:
    """k after each of the critic's moves along real steps of a copy."""
    game = copy.deepcopy(game)
    optimisers, k, told = sgd(game), float(game.k), []
    for batch in batches:
        real, fake = energies(game, batch)
        k = min(max(k + sign * game.rate * (game.gamma * real - fake), 0.0), 1.0)
        told.append(k)
        Turns(SIMULTANEOUS).step(game, optimisers, lambda batch=batch: batch)
    return told


def live(game: BoundaryEquilibrium, batches: Sequence[Batch]) -> list[float]:
    game = copy.deepcopy(game)
    optimisers, told = sgd(game), []
    for batch in batches:
        Turns(SIMULTANEOUS).step(game, optimisers, lambda batch=batch: batch)
        told.append(float(game.k))
    return told


@pytest.mark.parametrize(("initial", "real", "end"), [(0.5, 5.0, 1.0), (0.5, 0.1, 0.0), (0.2, 2.2, None)])
def test_k_follows_its_rule_to_both_clamps(initial: float, real: float, end: float | None) -> None:
    """Real samples of high energy raise it to 1, of low energy lower it to 0; the other sign is another walk."""
    game = game_of(initial=initial, rate=0.1)
    batches = [drawn(seed, real) for seed in range(8)]
    told = live(game, batches)
    assert told == pytest.approx(by_hand(game, batches), abs=1e-9)
    assert told != pytest.approx(by_hand(game, batches, sign=-1), abs=1e-3)
    assert len(set(told)) > 2
    assert end is None or told[-1] == end


def test_k_moves_with_the_critic_once_and_never_with_the_generator() -> None:
    game, batch = game_of(initial=0.3, rate=0.1), drawn(0)
    optimisers = sgd(game)
    Turns((("generator",),)).step(game, optimisers, lambda: batch)
    assert float(game.k) == pytest.approx(0.3, abs=1e-7)
    (expected,) = by_hand(game, [batch])
    Turns((("critic",), ("generator",))).step(game, optimisers, lambda: batch)
    assert float(game.k) == pytest.approx(expected, abs=1e-9)
    assert expected != pytest.approx(0.3)


@pytest.mark.parametrize("dynamics", [Unrolled(steps=2), Unrolled(Turns(SIMULTANEOUS), steps=2)], ids=str)
def test_a_look_ahead_has_a_k_of_its_own(dynamics: Unrolled) -> None:
    """It changes from inner step to inner step; the live one once a round, as without looking ahead."""
    game = game_of(initial=0.3, rate=0.1)
    plain, ahead = copy.deepcopy(game), copy.deepcopy(game)
    dynamics.turns.step(plain, sgd(plain), lambda: drawn(0))
    told = dynamics.step(ahead, sgd(ahead), lambda: drawn(0))
    assert torch.equal(ahead.k, plain.k)
    assert not ahead.k.requires_grad
    seen = [told.seen[name] for name in ("equilibrium/k", "ahead/equilibrium/k")]
    assert not torch.equal(*seen)
    assert all(p.grad.isfinite() for player in game.players for p in parameters_of(ahead, player))


@pytest.mark.parametrize("order", [Turns().order, SIMULTANEOUS])
def test_k_moves_where_the_critic_looks_ahead_too(order: tuple[tuple[str, ...], ...]) -> None:
    """By what the critic has seen in its own pass."""
    game = game_of(initial=0.3, rate=0.1)
    told = Unrolled(Turns(order), looks_ahead={"critic": ("generator",)}, steps=2).step(
        game, sgd(game), lambda: drawn(0)
    )
    surplus = told.seen["ahead/logit/fake"] - game.gamma * told.seen["ahead/logit/real"]
    assert float(game.k) == pytest.approx(0.3 + 0.1 * float(surplus), abs=1e-7)


def test_an_unrolled_gradient_is_that_of_finite_differences() -> None:
    """With k on its walk, which is a constant to each step's derivative: so it is held there for the differences."""
    game, width = game_of(initial=0.3, rate=1e-9), 1e-5  # a rate at which k's own derivative is below what is compared
    batch, rule = drawn(0), Unrolled(Turns((("generator",),)), steps=3)

    def surrogate(shift: float) -> float:
        there = copy.deepcopy(game)
        with torch.no_grad():
            there.generator.shift += shift
        optimisers = sgd(there, rate=0.1)
        for _ in range(3):
            Turns((("critic",),)).step(there, optimisers, lambda: batch)
        return float(there(batch, of=("generator",)).players["generator"].detach())

    own = copy.deepcopy(game)
    rule.step(own, sgd(own, rate=0.1), lambda: batch)
    expected = (surrogate(width) - surrogate(-width)) / (2 * width)
    assert float(own.generator.shift.grad) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dynamics", [Extragradient(), Optimistic(), CompiledUnrolled(steps=1)], ids=type)
def test_k_moves_once_a_round_under_any_dynamics(dynamics: Any) -> None:
    game = game_of(initial=0.3, rate=0.1)
    (expected,) = by_hand(game, [drawn(0)])
    dynamics.step(game, sgd(game), lambda: drawn(0))
    assert float(game.k) == pytest.approx(expected, abs=1e-9)


def test_processes_keep_one_k(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has half of the batch, and moves k by the whole: here the other half is told by hand."""
    batches = [drawn(0), drawn(1, real=3.0)]
    both = Batch(*(torch.cat(pair) for pair in zip(*((b.real, b.latent) for b in batches), strict=True)), {})
    one, other, whole = (game_of(initial=0.3, rate=0.1) for _ in range(3))
    seen = [game(b, of=("critic",)).seen for game, b in zip((one, other, whole), (*batches, both), strict=True)]
    surplus = [s["logit/fake"] - one.gamma * s["logit/real"] for s in seen]
    whole.after_update("critic", seen[2])
    monkeypatch.setattr(equilibrium.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(equilibrium.dist, "get_world_size", lambda: 2)
    for game, own, others in ((one, 0, 1), (other, 1, 0)):
        monkeypatch.setattr(equilibrium, "total", lambda value, others=others: value + surplus[others])
        game.after_update("critic", seen[own])
        torch.testing.assert_close(game.k, whole.k)


def trained(steps: int, where: Path) -> Path:
    data = Images(path="digits")
    sizes = {"shape": data.shape, "width": 3, "depth": 1, "smallest": 4}
    decoder = part(autoencoder.Decoder, latent=4, **sizes)
    critic = part(autoencoder.Critic, encoder=part(autoencoder.Encoder, code=4, **sizes), decoder=decoder)
    experiment = Experiment(
        game=part(
            BoundaryEquilibrium, generator=decoder, critic=critic, rate=0.1, penalties=(PullingAway(weight=0.1),)
        ),
        data=data,
        steps=steps,
        batch=8,
        dynamics=Turns(SIMULTANEOUS),
        log_every=1,
        sample_every=3,
        checkpoint_every=3,
        grid=4,
    )
    assert Experiment.from_json(experiment.to_json()) == experiment
    agon.train(experiment, where, compute=agon.Compute(threads=1, device="cpu"), show=False)
    return where


def test_k_is_in_the_checkpoint_and_comes_back_bit_for_bit(tmp_path: Path) -> None:
    whole, parts = trained(6, tmp_path / "whole"), trained(3, tmp_path / "parts")
    middle = Run.open(parts).last_good()[0]
    assert middle is not None
    assert 0 < float(middle.tensors["game/k"]) < 1
    agon.resume(parts, steps=6, show=False)
    assert_same(whole, parts)
    last = Run.open(parts).last_good()[0]
    assert last is not None
    assert last.tensors["game/k"] != middle.tensors["game/k"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gamma": 0.0}, "gamma: expected a number over 0"),
        ({"gamma": 1.1}, "at most 1, got 1.1"),
        ({"rate": -0.1}, "rate: expected a number over 0"),
        ({"initial": 1.5}, "from 0 to 1, got 1.5"),
    ],
)
def test_numbers_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        game_of(**settings)
