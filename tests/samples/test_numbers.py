"""Samples that are no images: files of them, their columns, and what a table of them keeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch

from agon.data import Numeric, Ring, of
from agon.data.source import Source
from agon.errors import DataError
from agon.samples import first_samples, read_samples, write

POINTS = np.random.default_rng(0).normal(size=(7, 3)) * [1, 10, 100] + [0, 50, -7]
FRAME = pandas.DataFrame(POINTS, columns=["a", "b", "c"])
SAMPLES = pandas.DataFrame({"a": [1.0, 2.0], "b": [30.0, 40.0], "c": [-5.0, -6.0]})


def saved(data: Any, path: Path) -> Path:
    """Write a frame as a table, or arrays."""
    if path.suffix.lower() == ".parquet":
        data.to_parquet(path)
    elif path.suffix.lower() in (".csv", ".tsv"):
        data.to_csv(path, index=False, sep="\t" if path.suffix.lower() == ".tsv" else ",")
    elif path.suffix == ".npy":
        np.save(path, data)
    else:
        np.savez(path, **data)
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".CSV"])
def test_a_table_of_samples_has_the_columns_of_the_data(tmp_path: Path, ending: str) -> None:
    path = saved(SAMPLES.assign(d=9.0, e="x")[["c", "d", "a", "e", "b"]], tmp_path / f"s{ending}")
    for source in (of(FRAME), of(FRAME).settled()):
        assert read_samples(path, source=source).tolist() == SAMPLES.to_numpy().tolist()
    assert read_samples(path, source=of(FRAME, columns=("b", "a"))).tolist() == SAMPLES[["b", "a"]].to_numpy().tolist()


def test_the_data_may_be_a_file(tmp_path: Path) -> None:
    path = saved(SAMPLES[["b", "a", "c"]], tmp_path / "s.csv")
    source = Numeric(path=str(saved(FRAME, tmp_path / "t.csv")), columns=("a", "b"))
    assert read_samples(path, source=source).tolist() == SAMPLES[["a", "b"]].to_numpy().tolist()


@pytest.mark.parametrize("names", [["x0", "x1", "x2"], ["u", "v", "w"], ["0", "1", "2"]])
def test_other_names_are_taken_by_position(tmp_path: Path, names: list[str]) -> None:
    path = saved(SAMPLES.set_axis(names, axis=1), tmp_path / "s.csv")
    for data in (FRAME, POINTS):
        assert read_samples(path, source=of(data)).tolist() == SAMPLES.to_numpy().tolist()
    assert read_samples(path, source=Ring()).shape == (2, 3)  # which has no columns: its shape is compared later


def test_names_that_agon_wrote_are_those_of_the_data(tmp_path: Path) -> None:
    path = saved(SAMPLES.set_axis(["x1", "x2", "x0"], axis=1), tmp_path / "s.csv")
    assert read_samples(path, source=of(POINTS)).tolist() == SAMPLES[["c", "a", "b"]].to_numpy().tolist()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (SAMPLES[["a", "c"]], "'b' does not exist; there are a, c"),
        (SAMPLES.assign(b="x"), "'b' holds none; there are a, c"),
        (SAMPLES.rename(columns={"b": "B"}), "'b' does not exist; there are a, B, c"),
        (
            SAMPLES[["a", "b"]].set_axis(["x0", "x1"], axis=1),
            "expected the columns a, b, c in .*, got x0, x1; name them",
        ),
        (SAMPLES.assign(b=[1.0, np.nan]), "first row 1 in 'b'; every sample counts, so fill them"),
    ],
)
def test_a_table_without_a_column_is_refused(tmp_path: Path, samples: pandas.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_samples(saved(samples, tmp_path / "s.csv"), source=of(FRAME))


def test_arrays_have_as_many_columns_as_the_data(tmp_path: Path) -> None:
    path = saved(POINTS[:, :2], tmp_path / "s.npy")
    for data in (FRAME, POINTS):
        with pytest.raises(DataError, match=r"expected 3 columns in .*, as in the data, got 2"):
            read_samples(path, source=of(data))


LABELS = np.arange(7) % 2


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("s.npz", {"samples": POINTS, "labels": LABELS}, POINTS),
        ("s.npz", {"samples": POINTS.astype("f4")}, POINTS.astype("f4")),
        ("s.npz", {"x_train": POINTS, "x_test": POINTS + 1, "y_train": LABELS}, np.concatenate([POINTS, POINTS + 1])),
        ("s.npy", POINTS.round().astype(int), POINTS.round()),
        ("s.npy", (POINTS > 0).astype(np.uint8), (POINTS > 0).astype(float)),
        ("s.npy", POINTS[:, 0], POINTS[:, :1]),
    ],
)
def test_arrays_of_points(tmp_path: Path, name: str, data: Any, expected: np.ndarray) -> None:
    samples = read_samples(saved(data, tmp_path / name))
    assert samples.dtype is (torch.float32 if expected.dtype == np.float32 else torch.float64)
    assert np.array_equal(samples.numpy(), expected)


def test_series_are_told_from_images_by_the_data(tmp_path: Path) -> None:
    series = np.random.default_rng(0).normal(size=(7, 2, 9))
    source = of(series, layout="n c t")
    path = write(torch.from_numpy(series), source, tmp_path / "s.npz")
    assert np.array_equal(read_samples(path, source=source).numpy(), series)


@pytest.mark.parametrize("columns", [2, 3])
def test_a_table_that_agon_writes_is_read_by_agon(tmp_path: Path, columns: int) -> None:
    points = POINTS[:, :columns]
    np.save(tmp_path / "x.npy", points)
    source = Numeric(path=str(tmp_path / "x.npy")).settled()
    assert source.columns == tuple(map(str, range(columns)))
    path = write(torch.from_numpy(points), source, tmp_path / "s.csv")
    assert path.read_text().splitlines()[0] == ",".join(f"x{i}" for i in range(columns))
    assert np.allclose(read_samples(path).numpy(), points)
    assert Numeric(path=str(path), holdout=0.0).count() == 7


def test_names_that_are_words_stay(tmp_path: Path) -> None:
    for names in (["a", "b", "c"], ["a", "1990", "2000"]):
        source: Source = of(FRAME.set_axis(names, axis=1))
        path = write(torch.from_numpy(POINTS), source, tmp_path / "s.csv")  # not settled
        assert path.read_text().splitlines()[0] == ",".join(names)
        assert np.allclose(read_samples(path, source=source).numpy(), POINTS)


def test_the_first_samples_of_a_table_are_its_rows(tmp_path: Path) -> None:
    whole = pandas.DataFrame({"a": np.arange(19, 39) * 1000, "b": np.arange(20) / 10, "label": ["x", "y"] * 10})
    source = Numeric(path=str(saved(whole, tmp_path / "t.csv")))
    first = first_samples(source, 5)
    assert torch.allclose(first, source.restored(source.take(5).real), rtol=1e-5)  # the same rows
    assert {tuple(row) for row in first.tolist()} < {tuple(row) for row in whole[["a", "b"]].to_numpy().tolist()}
    assert len(first_samples(source, 100)) == source.count() == 18
    written = pandas.read_csv(write(first, source, tmp_path / "s.csv"))
    assert written.to_numpy().tolist() == first.tolist()
