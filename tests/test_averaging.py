"""The average of weights in closed form, its statistics, and the place it takes and gives back."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from agon.averaging import Average, Averaging, restate
from agon.errors import SettingError
from agon.games import Adversarial


def game() -> Adversarial:
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).double()
    generator.latent_shape = (2,)  # type: ignore[assignment]
    critic = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)).double()
    return Adversarial(generator=generator, critic=critic)


def weights(module: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in module.parameters()]


@pytest.mark.parametrize("decay", [0.0, 0.9, 0.999])
def test_after_k_updates_the_average_is_the_weighted_sum_of_all_weights(decay: float) -> None:
    """θ̄_k = β^k θ_0 + (1 - β) Σ β^(k-i) θ_i."""
    played, k = game(), 7
    average = Average(Averaging(decay=decay, ramp=False), played)
    trail = [weights(played.generator)]
    for step in range(k):
        with torch.no_grad():
            for parameter in played.generator.parameters():
                parameter.add_(torch.randn_like(parameter))
        average.update(played, step)
        trail.append(weights(played.generator))
    shares = [decay**k, *((1 - decay) * decay ** (k - i) for i in range(1, k + 1))]
    assert sum(shares) == pytest.approx(1)
    for which, mine in enumerate(average.modules["generator"].parameters()):
        expected = sum(share * each[which] for share, each in zip(shares, trail, strict=True))
        torch.testing.assert_close(mine.detach(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("decay", [0.05, 0.5, 0.999])
def test_with_a_ramp_the_first_weights_are_soon_forgotten(decay: float) -> None:
    """β_t = min(β, (1 + t) / (10 + t)): after 200 steps with β = 0.999 they count less than 1e-12, without it 82 %."""
    played = game()
    slow, fast = (Average(Averaging(decay=decay, ramp=ramp), played) for ramp in (False, True))
    first, kept = weights(played.generator), 1.0
    with torch.no_grad():
        for parameter in played.generator.parameters():
            parameter.zero_()
    for step in range(200):
        slow.update(played, step)
        fast.update(played, step)
        kept *= min(decay, (1 + step) / (10 + step))
    for which, share in ((slow, decay**200), (fast, kept)):
        for mine, before in zip(which.modules["generator"].parameters(), first, strict=True):
            torch.testing.assert_close(mine.detach(), share * before, rtol=1e-9, atol=1e-300)
    assert kept < 1e-9


def test_the_average_shares_nothing_with_the_player() -> None:
    played = game()
    average = Average(Averaging(), played)
    mine = average.modules["generator"]
    assert {p.data_ptr() for p in mine.parameters()}.isdisjoint(p.data_ptr() for p in played.parameters())
    assert not any(p.requires_grad for p in mine.parameters())
    assert all(p.requires_grad for p in played.generator.parameters())
    before = weights(played.critic)
    average.update(played, step=0)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(played.critic), strict=True))


def test_playing_puts_the_players_own_modules_back_also_after_an_error() -> None:
    played = game()
    average, own = Average(Averaging(), played), played.generator

    def fail() -> None:
        with average.playing(played) as modules:
            assert played.generator is average.modules["generator"] is modules[0]
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert played.generator is own


def test_state_reads_back_equal_and_without_aliases() -> None:
    played = game()
    average, other = Average(Averaging(), played), Average(Averaging(), played)
    with torch.no_grad():
        for parameter in played.generator.parameters():
            parameter.add_(1)
    average.update(played, step=0)
    other.load(copy.deepcopy(average.state()))
    assert average.state().keys() == other.state().keys()
    assert all(torch.equal(v, other.state()[k]) for k, v in average.state().items())


def test_restated_statistics_are_the_plain_mean_over_batches() -> None:
    """Of equal batches: the mean is that of their concatenation, the variance the mean of theirs."""
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(3, momentum=0.01).double()
    batches = iter(chunks := torch.randn(16, 32, 3, dtype=torch.float64) * 3 + 5)
    norm(torch.randn(32, 3, dtype=torch.float64))  # what was there before has no part in it
    restate([norm], lambda: norm(next(batches)))
    torch.testing.assert_close(norm.running_mean, chunks.reshape(-1, 3).mean(0), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(norm.running_var, chunks.var(1).mean(0), rtol=1e-12, atol=1e-12)
    assert norm.momentum == 0.01
    assert next(batches, None) is None


def test_statistics_that_follow_with_momentum_are_not_the_plain_mean() -> None:
    """The negative control: without restate, the last batches count most and the first value stays."""
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(3, momentum=0.01).double()
    chunks = torch.randn(16, 32, 3, dtype=torch.float64) * 3 + 5
    for chunk in chunks:
        norm(chunk)
    assert (norm.running_mean - chunks.reshape(-1, 3).mean(0)).abs().max() > 1


def test_statistics_through_which_nothing_passes_stay() -> None:
    """As a critic's, when samples are generated: a reset alone would leave means of 0 and variances of 1."""
    torch.manual_seed(0)
    passed, apart = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    for norm in (passed, apart):
        norm(torch.randn(32, 3) * 3 + 5)
    before = copy.deepcopy(apart.state_dict())
    restate([passed, apart], lambda: passed(torch.randn(32, 3)))
    assert all(torch.equal(value, before[name]) for name, value in apart.state_dict().items())
    assert float(apart.running_var.min()) > 1
    assert passed.running_mean.abs().max() < 0.2


@pytest.mark.parametrize("spectral", [parametrizations.spectral_norm, nn.utils.spectral_norm])
def test_without_memory_it_is_the_live_network_also_under_a_spectral_norm(spectral: Any) -> None:
    """Its singular vectors follow the weights; with those of the first step the norm is off by orders of magnitude."""
    torch.manual_seed(0)
    generator = nn.Sequential(spectral(nn.Linear(2, 16)), nn.Tanh(), spectral(nn.Linear(16, 2)))
    generator.latent_shape = (2,)  # type: ignore[assignment]
    played = Adversarial(generator=generator, critic=nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)))
    average = Average(Averaging(decay=0.0), played)
    for step in range(50):
        with torch.no_grad():
            for parameter in generator.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
        generator(torch.randn(8, 2))  # in training, which moves the live vectors
        average.update(played, step)
    z = torch.randn(100, 2)
    live = generator.eval()(z)
    with average.playing(played):
        assert torch.allclose(played.generator.eval()(z), live, rtol=0.05, atol=0.02)
    average.take_over(played)
    assert torch.allclose(played.generator.eval()(z), live, rtol=0.05, atol=0.02)


def test_restate_leaves_other_modules_alone() -> None:
    calls: list[int] = []
    plain = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    before = copy.deepcopy(plain.state_dict())
    restate([plain], lambda: calls.append(1))
    assert calls == []
    mixed = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout()).eval()
    kept = weights(mixed)
    restate([mixed], lambda: mixed(torch.randn(4, 2)), batches=3)
    assert [m.training for m in mixed] == [False, True, False]  # the caller is in evaluation_mode
    assert all(torch.equal(a, b) for a, b in zip(kept, weights(mixed), strict=True))
    assert all(torch.equal(v, before[k]) for k, v in plain.state_dict().items())
    assert mixed[1].num_batches_tracked == 3


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0, math.nan])
def test_a_decay_that_forgets_nothing_or_everything_twice_is_refused(decay: float) -> None:
    with pytest.raises(SettingError, match="0 <= decay < 1"):
        Averaging(decay=decay)
