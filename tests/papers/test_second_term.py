"""Both terms of equation 12: they add up to the slope of f_K, and the second one dies with the critic's gradient."""

from dataclasses import replace

import pytest
import torch

from agon.dynamics.unrolled.referee import Referee
from agon.experiment import part
from agon.games import Adversarial
from agon.papers.metz2017.second_term import GONE, PLAIN, SECTION_2_4, _batch, terms
from agon.recipes import find
from agon.training import Training

SGD = torch.optim.SGD


def small(rate: float = 0.5) -> Training:
    """The small game at its first weights, in float64."""
    experiment = find("metz2017/ring-logistic").experiment(scale="smoke")
    moving = {**experiment.optimisers, "critic": part(SGD, lr=rate)}
    training = Training(replace(experiment, optimisers=moving), PLAIN.resolved(), torch.device("cpu"))
    training.game.double()
    return training


def test_they_add_up_to_the_slope_of_the_surrogate_loss() -> None:
    """By finite differences of f_K, whose critic makes real steps, along the whole gradient."""
    training = small()
    game, batch = training.game, _batch(training, 16)
    assert isinstance(game, Adversarial)
    found = terms(training, batch, 5)
    whole = found.first + found.second
    critic, optimiser, parameters = game.critic, training.optimisers["critic"], list(game.generator.parameters())
    inner, outer = (lambda _, of=of: game.losses(batch, of=(of,)).players[of] for of in ("critic", "generator"))
    slope = Referee(critic, optimiser, inner, outer, steps=5, parameters=parameters).slope(whole / whole.norm())
    assert slope.value == pytest.approx(float(whole.norm()), rel=1e-6)
    assert abs(slope.value - float(found.first @ whole / whole.norm())) > 0.01 * slope.value  # the first is not all


def test_the_second_term_dies_with_the_critics_gradient() -> None:
    training = small()
    batch = _batch(training, 16)
    found = {k: terms(training, batch, k) for k in (0, 1, 10, 100)}
    shares = [float(each.second.norm() / (each.first + each.second).norm()) for each in found.values()]
    assert shares[0] == 0.0  # the ordinary loss has none
    assert shares[1] > 0.5 > shares[2] > 0.001 > GONE > shares[3] > 0.0
    assert found[100].slope.norm() < GONE * found[0].slope.norm()


def test_a_critic_that_stands_still_has_no_second_term() -> None:
    """The negative control: its gradient stays, and no number of steps makes the term."""
    training = small(rate=0.0)
    batch = _batch(training, 16)
    for k in (1, 100):
        found = terms(training, batch, k)
        assert float(found.second.abs().max()) == 0.0
        assert torch.equal(found.slope, terms(training, batch, 0).slope)
        assert found.slope.norm() > 0


def test_every_expectation_is_about_a_row_that_there_is() -> None:
    rows = {f"{label}, K = {k}" for label in SECTION_2_4.trainings for k in (1, 2, 5, 10, 20, 50, 100)}
    for each in SECTION_2_4.expects:
        assert {each.row, *(b for b in (each.below, each.direction) if isinstance(b, str))} <= rows
