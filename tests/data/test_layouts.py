"""Folders are read as a person reads them: which are splits, which are classes, and what is passed over is said."""

import os
from pathlib import Path

import pytest
from PIL import Image

from agon.data import Images
from agon.data.description import describe
from agon.data.tree import Walk
from agon.errors import DataError


def grow(root: Path, folders: list[str], n: int = 12) -> Images:
    """n images in each folder; "a.png" is one image of that name."""
    for k, folder in enumerate(folders):
        files = [root / folder] if folder.endswith(".png") else [root / folder / f"{i}.png" for i in range(n)]
        for i, file in enumerate(files):
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4), k * 20 + i).save(file)
    return Images(path=str(root), holdout=0.0)


def below(folder: str, names: str = "cat dog") -> list[str]:
    return [f"{folder}/{name}".strip("/") for name in names.split()]


PETS = ("cat", "dog")
LAYOUTS = {  # folders -> images of train and test, classes
    "a class called train": (below("", "bird bus car dog train"), 60, 0, ("bird", "bus", "car", "dog", "train")),
    "a class called test": (below("", "bus test"), 24, 0, ("bus", "test")),
    "Training and Testing": (below("Training") + below("Testing"), 24, 24, PETS),
    "TRAIN and TEST": (below("TRAIN") + below("TEST"), 24, 24, PETS),
    "a word before": (below("seg_train") + below("seg_test"), 24, 24, PETS),
    "a number behind": (below("train2017") + below("val2017"), 24, 24, PETS),
    "val beside valid": (below("train") + below("val") + below("valid"), 24, 24, PETS),
    "dev": (below("train") + below("dev"), 24, 24, PETS),
    "a wrapper": (below("data/all"), 24, 0, PETS),
    "wrapped splits": (below("set/train") + below("set/val"), 24, 24, PETS),
    "each split wrapped": (below("seg_train/seg_train") + below("seg_test/seg_test"), 24, 24, PETS),
    "one name wraps both": (below("train/images") + below("test/images"), 24, 24, PETS),
    "train alone": (below("train"), 24, 0, PETS),
    "a lone class of the other split": ([*below("train"), "test/dog"], 24, 12, PETS),
    "a flat test": ([*below("train"), "test"], 24, 12, PETS),
    "a test folder of no class": ([*below("train"), "test/unknown"], 24, 12, PETS),
    "one loose image": ([*below(""), "cover.png"], 24, 0, PETS),
    "a loose image beside a wrapper": ([*below("pets"), "cover.png"], 24, 0, PETS),
    "a loose image beside splits": ([*below("train"), *below("test"), "cover.png"], 24, 24, PETS),
    "folders of systems": (
        [*below("", "cat dog @eaDir __MACOSX $RECYCLE.BIN"), "System Volume Information"],
        24,
        0,
        PETS,
    ),
    "system folders and a split": (["train/cat", "train/dog", "test/cat", "@eaDir/x"], 24, 12, PETS),
    "numbers": (below("", "1 2 3 9 10 11"), 72, 0, ("1", "2", "3", "9", "10", "11")),
    "flat": (["."], 12, 0, ()),
    "flat with a folder": ([".", "extra"], 24, 0, ()),
    "many beside two folders": ([".", "a", "b"], 36, 0, ()),
    "one folder": (["cat"], 12, 0, ()),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout(name: str, tmp_path: Path) -> None:
    folders, train, test, classes = LAYOUTS[name]
    source = grow(tmp_path / "set", folders)
    assert tuple(source.classes) == classes
    assert (source.count(), source.count("test")) == (train, test)
    drawn = source.open(seed=0).draw(train, 0, 0, 1)
    assert (drawn.label is None) == (not classes)
    if classes:
        assert set(drawn.label.tolist()) == set(range(len(classes)))


def test_a_split_without_folders_has_no_labels(tmp_path: Path) -> None:
    """And does not take those of the other split; each of its images is drawn."""
    source = grow(tmp_path / "set", [*below("train"), "test"])
    assert source.open(seed=0, split="test").draw(12, 0, 0, 1).label is None
    assert "test     12 samples (no folders of classes in" in describe(source)
    only = Images(path=source.path, only="cat", holdout=0.0)
    assert (only.count(), only.count("test")) == (12, 0)
    with pytest.raises(DataError, match=r"split 'test' of .*got none"):
        only.open(seed=0, split="test")


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    source = grow(tmp_path / "set", [*below("train"), *below("test"), "val/cat", "cover.png", "@eaDir"])
    (tmp_path / "set" / "notes.txt").write_text("no image")
    told = describe(source)
    for words in (
        "13 images beside",
        "cover.png",
        f"12 in {tmp_path}/set/val/cat",
        "@eaDir (of the operating",
        "1 .txt",
    ):
        assert words in told
    assert "left out" not in describe(grow(tmp_path / "clean", below("")))


def test_why_there_are_no_classes_is_said(tmp_path: Path) -> None:
    assert "none (expected two folders or more below" in describe(grow(tmp_path / "one", ["cat"]))
    some = grow(tmp_path / "some", ["a", "b"])
    for i in range(9):
        Image.new("L", (4, 4)).save(tmp_path / "some" / f"{i}.png")
    assert "none (9 of 33 images lie beside the folders a, b)" in describe(some)
    assert "none (labelled=false)" in describe(
        Images(path=str(grow(tmp_path / "two", ["a", "b"]).path), labelled=False)
    )


def test_two_pairs_of_splits_are_a_question(tmp_path: Path) -> None:
    source = grow(tmp_path / "set", ["trainA", "trainB", "testA", "testB"])
    with pytest.raises(
        DataError, match=r"expected one folder of training images in .*got testA, testB, trainA, trainB"
    ):
        source.count()


def test_links_are_followed_only_out_of_the_folder(tmp_path: Path) -> None:
    """A link to the root of all, to a folder around, or to a class does not multiply images, and does not hang."""
    source = grow(tmp_path / "set", below(""))
    for name, target in {"a": "/", "b": tmp_path, "c": tmp_path / "set" / "cat", "d": "/proc", "e": "/dev"}.items():
        os.symlink(target, tmp_path / "set" / name)
    assert (source.count(), tuple(source.classes)) == (24, PETS)
    assert "set/a (a link to images that are read anyway" in describe(source)
    grow(tmp_path / "elsewhere", ["fish"])
    os.symlink(tmp_path / "elsewhere" / "fish", tmp_path / "set" / "fish")
    assert (source.count(), tuple(source.classes)) == (36, (*PETS, "fish"))


def test_a_walk_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = grow(tmp_path / "set", ["/".join(["x"] * 80), *below("")])
    assert (source.count(), tuple(source.classes)) == (24, PETS)
    assert "more than 64 folders down" in describe(source)
    monkeypatch.setattr("agon.data.tree.MANY", 1000)
    for i in range(1000):
        (tmp_path / "set" / f"{i}.txt").touch()
    with pytest.raises(
        DataError, match="got 0 images among the first 1,000 files and folders below it; give the folder"
    ):
        Walk(tmp_path / "set" / "..")
