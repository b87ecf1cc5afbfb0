"""A batch in parts is the whole batch to 1e-12 under every dynamics, or a sentence refuses it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

import agon
from agon import Experiment, part
from agon.dynamics import Dynamics, Extragradient, Optimistic, Turns, Unrolled
from agon.errors import SettingError
from agon.networks import conditional, mlp
from agon.objectives import OBJECTIVES
from agon.penalties import R1, GradientPenalty
from agon.projections import Clipping
from agon.training import Compute, Training, replicates
from tests.training.compare import assert_same
from tests.training.programs import points, small

EXACT = Compute(threads=1, device="cpu", precision="fp64", compile="off")
SIMULTANEOUS = (("generator", "critic"),)
TWICE = (("critic",), ("critic",), ("generator",))
BATCH = 12


class Spectral(nn.Sequential):
    """A critic whose power iteration moves once a pass in training mode."""

    def __init__(self) -> None:
        super().__init__(spectral_norm(nn.Linear(2, 8)), nn.ReLU(), spectral_norm(nn.Linear(8, 1)), nn.Flatten(0))


class Normalised(nn.Sequential):
    """A critic with batch normalisation."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))


def state(experiment: Experiment, steps: int = 3) -> tuple[dict[str, Tensor], Any]:
    training = Training(experiment, EXACT.resolved(), torch.device("cpu"))
    for _ in range(steps):
        losses = training.advance()
    return dict(training.game.state_dict()), losses


def with_parts(dynamics: Dynamics, parts: int) -> Dynamics:
    """The same dynamics, with every batch in so many parts."""
    if isinstance(dynamics, Turns):
        return Turns(dynamics.order, dynamics.draws, parts)
    assert isinstance(dynamics, Extragradient | Optimistic)
    return type(dynamics)(Turns(dynamics.turns.order, dynamics.turns.draws, parts))


def close(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.allclose(one[name].double(), other[name].double(), 1e-12, 1e-13) for name in one)


def equal_in_parts(experiment: Experiment, parts: int) -> bool:
    """Whether weights, statistics, losses and scalars of the log are those of whole batches."""
    changed = experiment.dynamics if parts == 1 else with_parts(experiment.dynamics, parts)
    (whole, losses), (split, others) = state(experiment), state(_with(experiment, changed))
    moved = state(experiment, steps=1)[0]
    assert not close(whole, moved)
    return close(whole, split) and close(losses.players, others.players) and close(losses.seen, others.seen)


def _with(experiment: Experiment, dynamics: Dynamics) -> Experiment:
    return agon.Experiment(**{**vars(experiment), "dynamics": dynamics})


def adversarial(dynamics: Dynamics, critic: Any = None, **settings: Any) -> Experiment:
    experiment = points(3, batch=BATCH, dynamics=dynamics, critic=critic)
    return _with_game(experiment, experiment.game.changed(**settings))  # type: ignore[union-attr]


def _with_game(experiment: Experiment, game: Any) -> Experiment:
    return agon.Experiment(**{**vars(experiment), "game": game})


DYNAMICS = {
    "alternating": Turns(),
    "round": Turns(TWICE, draws="round"),
    "simultaneous": Turns(SIMULTANEOUS),
    "extragradient": Extragradient(Turns(SIMULTANEOUS)),
    "extragradient by turns": Extragradient(Turns(TWICE, draws="round")),
    "optimistic": Optimistic(Turns(SIMULTANEOUS)),
}


@pytest.mark.parametrize("parts", [2, 3, 12])
@pytest.mark.parametrize("name", DYNAMICS)
def test_parts_are_the_whole_batch_under_every_dynamics(name: str, parts: int) -> None:
    assert equal_in_parts(adversarial(DYNAMICS[name], part(Spectral)), parts)


@pytest.mark.parametrize("name", ["alternating", "extragradient"])
@pytest.mark.parametrize("penalty", [GradientPenalty(), R1()])
def test_so_are_they_with_a_penalty_on_input_gradients(penalty: Any, name: str) -> None:
    assert equal_in_parts(adversarial(DYNAMICS[name], penalties=(penalty,)), 3)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_so_are_they_for_every_objective(objective: str) -> None:
    assert equal_in_parts(adversarial(Turns(), objective=OBJECTIVES[objective]()), 4)


