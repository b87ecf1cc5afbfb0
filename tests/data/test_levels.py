"""What black and white are is stated or clear; channels are as many as there are."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from agon.data import Images, Stream
from agon.data.decode import decode
from agon.errors import DataError
from agon.figures.pictures import read_grid

SQUARE = np.arange(2 * 3 * 3).reshape(2, 3, 3)


@pytest.mark.parametrize(
    "array",
    [
        (SQUARE % 2).astype(np.int64),
        (SQUARE % 2).astype(np.uint8),
        (SQUARE % 2).astype(np.uint16),
        (SQUARE * 10).astype(np.uint16),
        (SQUARE * 200).astype(np.uint16),
        (SQUARE * 5).astype(np.int8),
        (SQUARE * 200).astype(np.int32),
        (SQUARE / 17),
    ],
    ids=lambda array: f"{array.dtype} {array.max()}",
)
def test_what_is_ambiguous_is_refused(tmp_path: Path, array: Any) -> None:
    """0 and 1, words with a byte's range, or 12 bits: they would be drawn almost black."""
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=r"a stated range in .*say what black and white are, .*--set data.values=\[0,"):
        Images(path=str(tmp_path / "x.npy")).open(seed=0)
    stated = Images(path=str(tmp_path / "x.npy"), values=(0.0, float(array.max())), holdout=0.0)
    assert stated.take(2).real.max() == 1


@pytest.mark.parametrize("kind", ["u1", "<u2", ">u2", "<i8", ">i4", "?"])
def test_what_is_clear_is_read(tmp_path: Path, kind: str) -> None:
    white = {"u1": 255, "<u2": 65535, ">u2": 65535, "<i8": 255, ">i4": 255, "?": 1}[kind]
    np.save(tmp_path / "x.npy", np.array([0, white, 0, white]).reshape(1, 2, 2).repeat(2, 0).astype(kind))
    real = Images(path=str(tmp_path / "x.npy"), holdout=0.0).take(2).real
    assert real[0].flatten().tolist() == [-1, 1, -1, 1]


@pytest.mark.parametrize("kind", [">f4", "<f8", ">i2"])
def test_a_byte_order_changes_nothing(tmp_path: Path, kind: str) -> None:
    np.save(tmp_path / "x.npy", (SQUARE * 5).astype(kind))
    real = Images(path=str(tmp_path / "x.npy"), values=(0, 255), range=(0, 255), holdout=0.0).take(2).real
    assert sorted(real.flatten().tolist()) == [5 * i for i in range(18)]


@pytest.mark.parametrize("channels", [2, 4, 5, 7])
@pytest.mark.parametrize("layout", ["last", "first"])
def test_more_channels_are_kept_as_they_are(tmp_path: Path, channels: int, layout: str) -> None:
    """Four are no colours with opacity."""
    images = np.random.default_rng(0).integers(0, 256, (6, 9, 8, channels)).astype(np.uint8)
    np.save(tmp_path / "x.npy", images if layout == "last" else images.transpose(0, 3, 1, 2))
    source = Images(path=str(tmp_path / "x.npy"), range=(0, 255), holdout=0.0)
    assert source.shape == (channels, 9, 8)
    stored = source.stored()
    assert np.array_equal(stored.numpy(), images.transpose(0, 3, 1, 2))
    assert Stream(source, batch=3, seed=0).draw().real.shape == (3, channels, 9, 8)
    with pytest.raises(DataError, match=f"it has {channels} channels, which are no colours; leave out data.channels=3"):
        Images(path=source.path, channels=3).open(seed=0)


def tiff(array: np.ndarray, extra: tuple[int, ...] | None) -> bytes:
    """Four bands, and what the file says of the fourth."""
    file = io.BytesIO()
    Image.fromarray(array, "RGBA").save(file, "TIFF")
    data = bytearray(file.getvalue())
    with Image.open(io.BytesIO(data)) as image:
        assert image.tag_v2[338] == (2,)
    at = data.index((338).to_bytes(2, "little") + (3).to_bytes(2, "little"))
    if extra is None:
        data[at : at + 2] = (340).to_bytes(2, "little")  # SMinSampleValue, which nobody minds
    else:
        data[at + 8 : at + 10] = extra[0].to_bytes(2, "little")
    return bytes(data)


def test_opacity_is_what_the_file_says() -> None:
    array = np.arange(4 * 5 * 4, dtype=np.uint8).reshape(4, 5, 4)
    assert decode(tiff(array, (2,)), size=None, channels=None).shape == (3, 4, 5)
    assert np.array_equal(decode(tiff(array, None), size=None, channels=None), array.transpose(2, 0, 1))
    with pytest.raises(ValueError, match=r"4 bands, of which 3 are read; save the set as an array"):
        decode(tiff(array, (0,)), size=None, channels=None)


def test_integers_of_32_bits_state_no_range() -> None:
    file = io.BytesIO()
    Image.fromarray(np.array([[0, 255]], np.int32)).save(file, "TIFF")
    with pytest.raises(ValueError, match="32-bit integers, whose range nobody states"):
        decode(file.getvalue(), size=None, channels=None)
    assert TiffImagePlugin.EXTRASAMPLES == 338


def test_images_of_more_channels_are_trained_on(tmp_path: Path) -> None:
    """Colour and depth: the run, its pictures and its samples have all four."""
    from agon.recipes import RECIPES
    from agon.samples import load, sample, write
    from agon.training import train

    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (40, 16, 16, 4)).astype(np.uint8))
    experiment = RECIPES["radford2015/dcgan"].experiment(Images(path=str(tmp_path / "x.npy")), "smoke").with_steps(1)
    run = train(experiment, tmp_path / "run", show=False)
    assert sample(load(run), 2).shape == (2, 4, 16, 16)
    assert np.load(run.samples / "real.npy").shape[1:] == (4, 16, 16)
    assert read_grid(write(sample(load(run), 3), experiment.data, tmp_path / "grid.png")).tiles.shape == (3, 4, 16, 16)
