"""An unrolled gradient is the derivative of what torch's own optimisers would do, by finite differences in float64."""

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from agon.dynamics import Turns, Unrolled
from agon.games import Adversarial, Batch, Game, Losses, parameters_of
from agon.objectives import Minimax
from agon.penalties import R1, R2, GradientPenalty, Penalty

from .differences import by_differences, constant_directions, surrogate, without_inner_history
from .test_moves import SIMULTANEOUS, batch

Optimisers = dict[str, torch.optim.Optimizer]


def dead(critic: nn.Sequential) -> nn.Sequential:
    """With a hidden unit that never fires, whose gradients and second moments are 0."""
    with torch.no_grad():
        critic[0].bias[0] = -1e3
    return critic


def recurrent() -> nn.Module:
    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.end = nn.LSTM(1, 3, batch_first=True), nn.Linear(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(self.cell(x.unsqueeze(-1))[0][:, -1]).flatten()

    return Reading()


CRITICS: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)),
    "batch normalisation": lambda: nn.Sequential(
        nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)
    ),
    "spectral normalisation": lambda: nn.Sequential(
        spectral_norm(nn.Linear(3, 4)), nn.Tanh(), spectral_norm(nn.Linear(4, 1)), nn.Flatten(0)
    ),
    "dead unit": lambda: dead(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Flatten(0))),
    "recurrent": recurrent,
}
RULES: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda own: torch.optim.SGD(own, lr=0.3),
    "momentum": lambda own: torch.optim.SGD(own, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda own: torch.optim.Adam(own, lr=0.05, betas=(0.5, 0.999)),
    "rmsprop": lambda own: torch.optim.RMSprop(own, lr=0.01, centered=True),
}


def game_of(critic: str = "plain") -> Adversarial:
    torch.manual_seed(1)
    generator = nn.Sequential(nn.Linear(3, 2, bias=False), nn.BatchNorm1d(2), nn.Tanh(), nn.Linear(2, 3))
    generator.latent_shape = (3,)  # type: ignore[assignment]
    return Adversarial(generator=generator, critic=CRITICS[critic](), objective=Minimax()).double()


def optimisers_of(game: Game, rule: str, warm: int = 2) -> Optimisers:
    """Each player's own, with moments of a few steps already made."""
    optimisers = {player: RULES[rule](parameters_of(game, player)) for player in game.players}
    for k in range(warm):
        Turns((tuple(game.players),)).step(game, optimisers, lambda k=k: batch(10 + k))
    return optimisers


def gradients(dynamics: Unrolled, game: Game, optimisers: Optimisers, player: str) -> list[Tensor]:
    """What a step moves a player along, on copies."""
    game, optimisers = copy.deepcopy((game, optimisers))
    dynamics.step(game, optimisers, lambda: batch(0))
    return [p.grad for p in parameters_of(game, player)]


