"""Folders of parquet files: strays are passed over by name, and cells that hold paths are read as images are."""

import io
import os
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from agon.data import Images
from agon.data.description import describe
from agon.errors import DataError


def png(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4), value).save(file, "PNG")
    return file.getvalue()


def write(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two shards of four images."""
    for shard in range(2):
        images = [{"bytes": png(4 * shard + i), "path": None} for i in range(4)]
        write(tmp_path / "set" / "data" / f"train-{shard}.parquet", image=images, label=[0, 1, 0, 1])
    return tmp_path / "set"


def levels(source: Images, n: int) -> list[int]:
    real = source.open(seed=0).draw(n, 0, 0, 1).real
    return sorted(round(float(x)) for x in (real[:, 0, 0, 0] + 1) * 127.5)


def test_hidden_and_stray_files_are_passed_over(shards: Path) -> None:
    (shards / "data" / "._train-0.parquet").write_bytes(b"a resource fork")
    (shards / ".cache" / "huggingface").mkdir(parents=True)
    (shards / ".cache" / "huggingface" / "old.parquet").write_bytes(b"half a download")
    (shards / "__MACOSX").mkdir()
    (shards / "__MACOSX" / "x.parquet").write_bytes(b"a resource fork")
    write(shards / "metadata.parquet", file_name=["a.png"], text=["a"])
    source = Images(path=str(shards), holdout=0.0)
    assert levels(source, 8) == list(range(8))
    assert f"left out {shards}/metadata.parquet, which has no column of images" in describe(source)


def test_a_damaged_shard_is_no_stray(shards: Path) -> None:
    (shards / "data" / "train-2.parquet").write_bytes(b"half a download")
    with pytest.raises(DataError, match=r"a whole parquet file, but .*train-2.parquet cannot be read .*fetch it again"):
        Images(path=str(shards)).count()


def test_shards_may_have_other_columns(shards: Path) -> None:
    """Another name of the images, more columns, no labels: each file's own are read."""
    write(shards / "data" / "train-2.parquet", img=[png(8)], caption=["a"])
    write(shards / "data" / "train-3.PARQUET", label=[1], extra=[0.5], image=[png(9)])
    source = Images(path=str(shards), holdout=0.0)
    assert levels(source, 10) == list(range(10))
    drawn = source.open(seed=0).draw(10, 0, 0, 1)
    known = dict(zip(((drawn.real[:, 0, 0, 0] + 1) * 127.5).round().int().tolist(), drawn.label.tolist(), strict=True))
    assert (known[8], known[9], known[7]) == (-1, 1, 1)


def test_a_table_without_images_beside_images_is_left_out(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(3):
            (tmp_path / name / f"{i}.png").write_bytes(png(i))
    write(tmp_path / "metadata.parquet", file_name=["cat/0.png"])
    source = Images(path=str(tmp_path), holdout=0.0)
    assert (source.count(), tuple(source.classes)) == (6, ("cat", "dog"))
    assert "metadata.parquet, which has no column of images" in describe(source)
    only = tmp_path / "only"
    write(only / "metadata.parquet", file_name=["cat/0.png"])
    with pytest.raises(DataError, match=r"a column of images .*got the columns file_name; rename it to 'image'"):
        Images(path=str(only)).count()


@pytest.mark.parametrize("struct", [True, False])
def test_paths_in_cells_are_relative_to_the_file(tmp_path: Path, struct: bool) -> None:
    (tmp_path / "set" / "img").mkdir(parents=True)
    names = [f"img/{i}.png" for i in range(3)]
    for i, name in enumerate(names):
        (tmp_path / "set" / name).write_bytes(png(i))
    cells: list[Any] = [{"bytes": None, "path": name} for name in names] if struct else names
    write(tmp_path / "set" / "x.parquet", image=cells)
    source = Images(path=str(tmp_path / "set" / "x.parquet"), holdout=0.0)
    assert levels(source, 3) == [0, 1, 2]
    (tmp_path / "set" / "img" / "1.png").write_bytes(png(200))
    assert levels(source, 3) == [0, 2, 200]  # no cache of what they were
    os.unlink(tmp_path / "set" / "img" / "1.png")
    os.mkfifo(tmp_path / "set" / "img" / "1.png")
    with pytest.raises(DataError, match=r"got 1 of 3 that are not: .*x.parquet row 1 \(.*is a named pipe"):
        source.open(seed=0)
    assert levels(Images(path=source.path, holdout=0.0, skip_corrupt=True), 2) == [0, 2]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([None], "its cell is empty"),
        ([b""], "its cell is empty"),
        (["/etc/passwd"], "its cell names /etc/passwd, expected a path relative to the table and below it"),
        (["../x.png"], "expected a path relative to the table and below it"),
        (["https://a/b.png"], "its cell names https://a/b.png, expected a path"),
        (["gone.png"], r"row 0 \(no such file or directory\)"),
        ([[1, 2]], "its cell holds a list, expected an image file's bytes or a path"),
        ([7], "its cell holds a int, expected"),
        ([b"no image"], "it is no image of a format that is read"),
    ],
)
def test_a_cell_that_is_no_image_has_its_sentence(tmp_path: Path, cells: list[Any], words: str) -> None:
    write(tmp_path / "x.parquet", image=cells)
    for source in (Images(path=str(tmp_path)), Images(path=str(tmp_path), size=4, channels=1, streaming=True)):
        with pytest.raises(DataError, match=words):
            source.open(seed=0).draw(1, 0, 0, 1)


def test_names_say_the_split(tmp_path: Path) -> None:
    """The file's own, before those of its folders; in any case."""
    for n, name in enumerate(("Training-0.parquet", "Testing-0.parquet", "unsupervised.parquet"), 2):
        write(tmp_path / "set" / "test_run" / name, image=[png(i) for i in range(n)])
    source = Images(path=str(tmp_path / "set"))
    assert (source.count(), source.count("test")) == (2, 3)
    assert "left out the split 'all'" in describe(source)
    (tmp_path / "set" / "test_run" / "a.png").write_bytes(png(1))
    assert "1 image files beside the tables" in describe(source)
