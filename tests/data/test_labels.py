"""Labels are class numbers or names under one table over all splits, or a sentence names what they are."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from agon.classifiers.class_counts import class_counts
from agon.data import Images, Stacked, hub
from agon.data.description import describe
from agon.data.labels import CLASSES, Column, numbered
from agon.errors import DataError

COLOURS = {"ant": 10, "bee": 20, "cow": 30}


def png(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4), value).save(file, "PNG")
    return file.getvalue()


def parquet(path: Path, labels: Any, images: Any = None, **columns: Any) -> None:
    """A file of one image for each label, whose grey value is its name's."""
    import pyarrow
    import pyarrow.parquet

    cells = (
        [png(COLOURS.get(label, 0) if isinstance(label, str) else 0) for label in labels] if images is None else images
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table({"image": cells, "label": labels, **columns}), path)


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """Three classes by name, of which the test split has two."""
    parquet(tmp_path / "set" / "train-0.parquet", ["ant", "bee", "cow"] * 4)
    parquet(tmp_path / "set" / "test-0.parquet", ["bee", "cow"] * 4)
    return tmp_path / "set"


def pairs(source: Images, split: Any = "train") -> set[tuple[int, int]]:
    """Grey values of a split, with their labels."""
    drawn = source.open(seed=0, split=split).draw(source.count(split) or 0, 0, 0, 1)
    assert drawn.label is not None
    return {(round(float(x)), int(y)) for x, y in zip((drawn.real[:, 0, 0, 0] + 1) * 127.5, drawn.label, strict=True)}


def test_names_have_one_table_over_all_splits(animals: Path) -> None:
    source = Images(path=str(animals))
    assert tuple(source.classes) == ("ant", "bee", "cow")
    assert pairs(source) == {(10, 0), (20, 1), (30, 2)}
    assert pairs(source, "test") == {(20, 1), (30, 2)}
    ants, bees = (Images(path=str(animals), only=name) for name in ("ant", "bee"))
    assert (ants.count(), ants.count("test"), bees.count("test")) == (4, 0, 4)
    assert pairs(bees, "test") == {(20, 1)}
    assert "test     0 samples (of class 'ant' alone)" in describe(ants)


def test_a_cache_of_other_numbers_is_not_taken(animals: Path) -> None:
    """The test split alone is numbered in another way than beside its training split."""
    alone = Images(path=str(animals / "test-0.parquet"), holdout=0.0)
    assert pairs(alone) == {(20, 0), (30, 1)}
    assert pairs(Images(path=str(animals)), "test") == {(20, 1), (30, 2)}
    assert alone.open(seed=0).fingerprint != Images(path=str(animals)).open(seed=0, split="test").fingerprint


def test_the_hub_has_one_table_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    splits = {
        split: datasets.Dataset.from_dict({"image": [png(COLOURS[name]) for name in names], "label": names})
        for split, names in {"train": ["ant", "bee", "cow"], "test": ["bee", "cow"]}.items()
    }
    flowing = {split: table.to_iterable_dataset() for split, table in splits.items()}
    monkeypatch.setattr(hub, "_unreachable", lambda name, revision: None)
    monkeypatch.setattr(hub, "_load", lambda n, subset, revision, streaming: flowing if streaming else splits)
    source = Images(path="hub:owner/name")
    assert pairs(source, "test") == {(20, 1), (30, 2)}
    stream = Images(path="hub:owner/name", streaming=True)
    assert stream.classes == ()
    assert "set data.streaming=false" in describe(stream)
    with pytest.raises(DataError, match=r"got none \(the classes of a stream are known only"):
        Images(path="hub:owner/name", streaming=True, only="bee").open(seed=0)


def test_stated_names_that_differ_are_one_table(tmp_path: Path) -> None:
    """Number 0 of a file is the name that this file states for it."""
    import datasets
    import pyarrow
    import pyarrow.parquet

    for split, names in {"train": ["ant", "bee", "cow"], "test": ["cow", "bee"]}.items():
        features = datasets.Features(image=datasets.Value("binary"), label=datasets.ClassLabel(names=names))
        columns = {"image": [png(COLOURS[name]) for name in names], "label": list(range(len(names)))}
        table = pyarrow.table(columns, schema=features.arrow_schema)
        pyarrow.parquet.write_table(table, tmp_path / f"{split}.parquet")
    assert pairs(Images(path=str(tmp_path)), "test") == {(20, 1), (30, 2)}


def test_a_shard_of_another_kind_is_named(animals: Path) -> None:
    parquet(animals / "train-1.parquet", [0, 1])
    with pytest.raises(DataError, match=r"numbers everywhere or names everywhere, got the number 0 in .*train-1"):
        Images(path=str(animals)).count()