def assert_close(found: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    one, other = (torch.cat([t.flatten() for t in each]) for each in (found, expected))
    assert float((one - other).norm() / other.norm()) < 1e-6


def both(game: Game, optimisers: Optimisers, steps: int, **settings: Any) -> tuple[list[Tensor], list[Tensor]]:
    """The generator's gradient, and that of the surrogate by differences."""
    found = gradients(Unrolled(Turns((("generator",),)), steps=steps, **settings), game, optimisers, "generator")
    with constant_directions() as again:

        def value() -> float:
            again()
            return surrogate(game, optimisers, "generator", ("critic",), [batch(0)] * steps, batch(0))

        value()
        return found, by_differences(game, "generator", value)


def cases() -> list[Any]:
    """Every critic and every rule, and for the plain critic every number of steps; all together in `make evidence`."""
    of_all = itertools.product(sorted(CRITICS), ["sgd", "adam"], [1, 2, 5])
    quick = [(critic, rule, steps) for critic, rule, steps in of_all if steps == 2 or critic == "plain"]
    rest = [case for case in itertools.product(sorted(CRITICS), ["sgd", "adam"], [1, 2, 5]) if case not in quick]
    return [*quick, *(pytest.param(*case, marks=pytest.mark.evidence) for case in rest)]


@pytest.mark.parametrize(("critic", "rule", "steps"), cases())
def test_the_whole_gradient_is_that_of_finite_differences(critic: str, rule: str, steps: int) -> None:
    game = game_of(critic)
    assert_close(*both(game, optimisers_of(game, rule), steps))


@pytest.mark.parametrize("critic", ["plain", "batch normalisation"])
@pytest.mark.parametrize("penalty", [R1(), R2(), GradientPenalty()], ids=lambda p: type(p).__name__)
def test_so_it_is_with_a_penalty_on_input_gradients(critic: str, penalty: Penalty) -> None:
    """Three derivatives in all, of which torch's own batch normalisation has two."""
    game = game_of(critic)
    game.penalties = (penalty,)
    drawn = batch(0)._replace(noise={"epsilon": torch.linspace(0.1, 0.9, len(batch(0).real)).double().unsqueeze(1)})
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(globals(), "batch", lambda seed: drawn)
        assert_close(*both(game, optimisers_of(game, "adam"), 2))


@pytest.mark.parametrize("rule", ["momentum", "rmsprop"])
def test_so_it_is_for_the_other_optimisers(rule: str) -> None:
    game = game_of()
    assert_close(*both(game, optimisers_of(game, rule), 3))


@pytest.mark.parametrize("warm", [0, 1])
def test_so_it_is_from_an_optimisers_first_step(warm: int) -> None:
    """No moments yet, and v = 0 for good in a unit that never fires: finite, and right."""
    game = game_of("dead unit")
    assert_close(*both(game, optimisers_of(game, "adam", warm), 2))


@pytest.mark.parametrize("penalties", [(), (R1(),)], ids=["plain", "R1"])
def test_a_checkpointed_gradient_is_the_same_bit_for_bit(penalties: tuple[Penalty, ...]) -> None:
    for critic in CRITICS:
        game = game_of(critic)
        game.penalties = penalties
        optimisers = optimisers_of(game, "adam")
        kept, anew = (
            gradients(Unrolled(steps=4, checkpoint=saving), game, optimisers, "generator") for saving in (False, True)
        )
        assert all(torch.equal(a, b) for a, b in zip(kept, anew, strict=True)), critic


@pytest.mark.parametrize("critic", sorted(CRITICS))
@pytest.mark.parametrize("steps", [2, 5])
def test_a_detached_look_ahead_is_caught(critic: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    without_inner_history(monkeypatch)
    game = game_of(critic)
    with pytest.raises(AssertionError):
        assert_close(*both(game, optimisers_of(game, "adam"), steps))


def test_without_the_real_term_it_is_another_gradient() -> None:
    """The minimax generator's loss keeps E[log σ(D(x))], which has a gradient once the critic answers."""

    class Halved(Minimax):
        def generator_terms(self, real: Tensor | None, fake: Tensor) -> Tensor:
            return -nn.functional.softplus(fake)

    game = game_of()
    optimisers = optimisers_of(game, "adam")
    whole, differences = both(game, optimisers, 5)
    assert_close(whole, differences)
    game.objective = Halved()
    without, _ = both(game, optimisers, 5)
    one, other = (torch.cat([t.flatten() for t in each]) for each in (without, whole))
    assert float((one - other).norm() / other.norm()) > 0.05


def test_fresh_batches_are_those_that_were_drawn() -> None:
    game, drawn = game_of(), iter(range(100))
    optimisers = optimisers_of(game, "adam")
    one, two = copy.deepcopy((game, optimisers))
    Unrolled(Turns((("generator",),)), steps=3, batches="fresh").step(one, two, lambda: batch(next(drawn)))
    assert next(drawn) == 4  # the turn's own, and one for each inner step

    def value() -> float:
        return surrogate(game, optimisers, "generator", ("critic",), [batch(k) for k in (1, 2, 3)], batch(0))

    found = [p.grad for p in parameters_of(one, "generator")]
    assert_close(found, by_differences(game, "generator", value))


CONVERSE = {
    "critic ahead of generator": {"critic": ("generator",)},
    "both": {"critic": ("generator",), "generator": ("critic",)},
    "recursive": {"critic": ("critic", "generator"), "generator": ("critic", "generator")},
}


@pytest.mark.parametrize("order", [SIMULTANEOUS, (("generator",), ("critic",))])
@pytest.mark.parametrize("draws", ["turn", "round"])
@pytest.mark.parametrize("looks_ahead", CONVERSE.values(), ids=CONVERSE)
def test_who_looks_at_whom_is_free(
    looks_ahead: Mapping[str, tuple[str, ...]], draws: Any, order: tuple[tuple[str, ...], ...]
) -> None:
    """The first group's gradients, whoever is in it, at the point where the round begins."""
    game = game_of("batch normalisation")
    optimisers = optimisers_of(game, "adam")
    for player in [p for p in order[0] if p in looks_ahead]:
        others = looks_ahead[player]
        found = gradients(Unrolled(Turns(order, draws), looks_ahead, steps=3), game, optimisers, player)

        def value(player: str = player, others: tuple[str, ...] = others) -> float:
            return surrogate(game, optimisers, player, others, [batch(0)] * 3, batch(0))

        assert_close(found, by_differences(game, player, value))


class Three(Game):
    """Three players whose losses tie all of them together."""

    players: ClassVar[Mapping[str, Sequence[str]]] = {name: (name,) for name in ("generator", "encoder", "regressor")}
    latent_shape = (3,)

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.encoder, self.regressor = (nn.Linear(3, 3) for _ in range(3))

    def generate(self, latent: Tensor) -> Tensor:
        return self.generator(latent).tanh()

    def losses(self, batch: Batch, fake: Tensor | None = None, *, of: Any) -> Losses:
        fake = self.generate(batch.latent) if fake is None else fake
        real, made = (self._error(x) for x in (batch.real, fake))
        every = {"generator": made, "encoder": real - made + 0.1 * real.square(), "regressor": real}
        return Losses({player: every[player] for player in of}, {})

    def _error(self, x: Tensor) -> Tensor:
        feature = self.encoder(x).tanh()
        return (self.regressor(feature.roll(1, 1)) - feature).square().mean()


@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_two_players_are_anticipated_together(rule: str) -> None:
    torch.manual_seed(0)
    game, together = Three().double(), ("encoder", "regressor")
    optimisers = optimisers_of(game, rule)
    dynamics = Unrolled(Turns((("generator",), together)), {"generator": together}, steps=3)

    def value() -> float:
        return surrogate(game, optimisers, "generator", together, [batch(0)] * 3, batch(0))

    assert_close(gradients(dynamics, game, optimisers, "generator"), by_differences(game, "generator", value))


def test_a_projection_is_differentiated_through() -> None:
    """A game that clips its critic after each move, as WGAN does: the looked-ahead critic is clipped too."""

    class Clipped(Adversarial):
        def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
            if player == "critic":
                for p in self.critic.parameters():
                    p.clamp_(-0.3, 0.3)

    plain = game_of()
    game = Clipped(generator=plain.generator, critic=plain.critic, objective=Minimax()).double()
    optimisers = optimisers_of(game, "adam")
    assert any(bool((p.abs() == 0.3).any()) for p in game.critic.parameters())
    assert_close(*both(game, optimisers, 3))
    found, _ = both(game, optimisers, 3)
    unclipped, _ = both(plain, optimisers, 3)
    assert any(not torch.allclose(a, b) for a, b in zip(found, unclipped, strict=True))


def test_a_shared_first_gradient_changes_nothing_but_the_time() -> None:
    """Where both move together, the first inner gradient is the critic's own."""
    for critic in CRITICS:
        game = game_of(critic)
        optimisers = optimisers_of(game, "adam")
        shared = gradients(Unrolled(Turns(SIMULTANEOUS), steps=3), game, optimisers, "generator")
        alone = gradients(Unrolled(Turns((("generator",),)), steps=3), game, optimisers, "generator")
        assert_close(shared, alone)
