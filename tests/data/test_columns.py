"""Columns: the same ones in every split, whatever their order, types and sizes."""

import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
import torch

from agon.data import Numeric, of
from agon.errors import DataError, SettingError

FRAME = pandas.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [10.0, 20.0, 30.0, 50.0]})
TEST = FRAME + 0.5


def rows(source: Any, split: Any) -> list[list[float]]:
    """The rows of a split in the units of the data, in order."""
    drawn = source.restored(source.take(source.count(split), split=split).real)
    return sorted(drawn.double().round(decimals=4).tolist())


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(
    "test",
    [
        TEST[["b", "a"]],
        TEST.assign(c="x", d=7)[["d", "b", "c", "a"]],
        polars.from_pandas(TEST[["b", "a"]]),
        TEST.values,
    ],
    ids=["another order", "more columns", "polars", "an array, which has no names"],
)
def test_a_split_has_the_columns_of_the_training(test: Any, settled: bool) -> None:
    source = of({"train": FRAME, "test": test})
    source = source.settled() if settled else source
    assert rows(source, "test") == TEST.to_numpy().tolist()
    assert rows(source, "train") == FRAME.to_numpy().tolist()


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (TEST[["a"]], "'b' does not exist; there are a"),
        (TEST.rename(columns={"b": "c"}), "'b' does not exist; there are a, c"),
        (TEST.set_axis(["c", "d"], axis=1), "'a' does not exist; there are c, d"),
        (TEST.to_numpy()[:, [0, 1, 0]], "expected 2 columns in the .*'test', as in the data, got 3"),
        (TEST.assign(b="x"), "'b' holds none; there are a"),
        (TEST.to_numpy()[:, :1], "expected 2 columns in the .*'test', as in the data, got 1"),
    ],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_split_without_a_column_is_refused(test: Any, message: str, split: Any) -> None:
    with pytest.raises(DataError, match=message):
        of({"train": FRAME, "test": test}).open(seed=0, split=split)


def test_what_is_a_number_in_the_training_is_no_label_elsewhere() -> None:
    target = pandas.Series([0.5, 1.5, 2.25, 3.0])
    source = of({"train": FRAME.assign(target=target), "test": FRAME.assign(target=[1, 2, 1, 2])})
    assert source.shape == (3,)
    assert source.classes == ()
    assert source.take(4, split="test").label is None


def test_splits_of_arrays(tmp_path: Path) -> None:
    x = FRAME.assign(c=[7.0, 8.0, 9.0, 9.5], d=[0.0, 1.0, 1.0, 0.5]).to_numpy()
    np.savez(tmp_path / "x.npz", x_train=x, x_test=x + 1)
    source = Numeric(path=str(tmp_path / "x.npz"), columns=("2", "0"))
    assert rows(source, "test") == sorted((x[:, [2, 0]] + 1).tolist())
    np.savez(tmp_path / "y.npz", x_train=x, x_test=x[:, :3])
    with pytest.raises(DataError, match=r"expected 4 columns in .*x_test\], as in the data, got 3"):
        Numeric(path=str(tmp_path / "y.npz")).open(seed=0)
    series = np.random.default_rng(0).normal(size=(4, 2, 9))
    with pytest.raises(DataError, match=r"expected samples of shape \(2, 9\) in .*'test', .*got \(1, 9\)"):
        of({"train": series, "test": series[:, :1]}, layout="n c t").open(seed=0)


@pytest.mark.parametrize("values", [(1.0,), (1.0, 2.0, 3.0), 1.0])
@pytest.mark.parametrize("name", ["offset", "scale"])
def test_an_offset_and_a_scale_are_of_each_column(tmp_path: Path, name: str, values: Any) -> None:
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    both = {"offset": (0.0, 0.0), "scale": (1.0, 1.0), name: values}
    message = f"{name} to be a number for each of the 2 columns"
    with pytest.raises(SettingError, match=message):
        Numeric(path=str(tmp_path / "t.csv"), columns=("a", "b"), **both)
    with pytest.raises(SettingError, match=message):
        Numeric(path=str(tmp_path / "t.csv"), **both).open(seed=0)
    series = np.random.default_rng(0).normal(size=(4, 2, 9))
    with pytest.raises(SettingError, match=message):
        of(series, layout="n c t", **both).open(seed=0)


def test_samples_of_other_columns_are_not_scaled() -> None:
    source = of(FRAME).settled()
    for samples in (torch.zeros(5, 1), torch.zeros(5, 3), torch.zeros(5)):
        for unit in (source.scaled, source.restored):
            with pytest.raises(DataError, match="expected samples with the 2 columns or channels of"):
                unit(samples)


def test_whole_numbers_beyond_the_digits_of_floats_are_rounded(tmp_path: Path) -> None:
    large = [2**53 + 1, 2**60, 7]
    table = pyarrow.table(
        {
            "a": large,
            "b": pyarrow.array([2**64 - 1, 1, None], pyarrow.uint64()),
            "c": [decimal.Decimal("12345678901234567890.5"), decimal.Decimal(1), decimal.Decimal(2)],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    for content in (tmp_path / "t.parquet", table, table.to_pandas(), polars.from_arrow(table)):
        source = of(content, columns=("a", "c"), scaling="none", holdout=0.0)
        assert isinstance(source, Numeric)
        assert source.first(3).sort(0).values.tolist() == [[7, 1], [2**53, 2], [2**60, 12345678901234567890.5]]


@pytest.mark.parametrize(
    "data", [pandas.DataFrame({"x": []}), polars.DataFrame({"x": [], "y": []}), pyarrow.table({"x": []}), FRAME[:0]]
)
def test_a_table_without_rows_is_refused(tmp_path: Path, data: Any) -> None:
    with pytest.raises(DataError, match=r"expected rows of numbers in the .*, got none below the names"):
        of(data)
    with pytest.raises(DataError, match=r"expected rows of numbers in the .*'test', got none below the names"):
        of({"train": FRAME, "test": data})
    pandas.DataFrame({"x": []}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"expected rows of numbers in .*t.parquet, got none below the names x; check"):
        Numeric(path=str(tmp_path / "t.parquet")).count()


@pytest.mark.parametrize(
    ("largest", "scaling", "message"),
    [
        (
            1e200,
            "standard",
            r"whose mean and width are finite in 'b' of the DataFrame, got up to 1e\+200; choose other",
        ),
        (1.7e308, "range", r"whose mean and width are finite in 'b' of the DataFrame, got up to 1.7e\+308"),
        (1e39, "none", r"that fit into float32 once they are scaled in 'b' of the DataFrame, got up to 1e\+39"),
        (10**400, "none", "expected a finite number in every cell of the DataFrame, got 1 of 4 rows without"),
    ],
    ids=["standard", "range", "none", "beyond floats"],
)
def test_numbers_that_are_too_large_are_refused(largest: Any, scaling: str, message: str) -> None:
    frame = pandas.DataFrame({"a": FRAME["a"], "b": pandas.Series([largest, -largest, 1, 2], dtype=object)})
    if largest != 10**400:
        frame = frame.astype(float)
    else:
        frame.loc[1, "b"] = 3
    with pytest.raises(DataError, match=message):
        of(frame, scaling=scaling, holdout=0.0).open(seed=0)
    of(frame[["a"]], scaling=scaling, holdout=0.0).open(seed=0)


def test_large_numbers_may_be_scaled() -> None:
    assert of(FRAME * 1e100).take(3).real.isfinite().all()
