"""Unrolled steps are known maps on the bilinear game; the players looked ahead at stay what they are, bit for bit."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from agon.dynamics import ALTERNATING, Turns, Unrolled
from agon.errors import SettingError
from agon.games import Batch, parameters_of

from .differences import without_inner_history
from .test_moves import (
    GENERATOR_FIRST,
    NOTHING,
    SIMULTANEOUS,
    Bilinear,
    H,
    adam,
    assert_identical,
    batch,
    networks,
    sgd,
    state,
)
from .test_turns import Draws

Order = tuple[tuple[str, ...], ...]
K_STEPS = [2, 5]


def whole_map(order: Order, steps: int, **settings: Any) -> Tensor:
    """The step is linear: its matrix, column by column."""
    columns = []
    for point in ((1.0, 0.0), (0.0, 1.0)):
        game = Bilinear(*point)
        Unrolled(Turns(order), steps=steps, **settings).step(game, sgd(game), lambda: NOTHING)
        columns.append(game.point)
    return torch.stack(columns, dim=1)


def expected(order: Order, steps: int, terms: int = 2) -> Tensor:
    """θ' = θ - h(ψ + terms·K h θ), ψ' = ψ + hθ: from the same point, or one after the other.

    `terms` is 2 for the whole derivative of θψ^K = θ(ψ + Khθ), 1 where the inner loop is detached.
    """
    slope = terms * steps * H**2
    generator, critic = torch.tensor([[[1 - slope, -H], [0, 1]], [[1, 0], [H, 1]]], dtype=torch.float64)
    if order == SIMULTANEOUS:
        return torch.stack([generator[0], critic[1]])
    return generator @ critic if order == ALTERNATING else critic @ generator


@pytest.mark.parametrize("order", [SIMULTANEOUS, ALTERNATING, GENERATOR_FIRST])
@pytest.mark.parametrize("steps", K_STEPS)
def test_a_step_is_its_matrix(order: Order, steps: int) -> None:
    found = whole_map(order, steps)
    torch.testing.assert_close(found, expected(order, steps), rtol=1e-14, atol=1e-15)
    loss = (2 * steps - 1 if order == SIMULTANEOUS else 2 * steps) * H**2
    assert float(found.det()) == pytest.approx(1 - loss, rel=1e-14)


@pytest.mark.parametrize("order", [SIMULTANEOUS, ALTERNATING])
@pytest.mark.parametrize("steps", K_STEPS)
def test_a_detached_inner_loop_is_another_matrix(order: Order, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the look-alike's map is the one derived for it, and not the unrolled one."""
    without_inner_history(monkeypatch)
    monkeypatch.setattr("agon.dynamics.unrolled.dynamics.UnrolledTurn.shares_first_step", lambda *_: False)
    found = whole_map(order, steps)
    torch.testing.assert_close(found, expected(order, steps, terms=1), rtol=1e-14, atol=1e-15)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(found, expected(order, steps))


@pytest.mark.parametrize("order", [SIMULTANEOUS, ALTERNATING])
def test_extrapolating_the_one_step_perturbation_is_all_of_it_where_the_game_is_bilinear(order: Order) -> None:
    """metz2017, section 4: there f_K is linear in K, so that K times the first perturbation is the K-th."""
    torch.testing.assert_close(whole_map(order, 1, extrapolation=7.0), expected(order, 7), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("looks_ahead", "expected"),
    [
        ({"critic": ("generator",)}, [[1, -H], [H, 1 - 6 * H**2]]),
        ({"critic": ("generator",), "generator": ("critic",)}, [[1 - 6 * H**2, -H], [H, 1 - 6 * H**2]]),
    ],
)
def test_the_critic_may_look_ahead_too(looks_ahead: dict[str, tuple[str, ...]], expected: list[list[float]]) -> None:
    found = whole_map(SIMULTANEOUS, 3, looks_ahead=looks_ahead)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-14, atol=1e-15)


