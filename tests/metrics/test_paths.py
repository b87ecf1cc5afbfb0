"""Paths of samples: 1 for a generator that is linear, and the worst there is for one that jumps."""

import math

import pytest
import torch

from agon.errors import DataError
from agon.latents import linear, spherical
from agon.metrics import path_smoothness


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def latents(p: int, s: int, d: int = 16) -> torch.Tensor:
    """p straight paths between random ends."""
    return torch.stack([linear(normal(d, seed=2 * i), normal(d, seed=2 * i + 1), s) for i in range(p)])


def test_an_affine_generator_is_straight_and_even() -> None:
    weight = normal(16, 48)
    images = (latents(6, 9) @ weight + 3).reshape(6, 9, 3, 4, 4)
    straightness, jump, still = path_smoothness(images, "linear")
    assert (straightness.name, jump.name, still.name) == ("linear-straightness", "linear-jump", "linear-still")
    assert still.value == 0
    for score in (straightness, jump):
        assert score.value == pytest.approx(1, abs=1e-12)
        assert score.error == pytest.approx(0, abs=1e-12)
        assert (score.n, score.detail["paths"]) == (54, 6)


@pytest.mark.parametrize("s", [3, 8])
def test_a_generator_that_jumps_once_is_as_uneven_as_can_be(s: int) -> None:
    """And as straight as can be: neither figure does for the other."""
    images = torch.zeros(4, s, 1, 2, 2)
    for path in range(4):
        images[path, 1 + path % (s - 1) :] = 1 + path
    straightness, jump, _ = path_smoothness(images, "linear")
    assert (straightness.value, jump.value) == (1, s - 1)


def test_a_circle_and_a_return() -> None:
    """A quarter circle in many steps has chord / arc = √2 / (π/2); a path that comes back has 0."""
    quarter = spherical(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 400)[None].double()
    straightness, jump, _ = path_smoothness(quarter, "spherical")
    assert straightness.value == pytest.approx(math.sqrt(2) / (math.pi / 2), rel=1e-4)
    assert jump.value == pytest.approx(1, abs=1e-3)
    assert straightness.error is None, "one path has no error"
    back = torch.cat([quarter, quarter.flip(1)[:, 1:]], dim=1)
    assert path_smoothness(back, "spherical")[0].value == pytest.approx(0, abs=1e-6)


def test_noise_has_even_steps_and_goes_nowhere() -> None:
    straightness, jump, _ = path_smoothness(normal(50, 11, 500), "linear")
    assert straightness.value == pytest.approx(0.1, abs=0.01)
    assert jump.value < 1.2


def test_neither_scale_nor_bytes_matter() -> None:
    images = normal(5, 7, 3, 4, 4).mul(40).add(128).clamp(0, 255).to(torch.uint8)
    expected = [score.value for score in path_smoothness(images, "linear")]
    for same in (images.double() * 1e-3 + 7, images.float()):
        assert [score.value for score in path_smoothness(same, "linear")] == pytest.approx(expected, rel=1e-12)


def test_the_error_is_that_of_repeated_draws() -> None:
    draws = [path_smoothness(torch.tanh(3 * latents(400, 6, 4)), "linear")]
    straightness = torch.cat(
        [path_smoothness(path[None], "x")[0].value * torch.ones(1) for path in torch.tanh(3 * latents(400, 6, 4))]
    )
    assert draws[0][0].error == pytest.approx(float(straightness.std()) / 20, rel=1e-4)
    assert draws[0][0].value == pytest.approx(float(straightness.mean()), rel=1e-5)


def test_what_does_not_move_is_told() -> None:
    """A collapsed generator: some paths are left out and counted; where none moves, that is the one score."""
    images = latents(5, 4)
    images[1:3] = 0.25
    straightness, jump, still = path_smoothness(images, "linear")
    assert (straightness.value, jump.value) == (pytest.approx(1), pytest.approx(1))
    assert (still.value, still.n, jump.detail["paths"]) == (0.4, 20, 3)
    (collapsed,) = path_smoothness(torch.ones(5, 4, 1, 2, 2), "linear")
    assert (collapsed.name, collapsed.value, collapsed.n) == ("linear-still", 1, 20)
    assert collapsed.interval is not None
    assert 0.5 < collapsed.interval[0] < collapsed.interval[1] == 1


def test_protocols_hold_no_measured_number() -> None:
    """Curves over steps are keyed by them: a generator that half collapses keeps its curve."""
    images = latents(5, 4)
    before = [score.protocol for score in path_smoothness(images, "linear")]
    images[1:3] = 0.25
    assert [score.protocol for score in path_smoothness(images, "linear")] == before


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(5, 2, 7), r"at least 3 samples, .* \(5, 2, 7\)"),
        (torch.zeros(5, 7), "linear paths: expected p paths"),
        (torch.zeros(0, 4, 7), "expected"),
        (normal(5, 4, 7) * math.inf, "got 20 of 20 samples that are not"),
    ],
)
def test_what_is_no_path_is_a_sentence(images: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        path_smoothness(images, "linear")
