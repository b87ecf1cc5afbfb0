"""Critics with batch normalisation: a sample's realness depends on the sample alone, unless it is asked otherwise."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agon.errors import DataError, SettingError
from agon.games import Adversarial
from agon.metrics import battle
from agon.metrics.gam.critic import Statistics, critic_of, needs_held, normalisations, realness
from agon.networks import mlp


def normal(n: int, mean: float = 0.0, seed: int = 0) -> Tensor:
    return mean + torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def game(seed: int = 0, **more: bool) -> Adversarial:
    """A generator and a critic with batch normalisation, whose running statistics have seen a little."""
    torch.manual_seed(seed)
    generator = mlp.Generator(shape=(2,), latent=3, widths=(8,), normalise=True)
    built = Adversarial(generator=generator, critic=mlp.Critic(shape=(2,), widths=(8, 8), normalise=True, **more))
    for step in range(5):
        built.critic(normal(32, 1.0, step))
        built.critic(normal(32, -1.0, step))
    return built


def ready(statistics: Statistics, of: Adversarial | None = None) -> Adversarial:
    held = (normal(400, 1.0, 8), normal(400, -1.0, 9))
    built = critic_of(of or game(), *held, statistics, False).judge.game
    assert isinstance(built, Adversarial)
    return built


@pytest.mark.parametrize("statistics", ["running", "reestimated"])
def test_realness_is_the_samples_own(statistics: Statistics) -> None:
    """Whatever else is in the batch, and however large it is."""
    critic, x = ready(statistics), normal(101)
    whole = realness(critic, x)
    for block in (1, 7, 100, 1000):
        assert np.abs(realness(critic, x, block) - whole).max() < 1e-6
    assert np.abs(realness(critic, torch.cat([x, 50 + x]))[:101] - whole).max() < 1e-6


def test_realness_by_the_batchs_own_statistics_is_not() -> None:
    """The negative control: the same samples beside others are judged otherwise."""
    critic, x = ready("batch").train(), normal(100)
    alone = realness(critic, x, None)
    beside = realness(critic, torch.stack([x, 50 + x], 1).flatten(0, 1), None)[::2]
    assert np.abs(alone - beside).max() > 0.1


def test_the_statistics_are_the_means_over_real_and_own_samples() -> None:
    """Of the first layer, by hand: half of each, in batches that are all of one kind."""
    critic = ready("reestimated")
    held = (normal(400, 1.0, 8), normal(400, -1.0, 9))
    first, layer = next(m for m in critic.critic.modules() if isinstance(m, nn.Linear)), normalisations(critic)[0]
    with torch.no_grad():
        seen = [part for x in held for part in first(x).chunk(2)]
    assert isinstance(layer, nn.BatchNorm1d)
    mean, variance = layer.running_mean, layer.running_var
    assert mean is not None
    assert variance is not None
    torch.testing.assert_close(mean, torch.stack([part.mean(0) for part in seen]).mean(0))
    torch.testing.assert_close(variance, torch.stack([part.var(0) for part in seen]).mean(0))


def test_every_layer_that_judges_is_estimated_and_no_other() -> None:
    """The generator's statistics are its own."""
    of = game()
    critic = ready("reestimated", of)
    assert len(normalisations(of)) == 2
    for name, value in of.state_dict().items():
        expected = name.startswith("critic") and ("running" in name or "tracked" in name)
        assert torch.equal(value, critic.state_dict()[name]) != expected, name


@pytest.mark.parametrize("statistics", ["running", "reestimated", "batch"])
def test_the_game_is_left_bit_for_bit_as_it_was(statistics: Statistics) -> None:
    one, two = game(0), game(1).eval()
    before = [copy.deepcopy(each.state_dict()) for each in (one, two)]
    battle(one, two, normal(100, 1.0), statistics=statistics, calibrate=True)
    for each, state in zip((one, two), before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in each.state_dict().items())
        assert all(p.requires_grad and p.grad is None for p in each.parameters())
    assert (one.critic.training, two.critic.training) == (True, False)


def test_which_statistics_is_told_and_changes_the_rates() -> None:
    one, two, protocols = game(0), game(1), set()
    for statistics in ("running", "reestimated", "batch"):
        result = battle(one, two, normal(500, 1.0), statistics=statistics)
        protocols.add((result.protocol, result.first.test.value))
    assert len(protocols) == 3
    assert any("statistics of 100 held-out real and as many own samples" in protocol for protocol, _ in protocols)


def test_a_critic_without_batch_normalisation_has_no_choice() -> None:
    """All three are one, and nothing is held out."""
    torch.manual_seed(0)
    plain = Adversarial(generator=mlp.Generator(shape=(2,), latent=3), critic=mlp.Critic(shape=(2,)))
    running, anew, by_batch = (
        battle(plain, plain, normal(50), statistics=each) for each in ("running", "reestimated", "batch")
    )
    assert running == anew == by_batch
    assert running.first.test.n == 50


@pytest.mark.parametrize(("statistics", "settings"), [("reestimated", {}), ("batch", {"n": 1})])
def test_a_single_sample_is_nothing_to_normalise_by(statistics: Statistics, settings: dict[str, int]) -> None:
    """Of 9 test samples one would be held out; two are enough, and running statistics need none."""
    one, two = game(0), game(1)
    with pytest.raises(DataError, match="at least 2 samples of a kind to normalise by, got 1; give more test samples"):
        battle(one, two, normal(9), statistics=statistics, **settings)  # type: ignore[arg-type]
    assert battle(one, two, normal(10), n=2, statistics=statistics).second.foreign.n == 2
    assert battle(one, two, normal(9), n=1, statistics="running").second.foreign.n == 1


def test_what_cannot_be_estimated_is_a_sentence() -> None:
    one = game()
    with pytest.raises(SettingError, match=r"expected one of running, reestimated, batch; got 'moving'"):
        needs_held(one, "moving", False)
    for layer in normalisations(one):
        layer.running_mean = layer.running_var = layer.num_batches_tracked = None
        layer.track_running_stats = False
    with pytest.raises(SettingError, match="reestimated needs batch normalisation that keeps them"):
        battle(one, one, normal(50))
    assert battle(one, one, normal(50), statistics="batch").sample.value == 1
