"""What is no image, or no file at all, is named in a bounded time and memory: in reading, hashing and evaluating."""

import io
import os
import socket
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from agon.cli import main
from agon.data import Images, Stream
from agon.data.decode import PIXELS, decode
from agon.data.description import describe
from agon.data.glance import header
from agon.data.resize import fit
from agon.errors import DataError, SettingError
from agon.experiment import Experiment
from agon.experiment.codec import encode
from agon.samples.reading import read_samples

KINDS = {
    "link.png": "no such file",
    "loop.png": "too many levels of symbolic links",
    "pipe.png": "a named pipe",
    "socket.png": "a socket",
    "zero.png": "a device",
    "random.png": "a device",
}


def plant(folder: Path) -> None:
    """One of each kind that is no file."""
    os.symlink("/gone.png", folder / "link.png")
    os.symlink("loop.png", folder / "loop.png")
    os.mkfifo(folder / "pipe.png")
    os.symlink("/dev/zero", folder / "zero.png")
    os.symlink("/dev/random", folder / "random.png")
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path may have only 108 characters
        made.bind("socket.png")
        os.chdir(here)


def test_what_is_no_file_is_named_like_an_unreadable_image(folder: Path) -> None:
    plant(folder / "even")
    with pytest.raises(DataError) as caught:
        Images(path=str(folder)).open(seed=0)
    assert "got 6 of 30" in str(caught.value)
    for name, reason in KINDS.items():
        assert name in str(caught.value)
        assert reason in str(caught.value)
    assert "6 of the files: " in describe(Images(path=str(folder), size=4, channels=1))


def test_what_is_no_file_is_skipped(folder: Path) -> None:
    plant(folder / "even")
    source = Images(path=str(folder), skip_corrupt=True, holdout=0.0)
    assert source.count() == 24
    assert source.take(24).real.shape == (24, 1, 6, 4)
    flowing = Images(path=str(folder), skip_corrupt=True, holdout=0.0, streaming=True)
    assert Stream(flowing, batch=24, seed=0).draw().real.shape == (24, 1, 6, 4)
    with pytest.raises(DataError, match="got 6 of 30"):
        read_samples(folder)


@pytest.mark.parametrize("ending", ["npz", "npy", "parquet", "png"])
def test_a_path_to_no_file_is_a_sentence(tmp_path: Path, ending: str) -> None:
    os.mkfifo(tmp_path / f"pipe.{ending}")
    os.symlink("/dev/zero", tmp_path / f"zero.{ending}")
    os.symlink(f"loop.{ending}", tmp_path / f"loop.{ending}")
    for name, words in {"pipe": "got a named pipe", "zero": "got a device", "loop": "it is a link to nothing"}.items():
        with pytest.raises(DataError, match=words):
            Images(path=str(tmp_path / f"{name}.{ending}")).count()
    with pytest.raises(DataError, match=r"loop.parquet|got none|got 3 of 3 that are not"):
        Images(path=str(tmp_path)).open(seed=0)


def test_check_decodes_all_and_names_ten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", str(folder), "--check"]) == 0
    assert capsys.readouterr().out.endswith("all 24 images can be read\n")
    whole = (folder / "odd" / "01.png").read_bytes()
    for i in range(15):
        (folder / "odd" / f"cut{i:02}.png").write_bytes(whole[:40])
    (folder / "odd" / "phone.heic").write_bytes(b"a photograph")
    assert main(["data", str(folder), "--check"]) == 2
    told = capsys.readouterr()
    assert "train      36 samples" in told.out
    assert "got 16 of 40 that are not" in told.err
    assert told.err.count("/cut") == 10
    assert "and 6 more; mend or remove them, or leave them out with --skip-corrupt" in told.err
    assert main(["data", str(folder), "--check", "--set", "data.skip_corrupt=true"]) == 0
    assert "left out, as they cannot be read, 16 of 40 images" in capsys.readouterr().out
    assert main(["data", "ring", "--check"]) == 0


def test_a_format_that_is_not_read_is_counted(folder: Path) -> None:
    (folder / "odd" / "phone.HEIC").write_bytes(b"a photograph")
    with pytest.raises(
        DataError, match=r"got 1 of 25 .*phone.HEIC \(the format .heic is not read here; save it as .png"
    ):
        Images(path=str(folder)).open(seed=0)
    assert "1 of the files: " in describe(Images(path=str(folder)))


