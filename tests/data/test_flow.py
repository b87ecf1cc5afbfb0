"""Streams of undecoded images: every image once an epoch, seeded, resumable, dealt out among ranks."""

from itertools import count

import pytest
import torch

from agon.data import Images, Stacked, Stream
from agon.data.folders import Files
from agon.data.tables import ParquetRows
from agon.errors import DataError
from tests.data.conftest import values


def flow(path, *, seed=0, split="train", **options):
    options = {"streaming": True, "holdout": 0.0, **options}
    return Images(path=str(path), **options).open(seed=seed, split=split)


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


def test_what_does_not_divide_is_shared_row_by_row(folder):
    ranks = drawn_by(lambda: flow(folder), batch=5, batches=4, world=5)
    epochs = [sorted(value for draw in draws for value in values(draw)) for draws in ranks]
    assert sorted(value for epoch in epochs for value in epoch[:4]) == sorted(set().union(*epochs))  # 5 of 24 files
    whole = [sorted({value for k in range(12) for value in values(flow(folder).draw(5, k, r, 5))}) for r in range(5)]
    assert sorted(value for rank in whole for value in rank) == list(range(24))


@pytest.fixture
def opened_parts(monkeypatch):
    """Which parts of any set are opened."""
    parts = []
    for rows in (Files, ParquetRows):
        original = rows.part
        monkeypatch.setattr(rows, "part", lambda self, n, original=original: parts.append(n) or original(self, n))
    return parts


STREAMED = {"streaming": True, "holdout": 0.0}


@pytest.mark.parametrize("world", [1, 2, 5])
def test_a_resumed_stream_goes_on_without_reading_forward(folder, opened_parts, world):
    for rank in range(world):
        straight, batch = flow(folder, seed=3, buffer=4)._flow, 4 * world  # without what reads ahead in a thread
        for k in range(9):
            mark, expected = straight.mark(batch, k, rank, world), straight.draw(batch, k, rank, world)
            again = flow(folder, seed=3, buffer=4)._flow
            again.draw(2, 0, 0, 1)  # as for a run's picture of real samples, from the beginning
            again.go(batch, k, rank, world, mark)
            opened_parts.clear()
            assert values(again.draw(batch, k, rank, world)) == values(expected)
            others = 24 % world  # files whose only row is another process's, in each of two epochs
            assert len(opened_parts) <= 4 + 2 * 2 + 2 * others  # a batch and two blocks


def test_a_stream_has_its_mark_in_its_state(folder):
    source = Images(path=str(folder), buffer=8, **STREAMED)
    straight = Stream(source, batch=6, seed=3)
    assert straight.state() == {"drawn": 0, "mark": [0, 0, 0, 0, 0]}
    for k in range(12):
        state, expected = straight.state(), straight.draw()
        again = Stream(source, batch=6, seed=3)
        again.load(state)
        again.first(2)
        assert again.state() == state, k
        assert values(again.draw()) == values(expected)
        assert again.state() == straight.state()


def test_without_its_mark_it_reads_forward_to_the_same_place(folder, opened_parts):
    """The negative control, and how a run of another number of processes goes on."""
    straight, again = (flow(folder, seed=3, buffer=4)._flow for _ in range(2))
    drawn = [values(straight.draw(5, k, 0, 1)) for k in range(13)]
    opened_parts.clear()
    assert values(again.draw(5, 12, 0, 1)) == drawn[12]
    assert len(opened_parts) > 60


def test_stacks_of_a_stream_go_on_at_its_mark(folder):
    source = Stacked(of=Images(path=str(folder), buffer=4, **STREAMED))
    straight, again = (Stream(source, batch=2, seed=0) for _ in range(2))
    for _ in range(9):
        straight.draw()
    state = straight.state()
    assert state["mark"][0] == 2  # 54 of 24 images an epoch
    again.load(state)
    assert torch.equal(again.draw().real, straight.draw().real)


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
