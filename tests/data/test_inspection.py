"""What `agon data` tells of images before a training meets them."""

import shutil

import numpy as np
import pytest
from PIL import Image

from agon.cli import main
from agon.data import Images, copies, settle
from agon.data.findings import findings
from agon.data.inspection import inspect

from .test_settling import VARIED, photographs


def told(source, **options):
    source = settle(source).source
    return dict(findings(source, inspect(source, **options)))


@pytest.fixture
def photos(tmp_path):
    return photographs(tmp_path / "photos", VARIED)


def test_sizes_formats_and_costs(photos):
    lines = told(Images(path=str(photos), size=80))
    assert lines["sizes"].startswith("70x71 to 89x90, median 79x80 (height x width); 9")
    assert "are smaller than 80x80, and are enlarged" in lines["sizes"]
    assert lines["formats"] == "JPEG 20"
    assert lines["memory"] == "0.4 MiB of decoded images, kept in memory"
    assert "decoding takes about 0:0" in lines["time"]
    assert (lines["copies"], lines["similar"], lines["seen"]) == ("none with the same bytes", "none", "all 20 images")


def test_copies_and_near_copies(photos):
    """The same file twice, and a picture that was resized and compressed again; others are no copies."""
    shutil.copy(photos / "003.jpg", photos / "copy.jpg")
    shutil.copy(photos / "003.jpg", photos / "third.jpg")
    image = Image.open(photos / "007.jpg")
    image.resize((image.width // 2, image.height // 2)).save(photos / "small.jpg", quality=60)
    image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(photos / "mirrored.jpg")
    lines = told(Images(path=str(photos)))
    assert lines["copies"] == (
        f"2 images have the same bytes as others, in 1 group: {photos}/003.jpg = {photos}/copy.jpg = {photos}/third.jpg"
    )
    assert lines["similar"].startswith("1 image has almost the same picture as others, in 1 group: ")
    assert lines["similar"].endswith(f"{photos}/007.jpg = {photos}/small.jpg")


def test_a_copy_in_the_test_split_is_found(tmp_path):
    photographs(tmp_path / "set" / "train", VARIED[:6])
    photographs(tmp_path / "set" / "test", [(33, 44)] * 2)
    shutil.copy(tmp_path / "set" / "train" / "002.jpg", tmp_path / "set" / "test" / "leak.jpg")
    assert "train/002.jpg = " in told(Images(path=str(tmp_path / "set")))["copies"]


def test_digits_are_no_copies_of_each_other():
    """The negative control: 1,797 small pictures of ten kinds."""
    lines = told(Images(path="digits"))
    assert (lines["copies"], lines["similar"]) == ("none with the same bytes", "none")
    assert lines["balance"].startswith("3 183, 1 182, ")


def test_thousands_of_copies_are_one_group():
    """Pairs do not grow with the square of the copies."""
    thumbnails = np.zeros((3_000, 256), dtype=np.float32)
    thumbnails[1_500:] = np.arange(256)
    pairs = copies.near(thumbnails)
    assert len(pairs) < 4 * 3_000
    assert [len(group) for group in copies.groups(pairs, 3_000)] == [1_500, 1_500]


@pytest.mark.parametrize(("relative", "expected"), [(0.07, 1), (0.09, 0)])
def test_how_near_a_near_copy_is(relative, expected):
    """A difference of `relative` times the contrast, in every pixel, in alternating directions."""
    rng = np.random.default_rng(0)
    image = rng.uniform(50, 200, 256).astype(np.float32)
    other = image + relative * image.std() * np.tile([1, -1], 128).astype(np.float32)
    assert len(copies.near(np.stack([image, other]))) == expected


def test_broken_files_are_named_with_the_option(photos, capsys):
    """Without --check they are named among those that are looked at; with it they are an error."""
    (photos / "005.jpg").write_bytes((photos / "005.jpg").read_bytes()[:300])
    (photos / "009.jpg").write_bytes(b"no image")
    assert main(["data", str(photos)]) == 0
    out = capsys.readouterr().out
    assert "broken   2 images of 20 cannot be read: " in out
    assert out.count("photos/005.jpg (") == 1
    assert "--skip-corrupt leaves them out" in out
    assert main(["data", str(photos), "--check"]) == 2
    err = capsys.readouterr().err
    assert "got 2 of 20 that are not" in err
    assert "leave them out with --skip-corrupt" in err
    assert "data.skip_corrupt" not in err
    assert main(["data", str(photos), "--check", "--skip-corrupt"]) == 0
    assert "left out, as they cannot be read, 2 of 20 images" in capsys.readouterr().out


def test_training_names_the_option_and_takes_it(photos, tmp_path, capsys):
    (photos / "009.jpg").write_bytes(b"no image")
    train = ["train", "radford2015/dcgan", "--data", str(photos), "--scale", "smoke", "--steps", "1", "--size", "8"]
    assert main([*train, "--out", str(tmp_path / "run")]) == 2
    assert "leave them out with --skip-corrupt" in capsys.readouterr().err
    assert main([*train, "--skip-corrupt", "--out", str(tmp_path / "run")]) == 0


def test_a_split_that_is_not_used_is_said(tmp_path, capsys):
    """Of train, test and validation, the last is not used; `data` and `train` say so, with the number of images."""
    for split, n in (("train", 20), ("test", 4), ("validation", 3)):
        photographs(tmp_path / "set" / split, [(16, 16)] * n)
    assert main(["data", str(tmp_path / "set")]) == 0
    assert "3 images beside the splits or classes: 3 in " in capsys.readouterr().out
    words = ["--scale", "smoke", "--steps", "1", "--out", str(tmp_path / "run")]
    assert main(["train", "radford2015/dcgan", "--data", str(tmp_path / "set"), *words]) == 0
    told = capsys.readouterr().err
    assert "not used for training: 3 images beside the splits or classes: 3 in " in told
    assert "set/validation" in told


def test_work_on_a_large_set_is_bounded(photos, monkeypatch):
    """Fewer images are looked at, spread over the whole set, and the text says so."""
    monkeypatch.setattr("agon.data.inspection.MOST", 5)
    found = inspect(Images(path=str(photos), size=16))
    assert found.seen == 5
    lines = dict(findings(Images(path=str(photos), size=16), found))
    assert lines["seen"] == "5 of 20 images; --check: all"
    assert inspect(Images(path=str(photos), size=16), everything=True).seen == 20


def test_the_balance_of_many_classes(tmp_path):
    for number in range(14):
        photographs(tmp_path / "set" / f"kind{number:02}", [(8, 8)] * (2 + number % 3))
    lines = told(Images(path=str(tmp_path / "set")))
    assert lines["balance"] == "from kind02 4 to kind12 2 images"
    assert dict(findings(Images(path="digits", labelled=False), inspect(Images(path="digits")))).get("balance") is None