def claimed(width: int, height: int) -> bytes:
    """A small PNG that says it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_an_image_is_measured_before_it_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(claimed(9400, 9400))
    with pytest.raises(DataError, match=r"9,400 x 9,400 pixels, more than the 67,108,864 .*data.most_pixels=88360000"):
        Images(path=str(tmp_path), size=8, channels=1).open(seed=0)
    Image.new("L", (30, 20), 7).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="30 x 20 pixels, more than the 599 that are read"):
        Images(path=str(tmp_path), most_pixels=599).open(seed=0)
    assert Images(path=str(tmp_path), most_pixels=600, holdout=0.0).take(1).real.shape == (1, 1, 20, 30)
    pyarrow.parquet.write_table(pyarrow.table({"image": [claimed(9400, 9400)]}), tmp_path / "cell.parquet")
    with pytest.raises(DataError, match=r"cell.parquet row 0 \(it has 9,400 x 9,400 pixels"):
        Images(path=str(tmp_path / "cell.parquet"), size=8, channels=1).open(seed=0)
    with pytest.raises(SettingError, match="at most 2,147,483,648"):
        Images(most_pixels=10**10)
    assert PIXELS < 2**27


def test_the_limit_on_pixels_can_be_raised_above_pillows_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's limit warns from its own number on, and refuses from twice that on; ours decides alone."""
    Image.new("L", (40, 30), 7).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(DataError, match=r"40 x 30 pixels, more than the 1,199 that .*data.most_pixels=1200 reads it"):
        Images(path=str(tmp_path), most_pixels=1199).open(seed=0)
    assert Images(path=str(tmp_path), most_pixels=1200, holdout=0.0).take(1).real.shape == (1, 1, 30, 40)
    assert Image.MAX_IMAGE_PIXELS == 500
    (tmp_path / "b.png").write_bytes(claimed(20_000, 20_000))
    with pytest.raises(DataError, match=r"20,000 x 20,000 pixels, .*data.most_pixels=400000000 reads it"):
        Images(path=str(tmp_path), size=8).open(seed=0)
    assert header(tmp_path / "b.png")[:2] == (20_000, 20_000)


@pytest.mark.parametrize("size", [(8, 8), (50, 31), (300, 200)])
def test_large_images_are_averaged_in_bands(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(0, 256, (211, 173, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    whole, grey = fit(image, size), decode(file.getvalue(), size=None, channels=1)
    monkeypatch.setattr("agon.data.resize.BAND", 5000)
    monkeypatch.setattr("agon.data.decode.BAND", 5000)
    assert np.abs(fit(image, size).astype(int) - whole).max() <= 1
    assert (fit(image, size) != whole).mean() < 1e-3
    assert np.array_equal(decode(file.getvalue(), size=None, channels=1), grey)


def bomb(path: Path, shape: tuple[int, ...], content: bytes) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", head.getvalue() + content)


def test_an_archive_is_measured_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb(tmp_path / "claims.npz", (10**6, 1000, 1000), b"few")
    for read in (lambda path: Images(path=str(path)).count(), read_samples):
        with pytest.raises(DataError, match=r"is cut: .* bytes of shape \(1000000, 1000, 1000\)"):
            read(tmp_path / "claims.npz")
    bomb(tmp_path / "holds.npz", (1000, 100, 100), bytes(10**7))
    monkeypatch.setattr("agon.data.archive.MEMORY", 10**6)
    with pytest.raises(DataError, match=r"arrays of at most 0 GiB in .* in \[images\]; save it alone with numpy.save"):
        Images(path=str(tmp_path / "holds.npz")).count()


def test_a_table_is_measured_before_its_labels_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"image": [b""] * 100, "label": [0] * 100}), tmp_path / "x.parquet")
    monkeypatch.setattr("agon.data.tables.MOST", 99)
    with pytest.raises(DataError, match=r"at most 99 rows in groups of at most 8 GiB in .*, got 100 in groups"):
        Images(path=str(tmp_path / "x.parquet")).count()


@pytest.mark.parametrize("name", ["caf\udce9", "a\x1b[31mb", "line\nbreak"])
def test_a_folder_of_any_name_is_written_down(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    os.rename(folder, folder.parent / name)
    source = Images(path=str(folder.parent / name))
    assert main(["data", source.path]) == 0
    told = capsys.readouterr().out
    assert all(line.isprintable() for line in told.splitlines())
    assert len(told.splitlines()) == 15
    experiment: Any = Experiment(game=_game(), data=source, steps=1)
    text = experiment.to_json()
    assert Experiment.from_json(text.encode().decode()).data == source
    assert encode(source)["path"] == source.path


def _game() -> Any:
    from agon.recipes import RECIPES

    return RECIPES["first/digits"].experiment(Images(), "smoke").game


def test_broken_images_make_one_short_printable_sentence(tmp_path: Path) -> None:
    for i in range(300):
        (tmp_path / f"a\x1b]0;{'x' * 200}\n{i}.png").write_bytes(b"no")
    with pytest.raises(DataError) as caught:
        Images(path=str(tmp_path)).open(seed=0)
    assert str(caught.value).isprintable()
    assert "and 290 more" in str(caught.value)
    assert len(str(caught.value)) < 6000
