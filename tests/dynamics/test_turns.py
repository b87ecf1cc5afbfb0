"""Who draws how often, whose pass is shared, and that sharing changes nothing but the time."""

import copy

import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import ALTERNATING, Turns, update
from agon.errors import SettingError
from agon.games import Adversarial, Batch, parameters_of
from agon.objectives import OBJECTIVES

from .test_moves import SIMULTANEOUS, Bilinear, adam, assert_identical, batch, networks, sgd, state

TWICE = (("critic",), ("critic",), ("generator",))


class Draws:
    """Different batches, counted."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Batch:
        self.made += 1
        return batch(self.made)


@pytest.mark.parametrize(("draws", "expected"), [("round", 1), ("turn", 3)])
def test_the_batches_of_a_step_are_counted(draws: str, expected: int) -> None:
    game, drawn = networks(), Draws()
    Turns(TWICE, draws=draws).step(game, adam(game), drawn)
    assert drawn.made == expected


@pytest.mark.parametrize(
    ("order", "draws", "shown"),
    [
        (ALTERNATING, "turn", 1),
        (ALTERNATING, "round", 1),
        (TWICE, "turn", 2),
        (TWICE, "round", 1),
        ((("generator", "critic"),), "turn", 1),
        ((("generator",),), "turn", 0),
    ],
)
def test_images_are_what_the_critic_has_been_shown(order: tuple[tuple[str, ...], ...], draws: str, shown: int) -> None:
    """The unit of a budget counts no batch that only the generator's turn has drawn."""
    assert Turns(order, draws=draws).real_batches_per_step(networks()) == shown


@pytest.mark.parametrize(
    ("order", "draws", "passes"),
    [
        (ALTERNATING, "round", 1),
        (ALTERNATING, "turn", 2),
        (TWICE, "round", 1),
        (TWICE, "turn", 3),
        (SIMULTANEOUS, "turn", 1),
        ((("generator",), ("critic",)), "round", 2),  # the critic meets the samples of the moved generator
    ],
)
def test_the_generators_passes_are_counted(order: tuple[tuple[str, ...], ...], draws: str, passes: int) -> None:
    game, seen = networks(), []
    game.generator.register_forward_hook(lambda *_: seen.append(1))
    Turns(order, draws=draws).step(game, adam(game), Draws())
    assert len(seen) == passes


@pytest.mark.parametrize("order", [ALTERNATING, TWICE, (("critic",), ("generator",), ("critic",))])
def test_a_shared_pass_gives_what_separate_passes_give(order: tuple[tuple[str, ...], ...]) -> None:
    """All state of both players, with batch and spectral normalisation in both, after three steps."""
    shared, separate = networks(), networks()
    one, other = adam(shared), adam(separate)
    for k in range(3):
        Turns(order, draws="round").step(shared, one, lambda k=k: batch(k))
        Turns(order, draws="turn").step(separate, other, lambda k=k: batch(k))
    for player in shared.players:
        assert_identical(state(shared, player, one), state(separate, player, other))


def test_statistics_move_once_in_each_own_move() -> None:
    """The generator passes once in its move; the critic twice, over real and over generated samples."""
    for draws in ("round", "turn"):
        game = networks()
        Turns(draws=draws).step(game, adam(game), Draws())
        tracked = [int(n[1].num_batches_tracked) for n in (game.generator, game.critic)]
        assert tracked == [1, 2]


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_simultaneous_moves_are_both_gradients_at_one_point(name: str) -> None:
    def game() -> Adversarial:
        torch.manual_seed(0)
        networks = [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, o)) for o in (3, 1)]
        networks[0].latent_shape = (3,)  # type: ignore[assignment]
        networks[1].append(nn.Flatten(0))
        return Adversarial(generator=networks[0], critic=networks[1], objective=OBJECTIVES[name]()).double()

    together = game()
    Turns(SIMULTANEOUS).step(together, sgd(together), lambda: batch(0))
    for player in together.players:
        alone = game()
        Turns(((player,),)).step(alone, sgd(alone), lambda: batch(0))
        for mine, other in zip(parameters_of(together, player), parameters_of(alone, player), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-14, atol=1e-15)


class Slanted(Bilinear):
    """The generator's loss reads its matrix transposed, so that its gradient has other strides."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0)
        self.theta.value = nn.Parameter(torch.arange(12.0).reshape(3, 4) / 10)

    def losses(self, batch: Batch, fake: Tensor | None = None, *, of):  # type: ignore[no-untyped-def]
        told = super().losses(batch, fake, of=())
        told.players["generator"] = (self.theta.value.T.contiguous() * torch.arange(12.0).reshape(4, 3)).square().sum()
        return told


@pytest.mark.parametrize("fused", [True, False])
def test_an_optimiser_meets_gradients_in_its_parameters_own_layout(fused: bool) -> None:
    """torch's fused kernels walk both memories side by side: other strides are other numbers, silently."""
    game = Slanted()
    expected = copy.deepcopy(game.theta.value)
    expected.grad = 2 * game.theta.value.detach() * torch.arange(12.0).reshape(4, 3).T.square()
    expected.grad = expected.grad.contiguous()
    torch.optim.Adam([expected], lr=0.1).step()
    optimiser = torch.optim.Adam([game.theta.value], lr=0.1, fused=fused)
    update(game, {"generator": optimiser}, ("generator",), batch(0), None)
    assert game.theta.value.grad.stride() == game.theta.value.stride()
    torch.testing.assert_close(game.theta.value, expected)


def test_a_frozen_part_of_a_mover_stays_and_the_rest_moves() -> None:
    game = networks()
    frozen, free = game.generator[3].weight.requires_grad_(False), game.generator[3].bias
    before = [p.detach().clone() for p in (frozen, free)]
    Turns().step(game, adam(game), Draws())
    assert torch.equal(frozen, before[0])
    assert not torch.equal(free, before[1])


def test_a_frozen_mover_stays_and_the_others_move() -> None:
    game = networks()
    game.critic.requires_grad_(False)
    before = [[p.detach().clone() for p in player.parameters()] for player in (game.critic, game.generator)]
    Turns().step(game, adam(game), Draws())
    assert all(torch.equal(p, q) for p, q in zip(game.critic.parameters(), before[0], strict=True))
    assert not all(torch.equal(p, q) for p, q in zip(game.generator.parameters(), before[1], strict=True))


@pytest.mark.parametrize("order", [(), ((),), (("critic",), ()), (("critic", "critic"),)])
def test_empty_and_repeated_groups_are_refused(order: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(SettingError, match="groups of one or more different players"):
        Turns(order)


def test_an_unknown_player_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SettingError, match="did you mean 'critic'"):
        Turns((("critik",), ("generator",))).check(networks())
    Turns().check(networks())