def test_a_recursive_look_ahead_answers_the_answers() -> None:
    """θψ after one simultaneous step of both is (θ - hψ)(ψ + hθ); its derivative in θ is ψ - h²ψ + 2hθ."""
    found = whole_map((("generator",),), 1, looks_ahead={"generator": ("critic", "generator")})
    first = [1 - 2 * H**2, -H * (1 - H**2)]
    torch.testing.assert_close(found[0], torch.tensor(first, dtype=torch.float64), rtol=1e-14, atol=1e-15)


def test_converges_where_plain_steps_do_not() -> None:
    for order in (SIMULTANEOUS, ALTERNATING):
        plain, unrolled = (radius_after(Unrolled(Turns(order), steps=k), steps) for k, steps in ((0, 300), (5, 200)))
        assert plain > 0.9
        assert unrolled < 1e-3


def radius_after(dynamics: Any, steps: int) -> float:
    game = Bilinear(0.6, -0.8)
    optimisers = sgd(game)
    for _ in range(steps):
        dynamics.step(game, optimisers, lambda: NOTHING)
    return float(game.point.norm())


@pytest.mark.parametrize("draws", ["turn", "round"])
@pytest.mark.parametrize("order", [SIMULTANEOUS, ALTERNATING])
def test_with_0_steps_it_is_the_schedule_itself(order: Order, draws: Any) -> None:
    plain, unrolled = networks(), networks()
    one, other = adam(plain), adam(unrolled)
    for k in range(3):
        Turns(order, draws).step(plain, one, lambda k=k: batch(k))
        Unrolled(Turns(order, draws), steps=0).step(unrolled, other, lambda k=k: batch(k))
    for player in plain.players:
        assert_identical(state(plain, player, one), state(unrolled, player, other))


