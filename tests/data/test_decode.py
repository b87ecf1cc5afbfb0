"""Every format and mode comes out as the picture that a person sees."""

import io

import numpy as np
import pytest
from PIL import Image

from agon.data.decode import decode, formats, suffixes

GRADIENT = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3) * 3


def stored(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(image, kind="PNG", *, channels=None, size=None, **options):
    return decode(stored(image, kind, **options), size=size, channels=channels)


def test_pixels_arrive_as_channels_rows_columns():
    assert np.array_equal(decoded(Image.fromarray(GRADIENT)), GRADIENT.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (1, lambda x: x),
        (2, np.fliplr),
        (3, lambda x: np.rot90(x, 2)),
        (4, np.flipud),
        (5, lambda x: x.swapaxes(0, 1)),
        (6, lambda x: np.rot90(x, -1)),
        (7, lambda x: np.rot90(x, 2).swapaxes(0, 1)),
        (8, np.rot90),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(orientation, undo, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    got = decoded(Image.fromarray(GRADIENT), kind, exif=exif, **options)
    assert np.array_equal(got.transpose(1, 2, 0), undo(GRADIENT))


def test_transparency_is_laid_over_white():
    pixels = np.zeros((1, 3, 4), dtype=np.uint8)
    pixels[0, :, 3] = [0, 255, 51]  # black, seen through, whole, and to a fifth
    assert decoded(Image.fromarray(pixels))[0, 0].tolist() == [255, 0, 204]
    grey = Image.fromarray(pixels[:, :, 2:])
    assert grey.mode == "LA"
    assert decoded(grey).tolist() == [[[255, 0, 204]]]


def test_palettes_are_looked_up_and_their_transparent_entry_is_white():
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    assert decoded(image)[:, 0].T.tolist() == [[10, 20, 30], [40, 50, 60], [70, 80, 90]]
    assert decoded(image, transparency=1)[:, 0].T.tolist() == [[10, 20, 30], [255] * 3, [70, 80, 90]]
    assert decoded(image, "GIF", transparency=2)[:, 0, 2].tolist() == [255] * 3


def test_cmyk_becomes_the_colours_that_were_printed():
    image = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    got = decoded(image, "JPEG", quality=100)
    assert np.abs(got[:, 4, 4].astype(int) - [0, 255, 255]).max() <= 2
    assert decoded(image, "TIFF").shape == (3, 8, 8)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind):
    pixels = np.array([[0, 128, 256, 32768, 65407, 65535]], dtype=np.uint16)
    got = decoded(Image.fromarray(pixels), kind)[0, 0].tolist()
    assert got == [0, 0, 1, 128, 255, 255]
    assert np.minimum(pixels, 255)[0].tolist() != got  # clipping: white from 255 on


def test_sixteen_bit_grey_maps_of_netpbm_too():
    text = b"P5 2 1 65535\n" + np.array([257, 65535], dtype=">u2").tobytes()
    assert decode(text, size=None, channels=None).tolist() == [[[1, 255]]]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_animations_give_their_first_frame(kind):
    first, second = (Image.new("RGB", (5, 5), colour) for colour in ("red", "blue"))
    options = {"lossless": True} if kind == "WEBP" else {}
    got = decoded(first, kind, save_all=True, append_images=[second], **options)
    assert (got == np.array([255, 0, 0]).reshape(3, 1, 1)).all()


def test_bits_and_grey_have_one_channel():
    assert decoded(Image.new("1", (3, 2), 1)).tolist() == [[[255] * 3] * 2]
    assert decoded(Image.new("L", (3, 2), 7)).tolist() == [[[7] * 3] * 2]


def test_channels_are_converted_on_request():
    grey = Image.fromarray(GRADIENT).convert("L")
    got = decoded(Image.fromarray(GRADIENT), channels=1)
    assert np.abs(got[0].astype(int) - np.asarray(grey)).max() <= 1
    assert (decoded(grey, channels=3) == np.asarray(grey)).all()


def test_a_size_is_met():
    assert decoded(Image.fromarray(GRADIENT), size=(2, 3)).shape == (3, 2, 3)


def test_floats_are_refused_because_nobody_states_their_range():
    with pytest.raises(ValueError, match="32-bit floats"):
        decoded(Image.fromarray(np.ones((2, 2), dtype=np.float32)), "TIFF")


def test_postscript_is_never_run():
    assert "EPS" not in formats()
    assert ".eps" not in suffixes()
    with pytest.raises(OSError, match="cannot identify"):
        decoded(Image.new("RGB", (2, 2)), "EPS")
    assert {".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".bmp"} <= suffixes()
