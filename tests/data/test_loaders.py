"""A loader gives the items that it draws: all of its data set, or the part that its sampler chooses."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from torch.utils.data.distributed import DistributedSampler

from agon.data import of
from agon.data.given import given_again
from agon.errors import DataError

POINTS = torch.arange(36.0).reshape(12, 3) ** 1.5
ITEMS = TensorDataset(POINTS, torch.arange(12) % 3)
SOME = [7, 2, 5]


class Odd(Sampler[int]):
    """Whatever somebody wrote: every other row."""

    def __iter__(self) -> Any:
        return iter(range(1, 12, 2))


class Pictures(Dataset[Any]):
    classes = ("ant", "bee", "cow")

    def __len__(self) -> int:
        return 12

    def __getitem__(self, row: int) -> Any:
        return np.full((4, 4, 3), row, np.uint8), row % 3


def read(loader: Any) -> Any:
    return of(loader, holdout=0.0)._read().tables["train"].values  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "settings",
    [
        {"sampler": SubsetRandomSampler(SOME)},
        {"sampler": SubsetRandomSampler(np.array(SOME))},  # type: ignore[arg-type]
        {"sampler": SubsetRandomSampler(torch.tensor(SOME))},  # type: ignore[arg-type]
        {"sampler": SOME},
        {"sampler": SOME, "batch_size": None},
        {"batch_sampler": BatchSampler(SubsetRandomSampler(SOME), 2, True)},
    ],
    ids=["subset", "array", "tensor", "list", "no batches", "batches"],
)
def test_items_that_a_sampler_leaves_out_are_not_trained_on(settings: Any) -> None:
    loader = DataLoader(ITEMS, **settings)
    assert np.array_equal(read(loader), POINTS[sorted(SOME)].numpy())
    source = of(loader)
    assert source.path == of(Subset(ITEMS, sorted(SOME))).path  # type: ignore[attr-defined]
    assert given_again(source, DataLoader(ITEMS, sampler=SubsetRandomSampler(SOME[::-1]))) == source


@pytest.mark.parametrize(
    "settings",
    [
        {"shuffle": True, "drop_last": True, "batch_size": 5},
        {"sampler": SequentialSampler(ITEMS)},
        {"sampler": RandomSampler(ITEMS, replacement=True, num_samples=2)},
        {"sampler": DistributedSampler(ITEMS, num_replicas=2, rank=1)},
        {"batch_sampler": BatchSampler(RandomSampler(ITEMS), 5, False)},
    ],
    ids=["shuffled", "in order", "replacement", "shares", "batches"],
)
def test_samplers_that_draw_all_items_alike_give_all(settings: Any) -> None:
    assert np.array_equal(read(DataLoader(ITEMS, **settings)), POINTS.numpy())


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"sampler": WeightedRandomSampler([1.0] * 6 + [0.0] * 6, 12)}, "WeightedRandomSampler"),
        ({"sampler": Odd()}, "Odd"),
        ({"batch_sampler": BatchSampler(Odd(), 2, False)}, "Odd"),
        ({"batch_sampler": [[1, 2], [3]]}, "list"),
    ],
)
def test_other_samplers_are_refused(settings: Any, name: str) -> None:
    with pytest.raises(DataError, match=rf"got one with a {name}; hand over its data set, or torch.utils.data.Subset"):
        of(DataLoader(ITEMS, **settings))


@pytest.mark.parametrize("rows", [[1, 12], [-1, 3]])
def test_rows_that_do_not_exist_are_named(rows: list[int]) -> None:
    with pytest.raises(DataError, match=r"to draw rows from 0 to 11, got (12|-1); mend its indices"):
        of(DataLoader(ITEMS, sampler=SubsetRandomSampler(rows)))


def test_a_part_keeps_the_names_of_the_classes() -> None:
    for data in (DataLoader(Pictures(), sampler=SubsetRandomSampler(SOME)), Subset(Subset(Pictures(), SOME), [0, 1])):
        assert tuple(of(data).classes) == ("ant", "bee", "cow")
