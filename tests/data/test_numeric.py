"""Tables and arrays of numbers in files: what is read, what is left out, how it is scaled and mapped back."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch

from agon.data import Images, Numeric, named
from agon.data.description import describe
from agon.errors import DataError, SettingError
from agon.experiment.codec import decode, encode

TABLE = pandas.DataFrame(
    {
        "height": [1.5, 1.6, 1.7, 1.8, 1.9, 2.0],
        "name": ["a", "b", "c", "d", "e", "f"],
        "year": [2001, 2002, 2003, 2004, 2005, 2006],
        "class": ["old", "old", "new", "new", "new", "old"],
    }
)
NUMBERS = TABLE[["height", "year"]].to_numpy()


def written(folder: Path, ending: str) -> str:
    file = folder / f"table{ending}"
    if ending == ".parquet":
        TABLE.to_parquet(file)
    else:
        TABLE.to_csv(file, sep="\t" if ending == ".tsv" else ",", index=False)
    return str(file)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_a_table(tmp_path: Path, ending: str) -> None:
    source = named(written(tmp_path, ending), holdout=0.0)
    assert isinstance(source, Numeric)
    assert source.shape == (2,)
    assert source.count() == 6
    assert tuple(source.classes) == ("new", "old")
    settled = source.settled()
    assert settled.columns == ("height", "year")
    assert settled.offset == tuple(NUMBERS.mean(0))
    assert settled.scale == tuple(NUMBERS.std(0))
    batch = source.take(6)
    assert torch.allclose(batch.real.mean(0), torch.zeros(2), atol=1e-6)
    back = source.restored(batch.real)
    assert back.dtype is torch.float64
    assert np.allclose(np.sort(back, axis=0), NUMBERS, rtol=1e-7)
    assert torch.allclose(source.scaled(back).float(), batch.real)
    assert "left out the columns name, which hold no numbers" in describe(source)
    assert decode(encode(settled)) == settled


def test_the_same_numbers_in_any_file(tmp_path: Path) -> None:
    fingerprints = {named(written(tmp_path, end)).open(seed=0).fingerprint for end in (".csv", ".tsv", ".parquet")}
    assert len(fingerprints) == 1


@pytest.mark.parametrize(
    ("scaling", "low", "high"), [("range", [-1.0, -1.0], [1.0, 1.0]), ("none", [1.5, 2001.0], [2.0, 2006.0])]
)
def test_scalings(tmp_path: Path, scaling: Any, low: list[float], high: list[float]) -> None:
    source = Numeric(path=written(tmp_path, ".csv"), scaling=scaling, holdout=0.0)
    real = source.take(6).real
    assert real.amin(0).tolist() == pytest.approx(low)
    assert real.amax(0).tolist() == pytest.approx(high)
    assert source.range == ((-1.0, 1.0) if scaling == "range" else None)
    assert np.allclose(np.sort(source.restored(real), axis=0), NUMBERS)


def test_held_out_rows_are_scaled_like_the_others(tmp_path: Path) -> None:
    source = Numeric(path=written(tmp_path, ".csv"), holdout=0.5)
    train, test = source.take(3), source.take(3, split="test")
    settled = source.settled()
    assert settled.offset == pytest.approx(source.restored(train.real).mean(0).tolist())
    both = torch.cat([source.restored(train.real), source.restored(test.real)])
    assert np.allclose(np.sort(both, axis=0), NUMBERS)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("a,b\n1,2\n3,4\n", ("a", "b"), [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", ("0", "1"), [[1, 2], [3, 4]]),
        ("1.5;2\n3,25;4\n", ("0", "1"), [[1.5, 2], [3.25, 4]]),
        ("a;b\n1,5;2\n", ("a", "b"), [[1.5, 2]]),
        ("a\tb\n1e3\t-2\n\n", ("a", "b"), [[1000, -2]]),
        (",a\n0,7\n1,8\n", ("a",), [[7], [8]]),  # pandas' numbers of rows
        ("5.1,setosa\n4.9,setosa\n", ("0",), [[5.1], [4.9]]),  # no line of names
        ('\ufeff"a, b",c\n1,2\n', ("a, b", "c"), [[1, 2]]),
        ("x\n1\n2\n", ("x",), [[1], [2]]),
        ("\n\na,b\r\n1,2\r\n\r\n3,4", ("a", "b"), [[1, 2], [3, 4]]),
        ('a,b\n"1","2"\n', ("a", "b"), [[1, 2]]),
    ],
)
def test_text_is_read_as_it_is_meant(tmp_path: Path, text: str, names: tuple[str, ...], rows: list[Any]) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    source = Numeric(path=str(tmp_path / "t.csv"), scaling="none", holdout=0.0)
    assert source.settled().columns == names
    real = source.take(len(rows)).real
    assert np.allclose(np.sort(real, axis=0), np.sort(np.array(rows, dtype=np.float32), axis=0))


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("", {}, "rows of numbers in .*an empty file"),
        ("a,b\n", {}, "a line of names alone"),
        ("a,b\n1,2\n3\n", {}, "expected 2 cells in every row .*got 1 in line 3"),
        (
            "a,b\n1,2\n3,\n",
            {},
            "got 1 of 2 rows without, first row 1 in 'b'.*leave these rows out with skip_missing=True",
        ),
        ("a,b\n1,2\nNA,4\n", {}, "got 1 of 2 rows without, first row 1 in 'a'"),
        ("a\n1\n2\nthree\n", {}, "expected numbers in column 'a' of .*got 'three' in row 2; mend the cell"),
        ("a,a\n1,2\n", {}, "got 'a' twice"),
        ("a,b\n1\n2,3\n", {}, "expected 2 cells in every row .*got 1 in line 2"),
        ('"' + "a" * 200_000, {}, r"a table as text .*got something else \(field larger than"),
        ("\0\0", {}, "a line of names alone"),
        ("a,b\nx,y\nz,w\n", {}, "expected a column of numbers in .*got a, b"),
        ("a,b\n1,x\n", {"columns": ("b",)}, "'b' holds none; there are a"),
        ("a,b\n1,2\n", {"columns": ("c",)}, "'c' does not exist; there are a, b"),
        ("a,b\n1,2\n3,4\n", {"offset": (1.0,)}, "offset to be a number for each of the 2 columns"),
        ("label\n1\n2\n", {}, "got only label"),
    ],
)
def test_what_is_no_table_of_numbers_is_said(tmp_path: Path, text: str, settings: Any, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises((DataError, SettingError), match=message):
        Numeric(path=str(tmp_path / "t.csv"), holdout=0.0, **settings).open(seed=0)


def test_rows_with_a_missing_number_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,label\n1,2,x\n,4,y\n5,6,x\n")
    source = Numeric(path=str(tmp_path / "t.csv"), skip_missing=True, scaling="none", holdout=0.0)
    batch = source.take(2)
    assert sorted(batch.real.tolist()) == [[1, 2], [5, 6]]
    assert batch.label is not None
    assert [source.classes[i] for i in batch.label] == ["x", "x"]
    assert "1 rows with a missing number" in describe(source)


def test_a_constant_column_is_not_scaled(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n7,1\n7,3\n")
    source = Numeric(path=str(tmp_path / "t.csv"), holdout=0.0).settled()
    assert (source.offset, source.scale) == ((7, 2), (1, 1))
    assert sorted(source.take(2).real.tolist()) == [[0, -1], [0, 1]]


def test_a_target_of_many_values_is_a_number(tmp_path: Path) -> None:
    values = np.arange(3000)
    pandas.DataFrame({"a": values / 7, "target": values}).to_csv(tmp_path / "t.csv", index=False)
    source = Numeric(path=str(tmp_path / "t.csv"))
    assert source.shape == (2,)
    assert source.classes == ()
    kept = Numeric(path=str(tmp_path / "t.csv"), columns=("target",), scaling="none", holdout=0.0)
    assert kept.take(3000).real.sum() == values.sum()


@pytest.mark.parametrize(
    ("shape", "kind", "expected"),
    [
        ((20,), "f8", (1,)),
        ((20, 5), "f4", (5,)),
        ((20, 5), "i8", (5,)),
        ((20, 8, 6), "u1", (1, 8, 6)),
        ((20, 8, 6, 3), "u1", (3, 8, 6)),
        ((20, 3, 8, 6), "u1", (3, 8, 6)),
    ],
)
@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_arrays_by_their_shape(tmp_path: Path, shape: Any, kind: str, expected: Any, ending: str) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape).astype(kind)
    file = tmp_path / f"x{ending}"
    np.save(file, array) if ending == ".npy" else np.savez(file, x=array, y=np.arange(20) % 2)
    source = named(str(file), holdout=0.0)
    assert source.shape == expected
    assert isinstance(source, Images if len(expected) == 3 else Numeric)
    assert tuple(source.classes) == (() if ending == ".npy" else ("0", "1"))
    if isinstance(source, Numeric):
        assert np.allclose(
            np.sort(source.restored(source.take(20).real), 0).reshape(shape), np.sort(array, 0), atol=1e-4
        )


def test_a_layout_decides(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20, 3, 50)))
    series = named(str(tmp_path / "x.npy"), layout="n c t")
    assert isinstance(series, Numeric)
    assert series.shape == (3, 50)
    np.save(tmp_path / "y.npy", np.zeros((9, 4, 4, 4), np.uint8))
    assert named(str(tmp_path / "y.npy"), layout="n c h w").shape == (4, 4, 4)
    with pytest.raises(DataError, match="expected 4 dimensions for layout='n h w c'"):
        named(str(tmp_path / "x.npy"), layout="n h w c").open(seed=0)
    with pytest.raises(SettingError, match="layout to be 'n d' or 'n c t'"):
        Numeric(path="x.npy", layout="n h w")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": ""}, "path to be a .csv, .tsv"),
        ({"scale": (1.0, 0.0)}, "scale to be a number for each column, above 0"),
        ({"columns": ()}, "columns to be names"),
        ({"columns": ("a", "a")}, "columns to be names of different columns"),
        ({"holdout": 1.0}, "holdout to be a share"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Numeric(**{"path": "x.csv", **settings})


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("1,2\n3,4\n")
    assert Numeric(path=str(file), holdout=0.0).count() == 2
    file.write_text("1,2\n3,4\n5,6\n")
    assert Numeric(path=str(file), holdout=0.0).count() == 3
