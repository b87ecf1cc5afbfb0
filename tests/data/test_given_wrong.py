"""Data in Python that cannot be read, or only in part: splits of two ranges, masks, sparse matrices, odd types."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.utils.data import TensorDataset

from agon.data import Images, of
from agon.data.given import given_again
from agon.errors import DataError, SettingError

RANDOM = np.random.default_rng(0)
UNIT = RANDOM.random((8, 5, 4, 3))  # from 0 to 1
POINTS = RANDOM.normal(size=(8, 3))
GAPS = np.ma.array(POINTS, mask=np.arange(24).reshape(8, 3) % 11 == 5)  # rows 1 and 5


def split(source: Any, name: str) -> np.ndarray:
    return np.asarray(source.stored(name).numpy()).transpose(0, 2, 3, 1)


def test_black_and_white_are_those_of_all_splits() -> None:
    signed = 2 * UNIT - 1
    for train, test in ((signed, UNIT), (UNIT, signed)):
        source = of({"train": train, "test": test})
        assert isinstance(source, Images)
        assert source.values == (-1.0, 1.0)
        for name, numbers in (("train", train), ("test", test)):
            assert np.array_equal(split(source, name), np.rint((numbers + 1) * 127.5))
        assert given_again(source, {"train": train, "test": test}) == source
    sizes = {"train": [signed[0], signed[1, :4]], "test": [UNIT[0], UNIT[1, :4]]}
    assert of(sizes, layout="n h w c", size=4).take(2, split="test").real.min() >= 0


def test_splits_of_another_type_keep_their_own_black_and_white() -> None:
    """The type of bytes says it, beside numbers with fractions."""
    whole = np.rint(255 * UNIT).astype(np.uint8)
    for splits in ({"train": whole, "test": UNIT}, {"train": UNIT, "test": whole}):
        source = of(splits)
        assert np.array_equal(split(source, "train"), whole)
        assert np.array_equal(split(source, "test"), whole)
        assert given_again(source, splits) == source


def test_numbers_beyond_one_in_a_split_are_asked_for() -> None:
    with pytest.raises(DataError, match=r"a stated range in the dict of the split 'train'.*say what black and white"):
        of({"train": UNIT, "test": 255 * UNIT})


def test_channels_are_first_or_last_in_all_images() -> None:
    images = [np.zeros((3, 5, 7)), np.zeros((3, 6, 7)), np.zeros((8, 7, 3))]
    with pytest.raises(DataError, match=r"one layout in the list, got \(8, 7, 3\), \(3, 5, 7\), whose .*say layout="):
        of(images)
    assert of(images[:2], size=4).shape == (3, 4, 4)
    mixed = [np.zeros((5, 7), np.uint8), np.zeros((6, 7, 3), np.uint8)]  # grey and coloured
    assert of(mixed, size=4, channels=3).shape == (3, 4, 4)


@pytest.mark.parametrize(
    "data", [GAPS, list(GAPS), TensorDataset(torch.from_numpy(GAPS.filled(np.nan)))], ids=["array", "list", "data set"]
)
def test_masked_numbers_are_missing(data: Any) -> None:
    with pytest.raises(DataError, match=r"a finite number in every cell .*got 2 of 8 rows without, first row 1 in '2'"):
        of(data).open(seed=0)
    source = of(data, skip_missing=True, holdout=0.0)
    assert source.count() == 6
    assert source.path == of(np.where(GAPS.mask, np.nan, POINTS)).path  # type: ignore[attr-defined]


def test_a_mask_that_hides_nothing_changes_nothing() -> None:
    assert of(np.ma.array(POINTS)).path == of(POINTS).path  # type: ignore[attr-defined]
    assert of(np.ma.array([[1, 2], [3, 4]])).path == of(np.array([[1, 2], [3, 4]])).path  # type: ignore[attr-defined]


@pytest.mark.parametrize("values", [5, "ab", (1, 0), (0, 1, 2)])
def test_values_that_are_no_pair_are_said(values: Any) -> None:
    with pytest.raises(SettingError, match=r"expects values to be a pair \(low, high\)"):
        of(UNIT, values=values)


HIDDEN = UNIT > 0.9
COUNT = int(HIDDEN.sum())


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        (
            np.ma.array(UNIT, mask=HIDDEN),
            {},
            f"a number for every pixel in the MaskedArray, got {COUNT} of 480 missing",
        ),
        (np.where(HIDDEN, np.nan, UNIT), {"values": (0, 1)}, f"every pixel in the ndarray, got {COUNT} of 480 missing"),
        (np.ma.array(np.uint8(255 * UNIT), mask=HIDDEN), {}, f"integers without a mask in the .*got {COUNT} of 480"),
        (
            np.ma.array([[1, 2], [3, 4]], mask=[[False, True], [False, False]]),
            {},
            "integers without a mask .*got 1 of 4 masked",
        ),
        (torch.eye(4).to_sparse(), {}, r"dense arrays in the Tensor, .*which is sparse; hand over x.to_dense\(\)"),
        ([torch.eye(4).to_sparse()], {}, r"dense arrays in the list, .*hand over x.to_dense\(\)"),
        (sparse.csr_matrix(POINTS), {}, r"got csr_matrix of float64, which is sparse; hand over x.toarray\(\)"),
        (sparse.coo_array(POINTS), {}, r"got coo_array of float64, which is sparse; hand over x.toarray\(\)"),
        ({"train": sparse.csr_array(POINTS)}, {}, r"dense arrays in the dict of the split 'train', got csr_array"),
        ((sparse.csr_matrix(POINTS), [0] * 8), {}, r"dense arrays in the tuple, got csr_matrix"),
        (torch.zeros(4, 2, device="meta"), {}, "got Tensor of torch.float32, which numpy cannot read"),
        (torch.zeros(4, 2, dtype=torch.complex64), {}, "got Tensor of complex64"),
    ],
)
def test_what_cannot_be_read_is_said(data: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        of(data, **settings)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_short_floats_are_read(dtype: Any) -> None:
    exact = torch.tensor([[0.5, -1.0], [2.0, 0.25]])
    assert of(exact.to(dtype)).path == of(exact).path  # type: ignore[attr-defined]
    assert of(torch.rand(4, 3, 5, 5).to(dtype)).shape == (3, 5, 5)
