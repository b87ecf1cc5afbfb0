"""Whatever a user has in Python becomes the right source: its kind, its shape, its values, its labels, its order."""

from typing import Any

import datasets
import numpy as np
import pandas
import polars
import pyarrow
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import agon
from agon.data import Images, Numeric, Ring, of
from agon.data.given import given_again
from agon.errors import AgonError, DataError, SettingError

RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (12, 5, 4), dtype=np.uint8)  # n h w
COLOURS = RANDOM.integers(0, 256, (12, 5, 4, 3), dtype=np.uint8)  # n h w c
POINTS = RANDOM.normal(size=(12, 3)) * [1, 10, 100] + [0, 50, -7]
SERIES = RANDOM.normal(size=(12, 2, 9))
LABELS = np.arange(12) % 3


def stored(source: Any) -> np.ndarray:
    """All samples, in the order and the units in which they were given."""
    if isinstance(source, Images):
        return np.asarray(source.stored().numpy())
    return np.asarray(source._read().tables["train"].values)


class Items(Dataset[Any]):
    """A data set whose items are whatever `make` returns."""

    def __init__(self, make: Any, n: int = 12) -> None:
        self.make, self.n = make, n
        self.classes: Any = None

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Any:
        return self.make(i)


class Flow(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(COLOURS)


def pictures() -> list[Image.Image]:
    return [Image.fromarray(colour) for colour in COLOURS]


def hub(**columns: Any) -> datasets.Dataset:
    return datasets.Dataset.from_dict(columns)


IMAGES = {
    "n h w": BYTES,
    "n h w c": COLOURS,
    "n c h w": COLOURS.transpose(0, 3, 1, 2),
    "tensor": torch.from_numpy(COLOURS).permute(0, 3, 1, 2),
    "floats from 0 to 1": torch.from_numpy(COLOURS).permute(0, 3, 1, 2) / 255,
    "floats from -1 to 1": COLOURS / 127.5 - 1,
    "half": (torch.from_numpy(COLOURS) / 255).double(),
    "list of arrays": list(COLOURS),
    "generator": (colour for colour in COLOURS),
    "pictures": pictures(),
    "data set": Items(lambda i: COLOURS[i]),
    "data set with labels": Items(lambda i: (torch.from_numpy(COLOURS[i]), int(LABELS[i]))),
    "data set of dictionaries": Items(lambda i: {"image": COLOURS[i], "label": LABELS[i]}),
    "data set of pictures": Items(lambda i: (pictures()[i], "abc"[i % 3])),
    "tensor data set": TensorDataset(torch.from_numpy(COLOURS), torch.from_numpy(LABELS)),
    "loader": DataLoader(TensorDataset(torch.from_numpy(COLOURS)), batch_size=5, shuffle=True),
    "loader of a stream": DataLoader(Flow(), batch_size=5),
    "hugging face": hub(image=pictures(), label=LABELS.tolist()),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_keep_every_pixel(name: str) -> None:
    source = of(IMAGES[name], holdout=0.0)
    grey = name == "n h w"
    assert isinstance(source, Images)
    assert source.shape == ((1, 5, 4) if grey else (3, 5, 4))
    expected = BYTES[:, None] if grey else COLOURS.transpose(0, 3, 1, 2)
    assert np.array_equal(stored(source), expected)
    assert source.range == (-1, 1)
    drawn = source.take(12).real
    assert drawn.min() >= -1
    assert np.allclose(np.sort(drawn.flatten()), np.sort((expected / 127.5 - 1).flatten()), atol=1e-6)
    assert source.path.startswith("sha256:")
    assert source.count() == 12


POINT_DATA = {
    "array": POINTS,
    "tensor": torch.from_numpy(POINTS),
    "lists": POINTS.tolist(),
    "pandas": pandas.DataFrame(POINTS, columns=["a", "b", "c"]),
    "polars": polars.DataFrame(POINTS, schema=["a", "b", "c"]),
    "arrow": pyarrow.table({name: POINTS[:, i] for i, name in enumerate("abc")}),
    "hugging face": hub(**{name: POINTS[:, i].tolist() for i, name in enumerate("abc")}),
    "vectors of hugging face": hub(x=POINTS.tolist()),
    "tensor data set": TensorDataset(torch.from_numpy(POINTS)),
    "generator": (tuple(point) for point in POINTS),
}


@pytest.mark.parametrize("name", POINT_DATA)
def test_points_keep_every_number(name: str) -> None:
    source = of(POINT_DATA[name], holdout=0.0)
    assert isinstance(source, Numeric)
    assert source.shape == (3,)
    assert np.array_equal(stored(source), POINTS)
    drawn = source.take(12).real
    assert drawn.dtype is torch.float32
    assert np.allclose(drawn.mean(0), 0, atol=1e-6)
    assert np.allclose(drawn.std(0, correction=0), 1, atol=1e-6)
    back = source.restored(drawn).numpy()
    assert np.allclose(back[np.argsort(back[:, 0])], POINTS[np.argsort(POINTS[:, 0])], rtol=1e-6, atol=1e-5)
    assert source.path == of(POINTS).path  # the same numbers, however they are given


def test_series() -> None:
    source = of(SERIES, layout="n c t", holdout=0.0)
    assert source.shape == (2, 9)
    drawn = source.take(12).real
    assert drawn.shape == (12, 2, 9)
    assert torch.allclose(drawn.mean((0, 2)), torch.zeros(2), atol=1e-6)
    settled = source.settled()
    assert isinstance(settled, Numeric)
    assert np.allclose(settled.offset, SERIES.mean((0, 2)))
    assert np.allclose(settled.scale, SERIES.std((0, 2)))
    assert np.allclose(np.sort(source.restored(drawn).flatten()), np.sort(SERIES.flatten()), atol=1e-6)


def test_one_dimension_is_points_on_a_line() -> None:
    assert of(POINTS[:, 0]).shape == of(pandas.Series(POINTS[:, 0])).shape == (1,)


@pytest.mark.parametrize(
    "data",
    [
        (COLOURS, LABELS),
        (torch.from_numpy(POINTS), torch.from_numpy(LABELS)),
        pandas.DataFrame({"a": POINTS[:, 0], "label": [f"{label}" for label in LABELS]}),
        polars.DataFrame({"a": POINTS[:, 0], "class": LABELS}),
        hub(image=pictures(), label=LABELS.tolist()),
        TensorDataset(torch.from_numpy(POINTS), torch.from_numpy(LABELS)),
        [(COLOURS[i], LABELS[i]) for i in range(12)],
    ],
    ids=["pair", "tensors", "pandas", "polars", "hugging face", "data set", "pairs"],
)
def test_labels_come_along(data: Any) -> None:
    source = of(data, holdout=0.0)
    assert tuple(source.classes) == ("0", "1", "2")
    batch = source.take(12)
    assert batch.label is not None
    assert batch.label.bincount().tolist() == [4, 4, 4]
    assert of(data, holdout=0.0, only=1).count() == 4
    assert of(data, labelled=False).classes == ()


def test_the_names_of_a_data_set_are_its_classes() -> None:
    """As torchvision's data sets have them."""
    items = Items(lambda i: (pictures()[i], int(LABELS[i])))
    items.classes = ["ant", "bee", "cow", "dog"]
    source = of(DataLoader(items), holdout=0.0)
    assert tuple(source.classes) == ("ant", "bee", "cow", "dog")
    assert source.take(12).label is not None


def test_more_columns_than_a_run_can_describe_are_refused() -> None:
    with pytest.raises(DataError, match=r"expected at most 10,000 columns .*got 10,001"):
        of(np.zeros((3, 10_001))).settled()


def test_labels_follow_their_samples() -> None:
    images = np.repeat(np.arange(12, dtype=np.uint8), 4).reshape(12, 2, 2)
    for source in (of(images, labels=np.arange(12), range=(0, 255)), of((images, np.arange(12)), range=(0, 255))):
        batch = source.take(8)
        assert batch.label is not None
        assert torch.equal(batch.real[:, 0, 0, 0].long(), batch.label)


def test_splits_are_kept_apart() -> None:
    source = of({"train": POINTS, "test": POINTS[:5] + 1000})
    assert (source.count("train"), source.count("test")) == (12, 5)
    assert source.take(5, split="test").real.mean() > 5  # in the units of the training split
    both = datasets.DatasetDict(train=hub(image=pictures()), validation=hub(image=pictures()[:4]))
    assert (of(both).count("train"), of(both).count("test")) == (12, 4)


def test_pictures_of_several_sizes_are_resized() -> None:
    sizes = [Image.new("L", (4 + i, 9), 20 * i) for i in range(6)]
    source = of(sizes, size=4, holdout=0.0)
    assert source.shape == (1, 4, 4)
    assert stored(source)[:, 0, 0, 0].tolist() == [0, 20, 40, 60, 80, 100]
    with pytest.raises(DataError, match=r"expected every image to be 9x4 .*got 9x5"):
        of(sizes).open(seed=0)
    arrays = [np.full((3, 2 + i, 7), i / 6) for i in range(6)]
    assert of(arrays, layout="n c h w", size=2, holdout=0.0).take(6).real.max() == pytest.approx(
        2 * 5 / 6 - 1, abs=0.01
    )


def test_a_recipe_proposes_a_size_for_pictures_of_several_sizes() -> None:
    sizes = [Image.new("RGB", (40 + i, 50 - i), (20 * i, 0, 0)) for i in range(12)]
    chosen = agon.recipe("first/digits").experiment(sizes, "smoke")
    assert chosen.data.shape == (3, 32, 32)
    assert chosen.notes
    assert given_again(chosen.data, sizes) == chosen.data


def test_the_checksum_is_of_the_content() -> None:
    assert of(COLOURS).path == of(COLOURS.transpose(0, 3, 1, 2)).path == of(pictures()).path  # type: ignore[attr-defined]
    other = COLOURS.copy()
    other[0, 0, 0, 0] ^= 1
    assert of(other).path != of(COLOURS).path  # type: ignore[attr-defined]
    assert of(COLOURS, labels=LABELS).path != of(COLOURS, labels=LABELS[::-1]).path  # type: ignore[attr-defined]


def test_sources_and_words_stay_what_they_are(tmp_path: Any) -> None:
    assert of(Ring()) == Ring()
    assert of(Ring(), number=3) == Ring(number=3)
    assert of("digits", size=16) == Images(path="digits", size=16)
    np.save(tmp_path / "x.npy", POINTS)
    assert of(tmp_path / "x.npy").shape == (3,)


class Changing(Items):
    def __getitem__(self, i: int) -> Any:
        return RANDOM.random((3, 4, 4))


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        (SERIES, {}, r"the shape \(12, 2, 9\) of float64 .*say layout='n h w' or layout='n c t'"),
        (np.zeros((9, 4, 4, 4)), {}, "cannot be told apart; say layout='n h w c' or layout='n c h w'"),
        (POINTS, {"layout": "n c t"}, r"expected 3 dimensions for layout='n c t' .*say layout='n d'"),
        (np.zeros((2, 2, 2, 2, 2)), {}, r"an array of samples 'n d', .*got shape \(2, 2, 2, 2, 2\)"),
        (COLOURS * 2.5, {}, r"bytes or a stated range in the ndarray, got float64 from .*say what black and white are"),
        (np.array(["a", "b"]), {}, "expected arrays, tensors, pictures or numbers"),
        ([[1.0, 2.0], [3.0]], {}, r"expected samples of one shape in the list, got \(2,\), \(1,\)"),
        (7, {}, "expected data that agon reads, got int; give an array, a tensor"),
        ([], {}, "expected samples in the list, got none"),
        (Changing(None), {}, "expected a data set whose items stay the same.*random transforms"),
        ({"a": POINTS}, {}, "expected splits 'train' and 'test', got a mapping of a"),
        ({"train": POINTS, "test": BYTES}, {}, "expected splits of one kind"),
        ([{"name": 1}], {}, "expected a sample called image, img, images or the like in the list, got name"),
        (POINTS, {"labels": LABELS[:3]}, "expected 12 labels for the samples .*got 3"),
        (pandas.DataFrame({"a": ["x", "y"]}), {}, "expected a column of numbers in the DataFrame, got a"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), {}, "got 'a' twice; rename one"),
        (POINTS, {"colums": ("0",)}, "no field of Numeric 'colums'; did you mean 'columns'"),
        (np.where(POINTS > 100, np.nan, POINTS) * np.nan, {}, "expected a finite number in every cell of the ndarray"),
    ],
)
def test_what_is_not_clear_is_asked_for(data: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, SettingError), match=message) as raised:
        of(data, **settings).open(seed=0)
    assert isinstance(raised.value, AgonError)
