"""Images kept out of training, at random: the split "validation"."""

import pytest
import torch

from agon.data import Images, Ring
from agon.data.description import describe
from agon.errors import DataError, SettingError


def _rows(source: Images, split: str) -> set[bytes]:
    return {image.numpy().tobytes() for image in source.stored(split)}


def test_training_and_validation_are_two_parts_of_the_training_images() -> None:
    whole, parted = Images(path="digits"), Images(path="digits", validation=0.25)
    train, validation = _rows(parted, "train"), _rows(parted, "validation")
    assert train | validation == _rows(whole, "train")
    assert not train & validation
    assert parted.count("validation") == round(0.25 * (whole.count("train") or 0))
    assert _rows(parted, "test") == _rows(whole, "test")


def test_the_part_is_the_same_for_every_seed_and_size() -> None:
    labels = [
        Images(path="digits", validation=0.1, size=size).open(seed=seed, split="validation").draw(162, 0, 0, 1).label
        for size, seed in ((8, 0), (16, 1))
    ]
    assert labels[0] is not None
    assert labels[1] is not None
    assert labels[0].bincount(minlength=10).equal(labels[1].bincount(minlength=10))


def test_the_part_is_random_in_classes() -> None:
    label = Images(path="digits", validation=0.5).take(800, split="validation").label
    assert label is not None
    shares = torch.bincount(label, minlength=10) / len(label)
    assert shares.min() > 0.07
    assert shares.max() < 0.13


def test_a_stream_parts_its_images_without_overlap() -> None:
    drawn = {
        split: {
            row.numpy().tobytes()
            for row in Images(path="digits", streaming=True, buffer=64, validation=0.5).take(least, split=split).real
        }
        for split, least in {"train": 700, "validation": 700, "test": 100}.items()
    }
    assert min(map(len, drawn.values())) > 90
    assert not drawn["train"] & drawn["validation"]
    assert not (drawn["train"] | drawn["validation"]) & drawn["test"]


def test_what_was_stored_before_keeps_its_fingerprint() -> None:
    whole, parted = Images(path="digits"), Images(path="digits", validation=0.5)
    assert whole.open(seed=0).fingerprint != parted.open(seed=0).fingerprint
    assert whole.open(seed=0, split="test").fingerprint == parted.open(seed=0, split="test").fingerprint


def test_without_a_share_there_is_no_such_split() -> None:
    assert Images(path="digits").count("validation") == 0
    assert (Images(path="digits").held_out, Images(path="digits", validation=0.5).held_out) == ("test", "validation")
    with pytest.raises(DataError, match="set validation above 0"):
        Images(path="digits").take(1, split="validation")
    with pytest.raises(SettingError, match="validation to be a share from 0 to below 1"):
        Images(path="digits", validation=1.0)
    assert Ring().held_out == "test"


def test_the_description_counts_the_part() -> None:
    assert "validation 162 samples" in describe(Images(path="digits", validation=0.1))
