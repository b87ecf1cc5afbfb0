"""Area-true: the mean over exactly the area that a new pixel covers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from agon.data.resize import fit

images = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3])))
sides = st.tuples(st.integers(1, 9), st.integers(1, 9))


def exact(image, size):
    """The definition, slowly: every old pixel is cut into size[0] x size[1] equal ones, then blocks."""
    fine = image.repeat(size[0], axis=0).repeat(size[1], axis=1).astype(float)
    height, width = image.shape[:2]
    return fine.reshape(size[0], height, size[1], width, -1).mean(axis=(1, 3))


@given(images, st.integers(1, 6))
def test_shrinking_is_the_mean_over_areas(image, side):
    square = image[: min(image.shape[:2]), : min(image.shape[:2])]
    size = (min(side, len(square)),) * 2
    assert np.abs(fit(square, size) - exact(square, size)).max() <= 0.5 + 1e-3


def test_three_pixels_to_two_and_what_pillow_makes_of_them():
    image = np.repeat(np.array([0, 90, 180], dtype=np.uint8)[None, :, None], 3, axis=0)
    assert fit(image, (2, 2))[0, :, 0].tolist() == [30, 150]
    box = Image.fromarray(image[:, :, 0]).resize((2, 2), Image.Resampling.BOX)
    assert np.asarray(box)[0].tolist() == [45, 180]  # pixel 1 is in or out


@given(images, sides)
def test_no_value_leaves_the_range_of_the_old_ones(image, size):
    result = fit(image, size)
    assert result.shape == (*size, image.shape[2])
    assert result.min() >= image.min()
    assert result.max() <= image.max()


@given(images)
def test_the_own_size_changes_nothing(image):
    assert np.array_equal(fit(image, image.shape[:2]), image)


@pytest.mark.parametrize("margin", [0, 1, 2, 5])
def test_a_plain_crop_is_centred_and_keeps_every_pixel(margin):
    image = np.arange(8 * (8 + margin), dtype=np.uint8).reshape(8, 8 + margin, 1)
    left = margin // 2
    assert np.array_equal(fit(image, (8, 8)), image[:, left : left + 8])


def test_the_wanted_proportions_are_cut_from_the_centre():
    image = np.zeros((20, 60, 1), dtype=np.uint8)
    image[:, 20:40] = 200
    assert (fit(image, (5, 5)) == 200).all()
    assert (fit(image, (5, 15))[:, [0, 14]] == 0).all()  # the whole width is kept for a wide size


def test_enlarging_is_linear_between_centres():
    row = np.array([[[0], [100]]], dtype=np.uint8).repeat(2, axis=0)
    assert fit(row, (4, 4))[0, :, 0].tolist() == [0, 25, 75, 100]
