"""A stream's order: every image once an epoch, the same at every start, and no part is read again to go on."""

import random
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agon.data.blocks import Blocks, Mark, Share, shares
from agon.data.rows import ImageRows, Raw
from agon.errors import DataError


class Numbers(ImageRows):
    """Parts of these sizes whose images are numbered through, and what was read of them."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes, self.opened, self.read = sizes, 0, 0

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def parts(self) -> int:
        return len(self.sizes)

    def part(self, number: int):
        self.opened += 1
        first = sum(self.sizes[:number])
        for row in range(first, first + self.sizes[number]):
            self.read += 1
            yield Raw(str(row), b"", row)

    def digest(self) -> str:
        return ""


def blocks(rows: Numbers, *, begin=Mark(), seed=0, size=4, rank=0, world=1, keep=lambda raw: True, least=1):  # noqa: B008
    own = shares(rows.parts, rank, world)
    return Blocks(rows, keep, seed=seed, size=size, own=own, least=least, begin=begin)


def drawn(stream: Blocks, n: int) -> list[int]:
    return [raw.label for raw in islice(stream, n)]


SIZES = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(SIZES, st.integers(1, 7), st.integers(1, 20), st.integers(0, 99))
def test_all_processes_together_read_every_image_once_an_epoch(sizes, world, size, seed):
    seen = []
    for rank in range(world):
        number = sum(len(range(first, sizes[part], step)) for part, first, step in shares(len(sizes), rank, world))
        if number:
            mine = drawn(blocks(Numbers(sizes), seed=seed, size=size, rank=rank, world=world), 2 * number)
            assert sorted(mine[:number]) == sorted(mine[number:])
            seen += mine[:number]
    assert sorted(seen) == list(range(sum(sizes)))


@given(SIZES.filter(any), st.integers(1, 20), st.integers(0, 99), st.integers(2, 5))
def test_from_every_place_on_it_goes_on_as_if_it_had_never_stopped(sizes, size, seed, third):
    n = 2 * sum(sizes) + 3

    def keep(raw):  # as a split does
        return raw.label % third > 0 or sum(sizes) == 1

    whole = blocks(Numbers(sizes), seed=seed, size=size, keep=keep)
    marks, values = [], []
    for _ in range(n):
        marks.append(whole.mark)
        values += drawn(whole, 1)
    for place, mark in enumerate(marks):
        again = blocks(Numbers(sizes), begin=mark, seed=seed, size=size, keep=keep)
        assert again.mark == mark
        assert drawn(again, n - place) == values[place:]


def test_the_order_is_a_function_of_the_seed_and_the_number_of_processes():
    order = {
        (seed, world): [drawn(blocks(Numbers([5] * 8), seed=seed, rank=rank, world=world), 10) for rank in range(world)]
        for seed in (0, 1)
        for world in (1, 2, 4)
    }
    for (seed, world), ranks in order.items():
        again = [drawn(blocks(Numbers([5] * 8), seed=seed, rank=rank, world=world), 10) for rank in range(world)]
        assert again == ranks
    assert len({str(ranks) for ranks in order.values()}) == 6


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 99))
def test_a_block_moves_an_image_by_less_than_its_size(n, size, seed):
    got = drawn(blocks(Numbers([n]), size=size, seed=seed), n)
    assert all(abs(value - place) < size for place, value in enumerate(got))
    if min(n, size) > 12:  # that it stays in order has a chance of one in 12!
        assert got != list(range(n))


@pytest.mark.parametrize("place", [0, 1, 5_000, 9_990, 10_001, 123_456])
def test_going_on_opens_the_parts_of_its_blocks_alone(place):
    """1,000 parts of 10 images in blocks of 20: the position, up to the 13th epoch, makes no difference."""
    sizes, size = [10] * 1000, 20
    epoch, rest = divmod(place, sum(sizes))
    block, taken = divmod(rest, size)
    rows = Numbers(sizes)
    stream = blocks(rows, begin=Mark(epoch, 2 * block, 0, block, taken), size=size)
    drawn(stream, 1)
    assert rows.opened <= 5
    assert rows.read <= 2 * size + 1


def test_reading_forward_is_caught():
    """The negative control: without a mark as many parts are opened as come before."""
    rows = Numbers([10] * 1000)
    stream = blocks(rows, size=20)
    drawn(stream, 5_001)
    assert rows.opened > 500
    assert stream.mark == Mark(0, 499, 10, 250, 1)


def test_two_blocks_are_in_memory_and_read_evenly():
    rows, read = Numbers([7] * 30), [0]
    stream = blocks(rows, size=10)
    for _ in range(200):
        drawn(stream, 1)
        read.append(rows.read)
    assert max(count - place for place, count in enumerate(read)) <= 2 * 10
    assert max(after - before for before, after in pairwise(read[1:])) == 1


@given(st.integers(1, 40), st.integers(1, 9))
def test_processes_share_what_does_not_divide_row_by_row(parts, world):
    every = [share for rank in range(world) for share in shares(parts, rank, world)]
    whole = [share.part for share in every if share.step == 1]
    assert len(whole) == len(set(whole)) == (parts if world == 1 else parts - parts % world)
    read = [len(shares(parts, rank, world)) for rank in range(world)]
    assert max(read) <= parts // world + world - 1
    assert {Share(part, first, world) for part in range(parts - parts % world, parts) for first in range(world)} == {
        share for share in every if share.part >= parts - parts % world
    }


def test_an_epoch_smaller_than_a_batch_is_refused_at_every_place():
    for begin in (Mark(), Mark(0, 0, 4, 1, 1)):
        with pytest.raises(DataError, match="at least 9 images for a batch of 9, got 8"):
            drawn(blocks(Numbers([8]), begin=begin, least=9), 9)


def test_a_mark_beyond_what_is_left_of_the_data_is_refused():
    with pytest.raises(DataError, match="at least 4 images in the stream's block 0 of epoch 0, got 3"):
        blocks(Numbers([3]), begin=Mark(taken=4))


def test_python_shuffles_as_it_did():
    """What the order rests on: another shuffle would change every stream."""
    places = list(range(8))
    random.Random("0 0").shuffle(places)
    assert drawn(blocks(Numbers([1] * 8), size=1), 8) == places
