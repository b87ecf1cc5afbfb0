"""Augmented streams: pure functions of their seed and number, shared by processes, and off for pictures and scores."""

import pytest
import torch

from agon.augmentation import Colour, Flip, Translation
from agon.data import Images, Ring, Stream
from agon.errors import SettingError

DIGITS = Images(path="digits")
ALL = (Flip(), Translation(), Colour())


def test_a_batch_depends_on_its_number_alone() -> None:
    one, other = (Stream(DIGITS, batch=6, seed=3, augment=ALL) for _ in range(2))
    drawn = [one.draw() for _ in range(3)]
    other.load({"drawn": 2})
    again = other.draw()
    assert torch.equal(again.real, drawn[2].real)
    assert one.state() == {"drawn": 3}
    assert not torch.equal(Stream(DIGITS, batch=6, seed=4, augment=ALL).draw().real, drawn[0].real)


def test_labels_and_order_are_those_of_the_plain_stream() -> None:
    plain, mirrored = Stream(DIGITS, batch=64, seed=3), Stream(DIGITS, batch=64, seed=3, augment=(Flip(),))
    for _ in range(2):
        a, b = plain.draw(), mirrored.draw()
        assert torch.equal(a.label, b.label)
        same, turned = ((x == b.real).flatten(1).all(1) for x in (a.real, a.real.flip(3)))
        assert (same | turned).all()
        assert 16 < int(turned.sum()) < 48
    assert torch.equal(mirrored.first(5), plain.first(5))
    assert mirrored.fingerprint == plain.fingerprint


def test_processes_share_the_batch_that_one_process_draws() -> None:
    whole = Stream(DIGITS, batch=6, seed=3, augment=ALL)
    parts = [Stream(DIGITS, batch=6, seed=3, augment=ALL, rank=rank, world=2) for rank in (0, 1)]
    for _ in range(2):
        expected = whole.draw().real
        torch.testing.assert_close(torch.cat([part.draw().real for part in parts]), expected)


def test_points_are_refused() -> None:
    with pytest.raises(SettingError, match=r"Flip: expected images .*, got samples of shape \(2,\)"):
        Stream(Ring(), batch=4, seed=0, augment=(Flip(),))
