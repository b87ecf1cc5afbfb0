"""Streams of undecoded images: every image once an epoch, seeded, resumable, dealt out among ranks."""

import random
from itertools import count

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agon.data import Images
from agon.data.flow import shuffled
from agon.errors import DataError
from tests.data.conftest import values


def flow(path, *, seed=0, split="train", **options):
    options = {"streaming": True, "holdout": 0.0, **options}
    return Images(path=str(path), **options).open(seed=seed, split=split)


@given(st.integers(0, 60), st.integers(1, 70), st.integers())
def test_the_buffer_loses_and_doubles_nothing(n, buffer, seed):
    got = list(shuffled(iter(range(n)), buffer, random.Random(seed)))
    assert sorted(got) == list(range(n))
    assert all(value < place + buffer for place, value in enumerate(got))


def test_each_epoch_has_every_image_once_in_another_order(folder):
    opened = flow(folder)
    drawn = [value for k in range(9) for value in values(opened.draw(8, k, 0, 1))]
    epochs = [drawn[i : i + 24] for i in (0, 24, 48)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(24))] * 3
    assert epochs[0] != epochs[1] != sorted(epochs[1])
    assert values(flow(folder, seed=1).draw(8, 0, 0, 1)) != drawn[:8]


def test_a_jump_lands_where_walking_leads(table):
    walking = flow(table, channels=3, size=16, buffer=50)
    drawn = [walking.draw(64, k, 0, 1) for k in range(8)]
    for k in (6, 2, 7):  # an epoch has fewer than 5 batches
        again = walking.draw(64, k, 0, 1)
        assert torch.equal(again.real, drawn[k].real)
        assert torch.equal(again.label, drawn[k].label)


def drawn_by(opened_of, *, batch, batches, world):
    """All that each rank draws."""
    ranks = [opened_of() for _ in range(world)]
    return [[ranks[r].draw(batch, k, r, world) for k in range(batches)] for r in range(world)]


def test_parts_are_dealt_out_where_they_divide(folder):
    ranks = drawn_by(lambda: flow(folder), batch=12, batches=4, world=3)
    seen = [[value for draw in draws for value in values(draw)] for draws in ranks]
    for rank in seen:  # 24 files among 3: each has its own 8, twice
        assert sorted(rank) == sorted(set(rank) | set(rank)) * 1 or sorted(rank) == sorted(list(set(rank)) * 2)
        assert len(set(rank)) == 8
    assert sorted(set().union(*seen)) == list(range(24))


def test_else_a_batch_is_the_same_set_of_images_for_any_number_of_processes(folder):
    five = drawn_by(lambda: flow(folder), batch=10, batches=6, world=5)
    one = flow(folder)
    # 5 does not divide 24 files, so each process reads all and decodes every fifth
    for k in range(6):
        together = [value for draws in five for value in values(draws[k])]
        assert sorted(together) == sorted(values(one.draw(10, k, 0, 1)))


def test_held_out_images_of_a_stream_are_disjoint_and_complete(folder):
    train, test = (flow(folder, split=split, holdout=0.4) for split in ("train", "test"))
    sides = []
    for opened in (train, test):
        one_epoch: list[int] = []
        for k in count():
            (value,) = values(opened.draw(1, k, 0, 1))
            if value in one_epoch:
                break
            one_epoch.append(value)
        sides.append(set(one_epoch))
    assert sides[0] | sides[1] == set(range(24))
    assert not sides[0] & sides[1]
    assert 3 <= len(sides[1]) <= 16


def test_one_class_of_a_stream(folder):
    drawn = flow(folder, only="odd").draw(12, 0, 0, 1)
    assert sorted(values(drawn)) == list(range(1, 24, 2))
    assert set(drawn.label.tolist()) == {1}


def test_corrupt_images_stop_a_stream_or_are_passed_over(folder):
    (folder / "odd" / "bad.png").write_bytes(b"?")
    opened = flow(folder)
    with pytest.raises(DataError, match=r"bad.png .*skip_corrupt=True"):
        opened.draw(25, 0, 0, 1)
    opened = flow(folder, skip_corrupt=True)
    drawn = [opened.draw(8, k, 0, 1) for k in range(6)]
    assert sorted(value for draw in drawn[:3] for value in values(draw)) == list(range(24))
    assert values(flow(folder, skip_corrupt=True).draw(8, 5, 0, 1)) == values(drawn[5])


def test_a_stream_smaller_than_a_batch_is_refused(folder):
    with pytest.raises(DataError, match="at least 25 images for a batch of 25, got 24"):
        flow(folder).draw(25, 0, 0, 1)


def test_a_stream_has_no_count(folder):
    assert Images(path=str(folder), streaming=True).count() is None
