"""Contrast, edges and changes of images whose values are known."""

import math

import pytest
import torch

from agon.metrics.pixels import (
    at_equal_contrast,
    canvas_change,
    canvas_changes,
    detail,
    fineness,
    fineness_gain,
    redrawing,
    redrawing_gain,
    redrawn,
    relative_detail,
    roughness,
    roughness_by_contrast,
    saturation,
)

PLACES = torch.arange(28)[:, None] + torch.arange(28)
SQUARES = (PLACES % 2 * 255).byte().expand(3, 1, 28, 28)
STRIPES = (torch.arange(28) // 4 % 2 * 255).byte().expand(3, 1, 28, 28)
SMOOTH = torch.nn.functional.avg_pool2d(STRIPES.double(), 5, 1, 2, count_include_pad=False).byte()
NOISE = (SMOOTH + 25 * (PLACES % 2)).clamp(0, 255).byte()
GREY = torch.full((3, 1, 28, 28), 128, dtype=torch.uint8)


def test_contrast_and_roughness_of_images_that_are_known() -> None:
    squares, stripes, smooth, noise, grey = (
        (saturation(images).value, roughness(images).value) for images in (SQUARES, STRIPES, SMOOTH, NOISE, GREY)
    )
    assert squares == (1.0, 1.0)
    assert grey == (0.0, 0.0)
    assert stripes == (1.0, pytest.approx(6 / 54))  # of 27 pairs across and 27 down, 6 differ
    assert smooth[0] < 0.5
    assert smooth[1] <= stripes[1] + 1e-3  # as much from black to white, in more steps
    assert noise[1] > stripes[1]  # why it is no measure of blur


def test_detail_is_of_neighbours() -> None:
    """Stripes of one pixel differ in one direction of two; blurred ones less, flat ones not at all."""
    stripes = torch.zeros(1, 1, 8, 8)
    stripes[..., ::2] = 255
    blurred = torch.nn.functional.avg_pool2d(stripes, 3, stride=1, padding=1, count_include_pad=False)
    flat = torch.full_like(stripes, 128)
    sharp, soft, none = detail(torch.cat([stripes, blurred, flat]).byte()).tolist()
    assert sharp == 0.5
    assert sharp > 2 * soft > 0
    assert none == 0
    assert relative_detail(stripes.byte(), real=0.25).value == 2.0


def test_changes_are_squared_and_begin_at_grey() -> None:
    levels = torch.tensor([0.5, 0.7, 0.7, 0.2])
    painted = (255 * levels).round().byte()[:, None, None, None, None].expand(4, 3, 1, 6, 6)  # t n c h w
    changes = canvas_changes(painted)  # t n
    assert changes[:, 0].tolist() == pytest.approx([0, 0.04, 0, 0.25], abs=0.005)
    assert canvas_change(changes[3]).value == pytest.approx(0.25, abs=0.005)


def noise(n: int = 40, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 1, 12, 12, generator=torch.Generator().manual_seed(seed))


def test_equal_contrast_is_one_mean_and_one_deviation() -> None:
    images = torch.cat([noise(), 0.1 * noise(seed=1) + 0.7])
    level = at_equal_contrast(images, 0.4, 0.25)
    torch.testing.assert_close(level.mean((1, 2, 3)), torch.full((80,), 0.4))
    torch.testing.assert_close(level.var((1, 2, 3), unbiased=False).sqrt(), torch.full((80,), 0.25))
    assert torch.equal(at_equal_contrast(torch.full((1, 1, 4, 4), 0.2), 0.4, 0.25), torch.full((1, 1, 4, 4), 0.4))


def test_contrast_alone_makes_no_canvas_finer_and_redraws_nothing() -> None:
    """The negative control of "detail": pale canvases that gain contrast have more of it, and are the same pictures."""
    smooth = torch.nn.functional.avg_pool2d(noise(), 3, 1, 1, count_include_pad=False)
    pale = 0.5 + 0.2 * (smooth - 0.5)
    assert detail((255 * smooth).byte()).mean() > 3 * detail((255 * pale).byte()).mean()
    torch.testing.assert_close(roughness_by_contrast(smooth), roughness_by_contrast(pale))
    assert fineness_gain(roughness_by_contrast(smooth), roughness_by_contrast(pale)).value == pytest.approx(0, abs=1e-4)
    assert redrawing(redrawn(smooth, pale)).value == pytest.approx(0, abs=1e-5)


def test_finer_pictures_are_finer() -> None:
    """Pixels of white noise, uniform, differ by 2/√3 deviations on average; of blurred noise by less."""
    of_noise = roughness_by_contrast(torch.rand(4, 1, 200, 200, generator=torch.Generator().manual_seed(0)))
    assert float(of_noise.mean()) == pytest.approx(2 / 3**0.5, abs=0.01)  # E|u - v| = 1/3, deviation 1/√12
    smooth = torch.nn.functional.avg_pool2d(noise(), 3, 1, 1, count_include_pad=False)
    fine, coarse = roughness_by_contrast(noise()), roughness_by_contrast(smooth)
    gain = fineness_gain(fine, coarse)
    assert gain.value == pytest.approx(-fineness_gain(coarse, fine).value)
    assert gain.value > 0.5
    assert fineness(fine, float(fine.mean())).value == pytest.approx(1)


def test_what_is_redrawn_is_what_does_not_correlate() -> None:
    same, other, negative = (redrawn(noise(), images).mean() for images in (noise(), noise(seed=1), 1 - noise()))
    assert float(same) == pytest.approx(0, abs=1e-5)
    assert float(other) == pytest.approx(1, abs=0.05)
    assert float(negative) == pytest.approx(2, abs=1e-5)
    gain = redrawing_gain(redrawn(noise(), noise(seed=1)), redrawn(noise(), 0.5 * noise() + 0.5 * noise(seed=1)))
    assert gain.value == pytest.approx(math.log(1 / (1 - 0.5**0.5)), abs=0.1)  # r = 1/√2
