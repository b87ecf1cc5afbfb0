"""The endless order: each sample once an epoch, nothing dropped, any place entered directly."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agon.data.order import Order, generator, part
from agon.errors import DataError, SettingError


@given(n=st.integers(1, 40), batch=st.integers(1, 40), seed=st.integers(0, 2**70))
def test_batches_concatenate_to_permutations(n, batch, seed):
    batch = min(n, batch)
    order = Order(n, seed)
    drawn = torch.cat([order(batch, k) for k in range(3 * n // batch + 1)])
    for epoch in drawn.split(n):
        assert len(epoch.unique()) == len(epoch)  # the last may be a part of one


@given(n=st.integers(1, 40), batch=st.integers(1, 40), index=st.integers(0, 10**12))
def test_a_jump_lands_where_walking_leads(n, batch, index):
    batch = min(n, batch)
    walking = Order(n, 7)
    for k in range(max(0, index - 3), index):
        walking(batch, k)
    assert torch.equal(walking(batch, index), Order(n, 7)(batch, index))


@given(share=st.integers(1, 9), world=st.integers(1, 9))
def test_ranks_partition_the_batch(share, world):
    whole = list(range(share * world))
    parts = [whole[part(len(whole), rank, world)] for rank in range(world)]
    assert [place for piece in parts for place in piece] == whole
    assert {len(piece) for piece in parts} == {share}


def test_epochs_and_seeds_are_ordered_independently():
    assert not torch.equal(Order(100, 0)(100, 0), Order(100, 0)(100, 1))
    assert not torch.equal(Order(100, 0)(100, 0), Order(100, 1)(100, 0))
    first = torch.stack([Order(10, seed)(1, 0) for seed in range(2000)]).flatten()
    assert stats.chisquare(first.bincount(minlength=10).numpy()).pvalue > 1e-3


def test_words_do_not_run_together():
    draws = {torch.rand(1, generator=generator(*words)).item() for words in [(1, 23), (12, 3), ("1", 23)]}
    assert len(draws) == 3


def test_a_batch_larger_than_the_set_is_refused():
    with pytest.raises(DataError, match="at least 11 samples for a batch of 11, got 10: take a smaller"):
        Order(10, 0)(11, 0)


@pytest.mark.parametrize(
    ("batch", "rank", "world", "words"),
    [
        (7, 0, 2, "2 processes can share equally, got 7"),
        (0, 0, 1, "got 0: take a positive multiple of 1"),
        (4, 2, 2, r"rank from 0 to 1 \(world is 2\), got 2"),
        (4, -1, 2, "got -1"),
    ],
)
def test_an_unequal_share_is_refused(batch, rank, world, words):
    with pytest.raises(SettingError, match=words):
        part(batch, rank, world)