SETTINGS: list[dict[str, Any]] = [
    {},
    {"checkpoint": True},
    {"batches": "fresh"},
    {"extrapolation": 3.0},
    {"checkpoint": True, "batches": "fresh"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_critic_is_bit_identical_after_a_generators_move(settings: dict[str, Any]) -> None:
    """Parameters, buffers, gradients, flags, training modes and moments, with batch and spectral normalisation."""
    game = networks()
    optimisers = adam(game)
    Turns(draws="round").step(game, optimisers, lambda: batch(0))
    game.critic[2].eval()
    game.critic[3].bias.requires_grad_(False)
    critic, generator = (state(game, player, optimisers) for player in ("critic", "generator"))
    Unrolled(Turns((("generator",),)), steps=3, **settings).step(game, optimisers, Draws())
    assert_identical(state(game, "critic", optimisers), critic)
    after = state(game, "generator", optimisers)["weights and buffers"]
    before = generator["weights and buffers"]
    assert not torch.equal(after["3.weight"], before["3.weight"])
    assert after["1.num_batches_tracked"] == before["1.num_batches_tracked"] + 1  # statistics move once a move


@pytest.mark.parametrize(
    "looks_ahead",
    [{"generator": ("critic",)}, {"critic": ("generator",)}, {"generator": ("critic", "generator")}],
    ids=str,
)
@pytest.mark.parametrize("draws", ["turn", "round"])
@pytest.mark.parametrize("order", [SIMULTANEOUS, ALTERNATING])
def test_statistics_move_once_in_each_own_move(order: Order, draws: Any, looks_ahead: dict[str, Any]) -> None:
    """The generator passes once in its move; the critic twice, over real and over generated samples."""
    game = networks()
    Unrolled(Turns(order, draws), looks_ahead, steps=2).step(game, adam(game), Draws())
    assert [int(n[1].num_batches_tracked) for n in (game.generator, game.critic)] == [1, 2]


def test_a_failing_look_ahead_leaves_everybody_as_they_were() -> None:
    game, shown = networks(), []
    optimisers = adam(game)
    before = [state(game, player, optimisers) for player in game.players]

    def fail(*_: object) -> None:
        shown.append(1)
        if len(shown) > 3:
            raise KeyError

    game.critic.register_forward_hook(fail)
    with pytest.raises(KeyError):
        Unrolled(Turns((("generator",),)), steps=3).step(game, optimisers, Draws())
    after = [state(game, player, optimisers) for player in game.players]
    assert_identical(after[1], before[1])
    assert_identical(after[0]["flags"], before[0]["flags"])
    assert_identical(after[0]["moments"], before[0]["moments"])


@pytest.mark.parametrize(
    ("settings", "draws", "expected"),
    [
        ({"steps": 0}, "turn", 1),
        ({"steps": 5}, "turn", 2),  # the looked-ahead critic sees the generator's batch
        ({"steps": 5}, "round", 1),
        ({"steps": 5, "batches": "fresh"}, "turn", 7),
        ({"steps": 5, "batches": "fresh"}, "round", 6),
    ],
)
def test_images_count_what_a_looked_ahead_critic_is_shown(settings: dict[str, Any], draws: Any, expected: int) -> None:
    dynamics = Unrolled(Turns(draws=draws), **settings)
    game, drawn = networks(), Draws()
    dynamics.step(game, adam(game), drawn)
    assert dynamics.real_batches_per_step(game) == expected
    assert drawn.made == max(expected, 1 if draws == "round" else 2)


def test_what_is_seen_of_looked_ahead_players_has_a_name_of_its_own() -> None:
    game = networks()
    told = Unrolled(Turns(draws="round"), steps=2).step(game, adam(game), Draws())
    assert {"logit/real", "logit/fake", "ahead/logit/fake"} <= told.seen.keys()
    assert not any(value.requires_grad for value in (*told.players.values(), *told.seen.values()))


def test_the_generators_samples_are_made_once_for_all_inner_steps() -> None:
    game, seen = networks(), []
    game.generator.register_forward_hook(lambda *_: seen.append(1))
    Unrolled(Turns(draws="round"), steps=5).step(game, adam(game), Draws())
    assert len(seen) == 1


@pytest.mark.parametrize("saving", [False, True])
def test_memory_grows_with_the_steps_unless_it_is_saved(saving: bool) -> None:
    """Bytes that autograd keeps from the forward pass on; the benchmarks tell them at the ring's size."""
    kept = [saved_bytes(steps, saving) for steps in (2, 20)]
    assert (kept[1] < 3 * kept[0]) if saving else (kept[1] > 6 * kept[0])


def saved_bytes(steps: int, saving: bool) -> int:
    game, total = networks(), [0]
    wide = Batch(torch.randn(256, 3).double(), torch.randn(256, 3).double(), {})
    seen: set[int] = set()

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            total[0] += storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        Unrolled(Turns((("generator",),)), steps=steps, checkpoint=saving).step(game, adam(game), lambda: wide)
    return total[0]


def test_a_shared_module_is_looked_ahead_at_in_all_its_places() -> None:
    """A weight that is used twice is one weight to the look-ahead too."""
    game = networks()
    game.critic[3].weight = torch.nn.Parameter(game.critic[3].weight.detach())
    tied = copy.deepcopy(game)
    tied.critic.append(torch.nn.Identity())
    tied.critic[5].also = tied.critic[3]
    found = []
    for each in (game, tied):
        Unrolled(Turns((("generator",),)), steps=3).step(each, adam(each), lambda: batch(0))
        found.append([p.grad for p in parameters_of(each, "generator")])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Unrolled(steps=-1), "expected a number from 0, got -1"),
        (lambda: Unrolled(looks_ahead={"generator": ()}), "expected different players for 'generator'"),
        (lambda: Unrolled(looks_ahead={"generator": ("critic", "critic")}), "expected different players"),
        (lambda: Unrolled(looks_ahead={"generator": ("critik",)}).check(networks()), "did you mean 'critic'"),
        (lambda: Unrolled(Turns((("critic",),))).check(networks()), "'generator' has no turn"),
        (lambda: Unrolled().check_optimisers({"critic": torch.optim.NAdam([torch.ones(1)])}), "got NAdam"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        make()
