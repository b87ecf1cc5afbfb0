"""Text without a word about itself: where its cells end, and whether its first line holds names."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from agon.data import Numeric
from agon.data.delimited import read_delimited
from agon.data.table import Table
from agon.errors import DataError

RANDOM = np.random.default_rng(0)
FLOATS = RANDOM.normal(size=(7, 3))


def read(folder: Path, text: str, name: str = "t.csv") -> Table:
    (folder / name).write_text(text)
    return read_delimited(folder / name)


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize(
    "array",
    [FLOATS, FLOATS[:, :2], (9 * FLOATS).astype(int), RANDOM.integers(0, 256, (5, 400))],
    ids=["floats", "pairs", "whole numbers", "pixels below the number of columns"],
)
def test_the_names_that_pandas_gives_an_array_are_no_sample(tmp_path: Path, array: np.ndarray, index: bool) -> None:
    table = read(tmp_path, pandas.DataFrame(array).to_csv(index=index))
    assert np.array_equal(table.values, array)
    assert table.names == tuple(map(str, range(array.shape[1])))


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("city,1990,2000\nBerlin,1,2\n", ("1990", "2000"), [[1, 2]]),
        ("1990,2000,2010\n1,2,3\n4,5,6\n", ("1990", "2000", "2010"), [[1, 2, 3], [4, 5, 6]]),
        ("1990;2000\n1,5;2010\n", ("1990", "2000"), [[1.5, 2010]]),  # a number may look like a year
        ("name,0,1,2\nx,7,8,9\n", ("0", "1", "2"), [[7, 8, 9]]),
        ("0,1\n1,7\n", ("0", "1"), [[1, 7]]),
    ],
)
def test_names_that_are_numbers(tmp_path: Path, text: str, names: tuple[str, ...], rows: list[Any]) -> None:
    table = read(tmp_path, text)
    assert table.names == names
    assert table.values.tolist() == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0\n1\n2\n", [[0], [1], [2]]),  # one column
        ("0,1\n1,0\n1,1\n", [[0, 1], [1, 0], [1, 1]]),  # zeros and ones
        ("0,1,2\n", [[0, 1, 2]]),  # names of nothing
        ("0.0,1.0,2.0\n3,4,5\n", [[0, 1, 2], [3, 4, 5]]),  # nobody counts like this
        ("1,2,3\n4,5,6\n", [[1, 2, 3], [4, 5, 6]]),
        ("Berlin,1990,2000\nParis,1985,2005\n", [[1990, 2000], [1985, 2005]]),  # years below years
        ("2000,1990\n1,2\n", [[2000, 1990], [1, 2]]),
        ("city,1990\nBerlin,1\n", [[1990], [1]]),  # one year may be a number
    ],
)
def test_a_first_sample_is_no_name(tmp_path: Path, text: str, rows: list[Any]) -> None:
    assert read(tmp_path, text).values.tolist() == rows


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("columns", [2, 3, 9])
@pytest.mark.parametrize("head", ["", '"height, cm"{0}weight{0}"a, b, c, d"{0}', "height, cm{0}weight, kg{0}x{0}"])
def test_decimal_commas_do_not_end_cells(tmp_path: Path, ending: str, delimiter: str, columns: int, head: str) -> None:
    numbers = np.round(RANDOM.normal(size=(5, columns)), 3) + 2
    rows = [delimiter.join(f"{number}".replace(".", ",") for number in row) for row in numbers]
    names = [*head.format(delimiter).split(delimiter)[:-1], *(f"n{i}" for i in range(9))][:columns]
    lines = [delimiter.join(names), *rows] if head else rows
    table = read(tmp_path, "\n".join(lines), f"t{ending}")
    assert np.allclose(table.values, numbers)
    assert table.names == (tuple(name.strip('"') for name in names) if head else tuple(map(str, range(columns))))


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("1,5;x;2,5\n2,5;y;3,5\n", ("0", "2"), [[1.5, 2.5], [2.5, 3.5]]),
        ("Berlin;1,5;2,5\nParis;3,5;4\n", ("1", "2"), [[1.5, 2.5], [3.5, 4]]),
        ("name,note,v\nq,a;b,1\nr,c;d,2\n", ("v",), [[1], [2]]),
        ("title,genres,rating\nToy,A|C,3.9\nFoo,B|D,4.1\n", ("rating",), [[3.9], [4.1]]),
        ("a,b\n1,2\n", ("a", "b"), [[1, 2]]),
    ],
)
def test_words_may_hold_other_delimiters(tmp_path: Path, text: str, names: tuple[str, ...], rows: list[Any]) -> None:
    table = read(tmp_path, text)
    assert table.names == names
    assert table.values.tolist() == rows


def test_a_wide_table_is_cut_by_its_delimiter(tmp_path: Path) -> None:
    line = "\t".join(f"{i}.5" for i in range(40_000))  # too long for one cell
    assert read(tmp_path, f"{line}\n{line}\n", "t.txt.csv").values.shape == (2, 40_000)


@pytest.mark.parametrize(
    ("text", "row", "name"),
    [("a,b\n1,2\n,\n3,4\n", 1, "a"), ('a\n1\n2\n""\n', 2, "a"), (";;\n1,5;2;3\n", 0, "0"), ("1\t2\n\t\n", 1, "0")],
)
def test_a_row_of_empty_cells_is_a_row(tmp_path: Path, text: str, row: int, name: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    source = Numeric(path=str(tmp_path / "t.csv"), holdout=0.0)
    with pytest.raises(DataError, match=f"got 1 of . rows without, first row {row} in '{name}'"):
        source.open(seed=0)
    count = Numeric(path=str(tmp_path / "t.csv"), holdout=0.0, skip_missing=True).count()
    assert count == len(read(tmp_path, text).values) - 1


def test_a_blank_line_is_no_row(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\n\n1,2\n\n\r\n3,x\n4,5\n5,6\n".replace("x", "")).values[:, 0].tolist() == [1, 3, 4, 5]