@pytest.mark.parametrize(
    ("labels", "known", "classes"),
    [
        (["b", None, "a"], [1, -1, 0], ("a", "b")),
        ([2, None, 0], [2, -1, 0], ("0", "1", "2")),
        ([1.0, float("nan"), 0.0], [1, -1, 0], ("0", "1")),
        ([[0, 1], [1, 0], [0, 1]], [1, 0, 1], ("0", "1")),
        ([[2], [0], [1]], [2, 0, 1], ("0", "1", "2")),
        ([True, False, True], [1, 0, 1], ("0", "1")),
        (["10", "9", "1"], [2, 1, 0], ("1", "9", "10")),
        ([b"x", b"y", b"x"], [0, 1, 0], ("x", "y")),
        ([-1, 1, 0], [-1, 1, 0], ("0", "1")),
        (["", "b", "a"], [-1, 1, 0], ("a", "b")),
    ],
)
@pytest.mark.parametrize("where", ["parquet", "npz"])
def test_labels_of_every_kind_are_used(tmp_path: Path, where: str, labels: Any, known: Any, classes: Any) -> None:
    images = [png(value) for value in (50, 100, 150)]
    if where == "parquet":
        parquet(tmp_path / "x.parquet", labels, images)
    elif None in labels:
        return
    else:
        np.savez(
            tmp_path / "x.npz", images=np.array([50, 100, 150], np.uint8)[:, None, None].repeat(2, 2), labels=labels
        )
    source = Images(path=str(tmp_path / f"x.{where}"), holdout=0.0)
    assert tuple(source.classes) == classes
    assert pairs(source) == set(zip((50, 100, 150), known, strict=True))


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        ([0.5, 1.0], "got 0.5"),
        ([[0, 1], [1, 1]], r"got \[0, 1\]"),
        ([[0.2, 0.8], [0.5, 0.5]], r"got \[0.2, 0.8\]"),
        ([-3, 0], "got -3"),
        ([-1, 1], "got -1 and 1"),
        ([0, 10**9], "got 1000000000"),
        (np.array([0, 2**64 - 1], np.uint64), "got 18446744073709551615"),
        (np.array(["2020", "2021"], "M8[Y]"), "got datetime"),
    ],
)
@pytest.mark.parametrize("where", ["parquet", "npz"])
def test_labels_that_are_no_classes_are_refused_by_name(tmp_path: Path, where: str, labels: Any, got: str) -> None:
    if where == "parquet":
        parquet(tmp_path / "x.parquet", [str(each) for each in labels] if "date" in got else labels, [png(1), png(2)])
        if "date" in got:
            return
    else:
        np.savez(tmp_path / "x.npz", images=np.zeros((2, 4, 4), np.uint8), labels=labels)
    source = Images(path=str(tmp_path / f"x.{where}"))
    with pytest.raises(DataError, match=f"labels: expected .*{got}.*--set data.labelled=false") as caught:
        source.count()
    assert len(str(caught.value)) < 600
    bare = Images(path=source.path, labelled=False, holdout=0.0)
    assert (bare.count(), bare.classes) == (2, ())
    assert bare.open(seed=0).draw(2, 0, 0, 1).label is None


def test_lists_of_different_lengths_are_refused(tmp_path: Path) -> None:
    parquet(tmp_path / "x.parquet", [[1], [1, 2]])
    with pytest.raises(DataError, match=r"one-hot row for each image in column 'label' of .*got \[1\]"):
        Images(path=str(tmp_path / "x.parquet")).count()


def test_only_empty_labels_are_said(tmp_path: Path) -> None:
    parquet(tmp_path / "x.parquet", [None, None, None])
    assert "none (the labels in column 'label' of" in describe(Images(path=str(tmp_path / "x.parquet")))


def test_a_name_comes_before_a_number(tmp_path: Path) -> None:
    """Folders 1 ... 11, and 01 ... 11: `only` is what they are called."""
    for k in range(1, 12):
        for root, name in (("plain", str(k)), ("padded", f"{k:02}")):
            (tmp_path / root / name).mkdir(parents=True)
            for i in range(2):
                Image.new("L", (4, 4), 10 * k + i).save(tmp_path / root / name / f"{i}.png")
    for root, kinds in {"plain": (2, "2"), "padded": (2, "02")}.items():
        for only in kinds:
            assert pairs(Images(path=str(tmp_path / root), only=only, holdout=0.0)) == {(20, 1), (21, 1)}
    with pytest.raises(DataError, match=r"there is no class '12'; did you mean"):
        Images(path=str(tmp_path / "plain"), only="12").count()
    with pytest.raises(DataError, match=r"a class from 0 to 10 of .*, got only=12"):
        Images(path=str(tmp_path / "plain"), only=12).count()


def test_names_are_safe_to_print_and_to_keep(tmp_path: Path) -> None:
    names = [b"caf\xe9", b"a\nb", b"\x1b[31mred", "猫".encode()]
    for name in names:
        folder = bytes(tmp_path / "set") + b"/" + name
        __import__("os").makedirs(folder)
        Image.new("L", (4, 4)).save(folder.decode(errors="surrogateescape") + "/0.png")
    source = Images(path=str(tmp_path / "set"), holdout=0.0)
    assert set(source.classes) == {"caf\\udce9", "a\\nb", "\\x1b[31mred", "猫"}
    assert all(name.encode() and name.isprintable() for name in source.classes)
    assert describe(source).count("\n") == 5
    assert Images(path=source.path, only="a\nb", holdout=0.0).count() == 1


def test_many_classes_make_short_messages(tmp_path: Path) -> None:
    for split, count in (("train", 3000), ("test", 3000)):
        parquet(tmp_path / f"{split}.parquet", [f"{i:04}" + "x" * 300 for i in range(count)], [png(0)] * count)
    source = Images(path=str(tmp_path))
    assert len(describe(source)) < 4000
    with pytest.raises(DataError) as caught:
        Images(path=str(tmp_path), only="zzz").count()
    assert len(str(caught.value)) < 4000
    with pytest.raises(DataError, match="at most 100 classes"):
        _ = Stacked(of=source).classes


def test_a_limit_of_classes_is_met() -> None:
    most = numbered({"train": [Column("x", [CLASSES - 1])]})["train"]
    assert len(most.classes) == CLASSES
    with pytest.raises(DataError, match="from 0 to 999,999"):
        numbered({"train": [Column("x", [CLASSES])]})


def test_unlabelled_images_are_not_counted(tmp_path: Path) -> None:
    parquet(tmp_path / "train.parquet", ["a", None, "b", "b"])
    parquet(tmp_path / "test.parquet", ["b", None])
    assert class_counts(Images(path=str(tmp_path))).tolist() == [1, 2]
