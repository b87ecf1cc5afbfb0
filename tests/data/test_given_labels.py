"""Labels of every kind that Python's libraries have, beside samples of every kind; what are no labels is said."""

from typing import Any

import numpy as np
import pandas
import polars
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from agon.data import of
from agon.errors import DataError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (6, 5, 4), dtype=np.uint8)
POINTS = RANDOM.normal(size=(6, 3))
NAMES = ["cat", "dog", "cat", "dog", "dog", "cat"]
NUMBERS = [0, 1, 0, 1, 1, 0]

LABELS: dict[str, Any] = {
    "names": NAMES,
    "array of names": np.array(NAMES),
    "array of objects": np.array(NAMES, object),
    "list of numpy's names": list(np.array(NAMES)),
    "pandas": pandas.Series(NAMES),
    "pandas, categories": pandas.Series(NAMES, dtype="category"),
    "polars": polars.Series(NAMES),
    "numbers": NUMBERS,
    "tuple": tuple(NUMBERS),
    "list of numpy's numbers": [np.int64(k) for k in NUMBERS],
    "list of arrays": [np.array(k) for k in NUMBERS],
    "list of tensors": [torch.tensor(k) for k in NUMBERS],
    "tensor": torch.tensor(NUMBERS),
    "bfloat16": torch.tensor(NUMBERS).bfloat16(),
    "column": np.array(NUMBERS)[:, None],
}
ONE_HOT: dict[str, Any] = {
    "array": np.eye(2, dtype=int)[NUMBERS],
    "lists": np.eye(2, dtype=int)[NUMBERS].tolist(),
    "list of tensors": list(torch.eye(2)[NUMBERS]),
}


def labels_of(source: Any) -> list[int]:
    return list(source.rows()["train"].labels)


@pytest.mark.parametrize("name", LABELS)
def test_a_pair_is_samples_with_classes(name: str) -> None:
    labels = LABELS[name]
    classes = ("cat", "dog") if "cat" in list(labels) else ("0", "1")
    for source in (of((IMAGES, labels)), of(IMAGES, labels=labels)):
        assert source.shape == (1, 5, 4)
        assert (tuple(source.classes), labels_of(source)) == (classes, NUMBERS)


@pytest.mark.parametrize("name", ONE_HOT)
def test_a_pair_with_one_hot_rows(name: str) -> None:
    assert labels_of(of((IMAGES, ONE_HOT[name]))) == labels_of(of(IMAGES, labels=ONE_HOT[name])) == NUMBERS


@pytest.mark.parametrize(
    "samples",
    [
        POINTS,
        POINTS.tolist(),
        POINTS[:, 0],
        torch.from_numpy(POINTS),
        pandas.DataFrame(POINTS, columns=["a", "b", "c"]),
        TensorDataset(torch.from_numpy(POINTS)),
        list(POINTS),
        [Image.fromarray(image) for image in IMAGES],
    ],
    ids=["array", "lists", "line", "tensor", "frame", "data set", "list of arrays", "pictures"],
)
def test_samples_of_every_kind_have_a_pair(samples: Any) -> None:
    source = of((samples, pandas.Series(NAMES)), holdout=0.0)
    assert (source.count(), tuple(source.classes)) == (6, ("cat", "dog"))
    assert source.path == of(samples, labels=NAMES).path  # type: ignore[attr-defined]


def test_two_samples_are_no_pair() -> None:
    for two in ((IMAGES[0], IMAGES[1]), ([1.0, 2.0], [3.0, 4.0]), (POINTS[0], POINTS[1])):
        source = of(two, holdout=0.0, layout="n h w" if np.ndim(two[0]) > 1 else None)
        assert (source.count(), source.classes) == (2, ())


@pytest.mark.parametrize(
    "missing",
    [
        ["cat", None, "dog", None, None, "cat"],
        ["cat", float("nan"), "dog", float("nan"), float("nan"), "cat"],
        pandas.Series(["cat", None, "dog", None, None, "cat"], dtype="string"),
        pandas.Series([0, None, 1, None, None, 0], dtype="Int64"),
        np.ma.array([0, 1, 1, 0, 1, 0], mask=np.array([0, 1, 0, 1, 1, 0], bool)),
        [0, np.ma.masked, 1, np.ma.masked, np.ma.masked, 0],
    ],
    ids=["None", "NaN", "pandas, names", "pandas, numbers", "masked", "list of masked"],
)
def test_a_missing_label_is_none(missing: Any) -> None:
    assert labels_of(of(IMAGES, labels=missing)) == [0, -1, 1, -1, -1, 0]
    assert labels_of(of((IMAGES, missing))) == [0, -1, 1, -1, -1, 0]


@pytest.mark.parametrize(
    "labels", [3, 0.5, np.int64(3), torch.tensor(3), "catdog", {0: 1}, torch.eye(6).to_sparse()], ids=repr
)
def test_what_are_no_labels_is_said(labels: Any) -> None:
    with pytest.raises(DataError, match=r"a label for each of the 6 samples in the ndarray, got .*give a list"):
        of(IMAGES, labels=labels)


@pytest.mark.parametrize("labels", [[0, 1], np.array(["cat"]), torch.zeros(7)], ids=repr)
def test_a_pair_with_another_number_of_labels_says_so(labels: Any) -> None:
    with pytest.raises(DataError, match=rf"expected 6 labels for the samples in the tuple, got {len(labels)}; give"):
        of((IMAGES, labels))
