"""Images of varied sizes get a size, which is said and written down; what they need is chosen, and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agon.cli import main
from agon.data import Images, Ring, settle
from agon.errors import DataError
from agon.recipes import RECIPES

from .conftest import SHARED


def photographs(folder: Path, sizes, *, ending="jpg", grey=()):
    """A file of smooth random colours for each (height, width); those in `grey` have one channel."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for i, (height, width) in enumerate(sizes):
        coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        image = coarse.resize((width, height), Image.Resampling.BICUBIC)
        (image.convert("L") if i in grey else image).save(folder / f"{i:03}.{ending}")
    return folder


VARIED = [(70 + i, 90 - i) for i in range(20)]


def test_a_folder_of_varied_sizes_trains_without_a_setting(tmp_path, capsys):
    """The size is proposed, said, and in experiment.json; --size, and --set data.size, choose another."""
    folder = photographs(tmp_path / "photos", VARIED)
    train = ["train", "radford2015/dcgan", "--data", str(folder), "--scale", "smoke", "--steps", "1", "--threads", "1"]
    assert main([*train, "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().err
    assert "size 64: the images have varied sizes (70x71 to 89x90, median 79x80, height x width)" in told
    assert "18 samples of 3x64x64; weights: generator 146,035, critic 44,649; 1 step of 16" in told
    written = json.loads((tmp_path / "run" / "experiment.json").read_text())
    assert written["data"]["size"] == 64
    assert written["notes"][0].startswith("size 64: ")
    assert main([*train, "--size", "16x24", "--out", str(tmp_path / "other")]) == 0
    assert "18 samples of 3x16x24" in capsys.readouterr().err
    written = json.loads((tmp_path / "other" / "experiment.json").read_text())
    assert (written["data"]["size"], written["notes"]) == ([16, 24], [])
    assert main(["resume", str(tmp_path / "run"), "--steps", "2"]) == 0


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 20)] * 5, None),  # one size, and small: kept
        ([(533, 400)] * 5, 64),  # one size, and too large to train on
        ([(100, 90), (90, 100)], 64),
        ([(100, 90)] * 8 + [(10, 10)] * 2, 8),  # a fifth is small
        ([(100, 90)] * 19 + [(10, 10)], 64),  # one in twenty is enlarged
        ([(60, 50), (50, 55)], 48),
    ],
)
def test_the_size_that_is_proposed(sizes, expected, tmp_path):
    source, reasons = settle(Images(path=str(photographs(tmp_path / "images", sizes, ending="png"))))
    assert source.size == expected
    assert bool(reasons) == (expected is not None)


def test_settled_images_are_read(tmp_path):
    """Without settling they are refused in a sentence, with the options of the command line."""
    folder = photographs(tmp_path / "photos", VARIED, grey=(0, 3))
    with pytest.raises(DataError, match="size=70 resizes and crops them all") as refused:
        Images(path=str(folder), channels=3).open(seed=0)
    assert "; --size 70 resizes" in refused.value.typed
    with pytest.raises(DataError, match="channels=3 converts them all"):
        Images(path=str(folder), size=16).open(seed=0)
    source, reasons = settle(Images(path=str(folder)))
    assert source == Images(path=str(folder), size=64, channels=3)
    assert reasons[1] == "channels 3: 18 images are coloured, 2 grey; --set data.channels=1 makes all grey"
    assert source.take(4).real.shape == (4, 3, 64, 64)


def test_settled_once_is_settled(tmp_path):
    photos = Images(path=str(photographs(tmp_path / "photos", VARIED)))
    for source in (Ring(), Images(path="digits"), settle(photos).source):
        assert settle(source) == (source, ())


def test_turned_photographs_count_as_they_are_seen(tmp_path):
    """EXIF turns height and width of a header as of the decoded image."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for i in range(3):
        Image.new("RGB", (40, 30)).save(tmp_path / f"{i}.jpg", exif=exif)
    assert settle(Images(path=str(tmp_path))).reasons == ()
    assert Images(path=str(tmp_path)).shape == (3, 40, 30)
    Image.new("RGB", (40, 30)).save(tmp_path / "3.jpg")
    assert "(30x30 to 40x40" in settle(Images(path=str(tmp_path))).reasons[0]


def test_unreadable_files_do_not_disturb(tmp_path):
    folder = photographs(tmp_path / "photos", VARIED)
    (folder / "000.jpg").write_bytes(b"no image")
    assert settle(Images(path=str(folder))).source.size == 64


def test_real_photographs(tmp_path):
    """Tiny ImageNet's, cropped and enlarged; where they are not at hand, drawn ones."""
    table = SHARED / "tiny-imagenet" / "test-00000-of-00001.parquet"
    if table.exists():
        import io

        import pyarrow.parquet

        rows = pyarrow.parquet.read_table(table).slice(0, 24).column("image").to_pylist()
        for i, cell in enumerate(rows):
            image = Image.open(io.BytesIO(cell["bytes"])).crop((0, 0, 40 + i, 64 - i))
            image.resize((3 * image.width, 3 * image.height)).save(tmp_path / f"{i}.jpg")
    else:
        photographs(tmp_path, [(192 - 3 * i, 120 + 3 * i) for i in range(24)])
    experiment = RECIPES["radford2015/dcgan"].experiment(Images(path=str(tmp_path)), "smoke")
    assert experiment.data.shape == (3, 64, 64)
    assert experiment.data.take(2).real.isfinite().all()


@pytest.mark.parametrize("size", ["48y", "0", "1x2x3", "x", "-3", ""])
def test_a_size_that_is_none(size, tmp_path, capsys):
    """Refused before anything is read, by every command that takes a source."""
    for words in (
        ["data", "digits"],
        ["train", "first/digits", "--out", str(tmp_path / "run")],
        ["evaluate", "--samples", str(tmp_path), "--data", "digits"],
    ):
        assert main([*words, f"--size={size}"]) == 2
        assert "--size: expected a side in pixels" in capsys.readouterr().err


def test_an_odd_file_that_decides_the_channels_is_named_with_the_setting(tmp_path, capsys):
    """Grey images and a coloured one, first or last; the setting makes all grey, and a file without a header counts."""
    for number, (place, chosen) in enumerate(((5, 3), (0, None))):  # the first image says so itself
        folder = photographs(tmp_path / str(number), [(16, 16)] * 6, ending="png", grey=set(range(6)) - {place})
        (folder / "999.png").write_bytes(b"no image")
        source, reasons = settle(Images(path=str(folder), skip_corrupt=True))
        odd = folder / f"00{place}.png"
        assert reasons == (
            f"channels 3: 1 image is coloured ({odd}), 5 grey, 1 cannot be read; --set data.channels=1 makes all grey",
        )
        assert (source.channels, source.shape[0]) == (chosen, 3)
    words = ["data", str(folder), "--skip-corrupt", "--set", "data.channels=1"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "shape    1 x 16 x 16" in told
    assert "coloured" not in told


def test_grey_images_alone_and_coloured_ones_alone_need_no_words(tmp_path):
    for grey in ((), range(4)):
        folder = photographs(tmp_path / str(len(grey)), [(16, 16)] * 4, ending="png", grey=grey)
        assert settle(Images(path=str(folder))).reasons == ()