@pytest.mark.parametrize("name", ["alternating", "extragradient"])
def test_a_projection_is_made_once_a_move(name: str) -> None:
    clipped = adversarial(DYNAMICS[name], projections=(Clipping(bound=0.3),))
    assert equal_in_parts(clipped, 3)


@pytest.mark.parametrize("recipe", ["berthelot2017/began", "im2016/mnist-vae", "tabak2016/mnist-digit-0"])
def test_so_are_they_for_other_games(recipe: str) -> None:
    """BEGAN's k moves by the mean of the parts' errors; an autoencoder has noise beside its latents, and one player."""
    data = agon.Images(path="digits", range=(0.0, 1.0) if "vae" in recipe else (-1.0, 1.0))
    experiment = agon.recipe(recipe).experiment(data, scale="smoke")
    assert equal_in_parts(agon.Experiment(**{**vars(experiment), "batch": BATCH}), 3)


def test_with_batch_normalisation_they_are_not() -> None:
    """The negative control: each part is normalised by its own statistics."""
    assert not equal_in_parts(adversarial(Turns(), part(Normalised)), 3)
    assert equal_in_parts(adversarial(Turns(), part(Normalised)), 1)


@pytest.mark.parametrize("name", DYNAMICS)
def test_no_pass_sees_more_than_a_part(name: str) -> None:
    """What the memory depends on; whole batches, the control, are seen whole."""
    for parts in (1, 4):
        training = Training(adversarial(with_parts(DYNAMICS[name], parts)), EXACT.resolved(), torch.device("cpu"))
        sizes = [sizes_seen(module) for module in training.game.children()]
        training.advance()
        of_generator, of_critic = sizes
        assert of_generator == {BATCH // parts}
        assert of_critic <= {BATCH // parts, 2 * BATCH // parts}, "at most a part's real and generated samples as one"


def sizes_seen(module: nn.Module) -> set[int]:
    """The sizes of the batches that a network sees from now on."""
    sizes: set[int] = set()
    module.register_forward_pre_hook(lambda module, inputs: sizes.add(len(inputs[0])))
    return sizes


def test_an_unrolled_look_ahead_refuses_parts() -> None:
    with pytest.raises(SettingError, match="accumulate: expected 1 for Unrolled"):
        Unrolled(Turns(accumulate=2))
    assert Unrolled(Turns(accumulate=2), steps=0).parts == 2


@pytest.mark.parametrize("accumulate", [0, -1])
def test_a_number_of_parts_is_positive(accumulate: int) -> None:
    with pytest.raises(SettingError, match="expected a number of parts from 1"):
        Turns(accumulate=accumulate)


def test_a_batch_without_equal_parts_is_refused_with_one_that_has_them() -> None:
    with pytest.raises(SettingError, match="expected a batch in 5 equal parts, got 12 samples; use batch=10"):
        state(adversarial(Turns(accumulate=5)))


def test_batched_seeds_refuse_parts(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="batched seeds: expected whole batches"):
        replicates.replicate(points(2, batch=4, dynamics=Turns(accumulate=2)), tmp_path / "all", 2, strategy="batched")


def test_a_training_in_parts_resumes_bit_for_bit(tmp_path: Path) -> None:
    one_thread = Compute(threads=1, device="cpu")
    in_parts = Turns(draws="round", accumulate=2)
    agon.train(small(10, dynamics=in_parts), tmp_path / "whole", compute=one_thread, show=False)
    agon.train(small(5, dynamics=in_parts), tmp_path / "run", compute=one_thread, show=False)
    agon.resume(tmp_path / "run", steps=10, show=False)
    assert_same(tmp_path / "run", tmp_path / "whole")


def test_parts_of_a_batch_have_their_labels() -> None:
    """A generator and a critic that take labels, on digits."""
    data = agon.Images(path="digits")
    game = part(
        agon.Adversarial,
        generator=part(
            conditional.ConcatenatedGenerator,
            generator=part(mlp.Generator, shape=data.shape, latent=8, widths=(8,)),
            classes=10,
            size=4,
        ),
        critic=part(conditional.ProjectionCritic, critic=part(mlp.Critic, shape=data.shape, widths=(8,)), classes=10),
    )
    assert equal_in_parts(points(3, batch=BATCH, game=game, data=data), 3)
