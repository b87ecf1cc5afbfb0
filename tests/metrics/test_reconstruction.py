"""Inference via optimisation: what a generator made is found again, what it dropped is not."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from agon.errors import DataError, SettingError
from agon.metrics import Reconstruction, best_rank, by_fractional_difference, reconstruct
from agon.networks import dcgan, mlp


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def latents(n: int, rng: torch.Generator) -> Tensor:
    return torch.randn(n, 4, generator=rng)


def doubles(n: int, rng: torch.Generator) -> Tensor:
    return latents(n, rng).double()


def smooth(seed: int = 0) -> nn.Module:
    """z -> (3, 8), tanh: a curved sheet of 4 dimensions among 24."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 24), nn.Unflatten(1, (3, 8)))
    return net.double().eval()


def generated(generate: Callable[[Tensor], Tensor], n: int = 8) -> Tensor:
    """What the generator makes of other latents than any search begins with."""
    with torch.no_grad():
        return generate(doubles(n, rng(99)))


def test_what_the_generator_made_is_found() -> None:
    """From one of 3 starts at least, every sample of its own: the latent too, and an error near 0."""
    generate = smooth()
    result = reconstruct(generate, generated(generate), doubles, iterations=200, tolerance=1e-8)
    assert result.errors.max() < 1e-10
    torch.testing.assert_close(result.images, generated(generate), rtol=0, atol=1e-4)
    torch.testing.assert_close(result.latents, doubles(8, rng(99)), rtol=0, atol=1e-3)
    assert result.score().value < 1e-10


def test_the_nearest_point_of_a_plane_is_its_projection() -> None:
    """G(z) = z W: the error is that of least squares, from every start alike."""
    weights = torch.randn(4, 10, generator=rng(1), dtype=torch.float64) * torch.logspace(0, 2, 10)
    targets = torch.randn(6, 10, generator=rng(2), dtype=torch.float64)
    result = reconstruct(lambda z: z @ weights, targets, doubles, 2, tolerance=1e-12)
    nearest = targets @ torch.linalg.pinv(weights) @ weights
    torch.testing.assert_close(result.images, nearest, rtol=1e-5, atol=1e-5)
    expected = (targets - nearest).square().mean(1)
    torch.testing.assert_close(result.all_errors, expected[:, None].expand(6, 2), rtol=1e-6, atol=0)


def test_a_collapsed_generator_is_told_from_one_that_covers() -> None:
    """Targets on a circle: all of it, half of it, or one point of it can be made; and the ranks say so."""
    angles = torch.linspace(0, 2 * math.pi, 33, dtype=torch.float64)[:-1]
    targets = torch.stack([angles.cos(), angles.sin()], 1)

    def arc(share: float) -> Callable[[Tensor], Tensor]:
        return lambda z: torch.stack([(share * z[:, 0]).cos(), (share * z[:, 0]).sin()], 1)

    def half(z: Tensor) -> Tensor:
        return arc(1.0)(math.pi / 2 * torch.tanh(z))

    runs = {"all": arc(2.0), "half": half, "one": arc(0.0)}
    results = {name: reconstruct(generate, targets, doubles) for name, generate in runs.items()}
    errors = {name: float(each.errors.mean()) for name, each in results.items()}
    assert errors["all"] < 1e-6
    assert 0.1 < errors["half"] < 0.6
    assert errors["one"] == pytest.approx(1.0), "½|x - x_0|² over a circle"
    ranks = best_rank({name: each.errors for name, each in results.items()})
    assert ranks["all"].value > 60, "where half a circle is enough, chance decides"
    assert ranks["one"].value < 5
    worst = by_fractional_difference(results["all"].errors + 1e-3, results["half"].errors + 1e-3)
    assert bool((targets[worst[:10], 0] < -0.1).all()), "what the half circle lacks"


