"""Contrast, edges and changes of images whose values are known."""

import pytest
import torch

from agon.metrics.pixels import canvas_change, canvas_changes, detail, relative_detail, roughness, saturation

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