def test_more_starts_are_no_worse_and_the_best_is_chosen() -> None:
    generate = smooth()
    targets = torch.randn(6, 3, 8, generator=rng(3), dtype=torch.float64)
    result = reconstruct(generate, targets, doubles, 4)
    assert result.all_errors.shape == result.iterations.shape == result.converged.shape == (6, 4)
    torch.testing.assert_close(result.errors, result.all_errors.amin(1), rtol=1e-9, atol=0)
    torch.testing.assert_close(result.images, generate(result.latents).detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(result.errors, (result.images - targets).square().mean((1, 2)))
    assert result.all_errors.std(1).max() > 0, "starts differ"


def test_chunks_and_groups_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64 to 8 digits: 32 samples at a time, 7 with a remainder, 1; and 2 targets at a time instead of all."""
    generate, targets = smooth(), torch.randn(5, 3, 8, generator=rng(4), dtype=torch.float64)
    whole = reconstruct(generate, targets, doubles, iterations=30)
    others = [reconstruct(generate, targets, doubles, iterations=30, chunk=chunk) for chunk in (7, 1)]
    monkeypatch.setattr("agon.metrics.reconstruction.NUMBERS", 2 * 3 * 4)
    others.append(reconstruct(generate, targets, doubles, iterations=30))
    for other in others:
        torch.testing.assert_close(other.all_errors, whole.all_errors, rtol=1e-8, atol=0)
        torch.testing.assert_close(other.latents, whole.latents, rtol=1e-6, atol=1e-6)


def test_a_stretched_latent_costs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand times as sensitive in one of 40 directions as in another: the search is in better coordinates."""
    weights = torch.randn(40, 60, generator=rng(7), dtype=torch.float64) * torch.logspace(-1.5, 1.5, 40)[:, None]
    targets = torch.randn(4, 40, generator=rng(8), dtype=torch.float64) @ weights

    def errors() -> Tensor:
        drawn = partial(wide, 40)
        return reconstruct(lambda z: z @ weights, targets, drawn, 1, iterations=25, tolerance=0.0).errors

    result = errors()
    monkeypatch.setattr("agon.metrics.reconstruction.LARGEST", 0)
    assert bool((result < 0.1 * errors()).all())


def wide(d: int, n: int, rng: torch.Generator) -> Tensor:
    return torch.randn(n, d, generator=rng, dtype=torch.float64)


def test_the_same_seed_finds_the_same_and_nothing_is_disturbed() -> None:
    """No gradients on parameters, no flags, no statistics, no global random state."""
    generate = dcgan.Generator(shape=(1, 8, 8), latent=4, width=4).eval()
    targets = torch.rand(3, 1, 8, 8, generator=rng()) * 2 - 1
    before = {name: value.clone() for name, value in generate.state_dict().items()}
    state = torch.get_rng_state()
    with torch.no_grad():  # as evaluation has it
        one, same, other = (reconstruct(generate, targets, latents, seed=s, iterations=8) for s in (1, 1, 2))
    assert torch.equal(one.latents, same.latents)
    assert torch.equal(one.all_errors, same.all_errors)
    assert not torch.equal(one.all_errors, other.all_errors)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None and p.requires_grad for p in generate.parameters())
    assert not any(m.training for m in generate.modules())
    assert all(torch.equal(value, before[name]) for name, value in generate.state_dict().items())
    assert not one.images.requires_grad
    assert not one.latents.requires_grad


def test_points_and_other_generators() -> None:
    """Points of two coordinates; a generator that does not move has the error of its only sample."""
    points = torch.randn(5, 2, generator=rng(5))
    made = reconstruct(mlp.Generator(shape=(2,), latent=4).eval(), points, latents, iterations=5)
    assert made.images.shape == (5, 2)
    still = reconstruct(lambda z: torch.zeros(len(z), 2), points, latents)
    torch.testing.assert_close(still.errors, points.double().square().mean(1))


def test_the_score_has_the_error_of_a_mean() -> None:
    generate = smooth()
    result = reconstruct(generate, torch.randn(40, 3, 8, generator=rng(6)).double(), doubles, 2, iterations=5)
    score = result.score()
    assert score.value == pytest.approx(float(result.errors.mean()))
    assert score.error == pytest.approx(float(result.errors.std()) / math.sqrt(40))
    assert score.interval is not None
    assert score.interval[1] - score.value == pytest.approx(1.96 * score.error, rel=1e-3)
    assert (score.name, score.n, score.n_real) == ("reconstruction", 40, 40)
    assert "the best of 2 starts, each of at most 5 iterations" in score.protocol
    assert f"{float(result.converged.double().mean()):.0%} of the searches converged" in str(score)
    assert score.detail["converged"] == float(result.converged.double().mean())
    other = reconstruct(generate, generated(generate) / 2, doubles, 2, iterations=5)
    assert other.score().protocol == score.protocol, "it is the search alone"
    assert other.score().detail["range"] == [float(generated(generate).min()) / 2, float(generated(generate).max()) / 2]
    assert score.detail["mean_of_all_starts"] > score.value
    assert one_target(result).score().error is None


def one_target(result: Reconstruction) -> Reconstruction:
    rows = {name: part[:1] for name, part in vars(result).items() if isinstance(part, Tensor)}
    return Reconstruction(**rows, range=result.range, protocol=result.protocol)


TARGETS = torch.zeros(3, 3, 8, dtype=torch.float64)


@pytest.mark.parametrize(
    ("targets", "settings", "error", "message"),
    [
        (TARGETS[:, :2], {}, DataError, r"of the generator's shape \(3, 8\), got \(2, 8\)"),
        (TARGETS[:0], {}, DataError, "at least 1 target"),
        (TARGETS.index_fill(0, torch.tensor([1]), math.nan), {}, DataError, "got 1 of 3 that are not"),
        (TARGETS, {"starts": 0}, SettingError, "1 or more, got 0, 100 and None"),
        (TARGETS, {"iterations": 0}, SettingError, "got 3, 0 and None"),
        (TARGETS, {"chunk": 0}, SettingError, "got 3, 100 and 0"),
        (TARGETS, {"tolerance": -1}, SettingError, "tolerance of 0 or more"),
    ],
)
def test_what_cannot_be_reconstructed_is_a_sentence(
    targets: Tensor, settings: dict[str, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        reconstruct(smooth(), targets, doubles, **settings)  # type: ignore[arg-type]


def test_samples_that_are_no_numbers_are_a_sentence() -> None:
    with pytest.raises(DataError, match="at the start, got 9 of 9 without"):
        reconstruct(lambda z: z.sum() * torch.nan * torch.ones(len(z), 3, 8), TARGETS, doubles)
