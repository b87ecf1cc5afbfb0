"""Stacks of three grey images: the channels are images of the set, and the classes are triples of theirs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agon.data import Images, Stacked, Stream, named
from agon.data.description import describe
from agon.data.order import Order
from agon.errors import DataError, SettingError
from agon.experiment import changed
from agon.experiment.codec import decode, encode

DIGITS = Stacked()


def grey_of(drawn):
    """The channels as single images, and their classes."""
    digits = torch.stack([drawn.label // 100, drawn.label // 10 % 10, drawn.label % 10], 1)
    return drawn.real.reshape(-1, *drawn.real.shape[2:]), digits.flatten()


@pytest.mark.parametrize("source", [DIGITS, Stacked(stacks=500)], ids=["endless", "finite"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_each_channel_is_an_image_of_its_split_with_its_class(source, split):
    grey = source.of.open(seed=3, split=split)
    known = grey.draw(grey.count, 0, 0, 1)
    label_of = {x.numpy().tobytes(): int(y) for x, y in zip(known.real, known.label, strict=True)}
    images, digits = grey_of(source.open(seed=1, split=split).draw(60, 2, 0, 1))
    assert [label_of[x.numpy().tobytes()] for x in images] == digits.tolist()


def test_it_is_described_by_its_set():
    assert (DIGITS.shape, DIGITS.range, DIGITS.count(), Stacked(stacks=7).count("test")) == (
        (3, 8, 8),
        (-1, 1),
        None,
        7,
    )
    assert len(DIGITS.classes) == 1000
    assert (DIGITS.classes[0], DIGITS.classes[123], DIGITS.classes[999]) == ("000", "123", "999")
    told = describe(DIGITS)
    assert told.startswith("stacked\n")
    assert "1000: 000, 001" in told
    assert Stacked(of=Images(range=(0.0, 1.0), size=4)).take(50).real.amin() == 0


def test_every_draw_is_a_function_of_seed_and_number():
    """Endless and finite; other seeds draw others; a finite set is one set under every seed."""
    for source in (DIGITS, Stacked(stacks=100)):
        opened = [source.open(seed=seed) for seed in (0, 0, 1)]
        one, again, other = (each.draw(20, 3, 0, 1) for each in opened)
        assert torch.equal(one.real, again.real)
        assert torch.equal(one.label, again.label)
        assert not torch.equal(one.label, other.label)
        assert opened[0].fingerprint == opened[2].fingerprint
    whole = [Stacked(stacks=100).open(seed=seed).draw(100, 0, 0, 1).label.sort().values for seed in (0, 1)]
    assert torch.equal(*whole)
    assert Stacked(stacks=100).open(seed=0).fingerprint != Stacked(stacks=99).open(seed=0).fingerprint
    assert DIGITS.open(seed=0).fingerprint != DIGITS.open(seed=0, split="test").fingerprint


@pytest.mark.parametrize("source", [DIGITS, Stacked(stacks=90), Stacked(of=Images(streaming=True))], ids=repr)
def test_many_processes_see_what_one_sees_and_a_stream_is_resumed(source):
    one = Stream(source, batch=12, seed=1)
    many = [] if source.of.streaming else [Stream(source, batch=12, seed=1, rank=r, world=3) for r in range(3)]
    drawn = [one.draw() for _ in range(9)]
    for whole in drawn if many else []:
        assert torch.equal(whole.real, torch.cat([each.draw().real for each in many]))
    resumed = Stream(source, batch=12, seed=1)
    resumed.load({"drawn": 8})
    assert torch.equal(resumed.draw().real, drawn[8].real)


def few(path, n):
    """n grey images, all different, in two classes."""
    np.savez(path, images=np.arange(n, dtype=np.uint8)[:, None, None].repeat(2, 2), labels=np.arange(n) % 2)
    return Images(path=str(path), holdout=0.0)


def test_a_batch_of_more_stacks_than_images_is_that_of_their_order(tmp_path):
    """1,000 of 1,617 digits; whole and in parts, whatever divides: batch k has the places from 3kB on."""
    assert DIGITS.take(1000).real.shape == (1000, 3, 8, 8)
    of = few(tmp_path / "x.npz", 11)
    grey, opened = of.open(seed=4), Stacked(of=of).open(seed=4)
    for batch, index in ((4, 3), (7, 2), (12, 1), (30, 1)):
        drawn = opened.draw(batch, index, 0, 1)
        singles = [grey.draw(1, 3 * batch * index + k, 0, 1).real for k in range(3 * batch)]
        assert torch.equal(grey_of(drawn)[0], torch.cat(singles)[:, 0])
    parts = [opened.draw(30, 1, rank, 3) for rank in range(3)]
    assert torch.equal(torch.cat([each.real for each in parts]), drawn.real)
    assert torch.equal(torch.cat([each.label for each in parts]), drawn.label)


def test_an_image_can_come_twice_only_across_the_end_of_an_epoch(tmp_path):
    stacks = Stacked(of=few(tmp_path / "x.npz", 10)).open(seed=0).draw(1000, 0, 0, 1).real[:, :, 0, 0]
    twice = torch.tensor([len(each.unique()) < 3 for each in stacks]).nonzero().flatten()
    across = {k for k in range(1000) if 3 * k // 10 != (3 * k + 2) // 10}
    assert set(twice.tolist()) <= across
    assert 0 < len(twice) < len(across)


def test_a_finite_set_makes_each_epoch_of_its_images_once(tmp_path, monkeypatch):
    """In a batch, whatever its order: 90 stacks of 11 images are 25 epochs, not one or two a stack."""
    opened, made = Stacked(of=few(tmp_path / "x.npz", 11), stacks=90).open(seed=3), []
    ordinary = torch.randperm

    def counted(n, **settings):
        made.append(n)
        return ordinary(n, **settings)

    monkeypatch.setattr(torch, "randperm", counted)
    drawn = opened.draw(90, 0, 0, 1)
    assert made.count(11) == 25
    rows = Order(90, 3)(90, 0)
    grey = opened._grey
    for j in (0, 17, 89):
        assert torch.equal(drawn.real[j], grey.draw(3, int(rows[j]), 0, 1).real[:, 0])


def test_classes_are_drawn_independently():
    """Each pair of channels shares no more than chance: χ² of a 10x10 table, and all 1,000 classes come."""
    labels = torch.cat([DIGITS.open(seed=0).draw(500, k, 0, 1).label for k in range(60)])
    a, b = labels // 100, labels % 10
    table = torch.bincount(a * 10 + b, minlength=100).reshape(10, 10).double()
    expected = torch.outer(table.sum(1), table.sum(0)) / table.sum()
    assert float(((table - expected).square() / expected).sum()) < 81 + 4 * 162**0.5
    assert len(labels.unique()) == 1000


def test_words_and_unlabelled_images(tmp_path):
    """Names of several letters are joined by spaces, and a stack that holds an image without label has none."""
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for value in range(9):
            Image.new("L", (4, 4), value).save(tmp_path / "set" / name / f"{value}.png")
    assert Stacked(of=Images(path=str(tmp_path / "set"))).classes[5] == "dog cat dog"
    labels = np.array([0, 1, -1, 1, 0, 1, 1, 1, 1], dtype=np.int64)
    np.savez(tmp_path / "x.npz", images=np.arange(9, dtype=np.uint8)[:, None, None].repeat(2, 2), labels=labels)
    drawn = Stacked(of=Images(path=str(tmp_path / "x.npz"), holdout=0.0)).open(seed=0).draw(3, 0, 0, 1)
    unlabelled = (drawn.real == 2 / 127.5 - 1).flatten(1).any(1)
    assert torch.equal(drawn.label == -1, unlabelled)
    assert unlabelled.sum() == 1


def test_it_is_written_down_and_changed_by_words():
    source = changed(named("stacked", stacks=10), "of.size", "16")
    assert source == Stacked(of=Images(size=16), stacks=10)
    assert decode(json.loads(json.dumps(encode(source)))) == source
    assert changed(source, "stacks", "none").stacks is None
    assert hash(source)


def test_what_cannot_be_stacked_is_a_sentence(tmp_path, unchecked):
    np.savez(tmp_path / "x.npz", images=np.zeros((20, 4, 4, 3), np.uint8), labels=np.arange(20) % 2)
    np.save(tmp_path / "bare.npy", np.zeros((20, 4, 4), np.uint8))
    colour, bare = (Stacked(of=Images(path=str(tmp_path / name))) for name in ("x.npz", "bare.npy"))
    with pytest.raises(DataError, match=r"expected grey images in .*got 3 channels; set of.channels=1"):
        colour.open(seed=0)
    assert Stacked(of=Images(path=colour.of.path, channels=1)).take(4).real.shape == (4, 3, 4, 4)
    with pytest.raises(DataError, match=r"expected classes in .*got none"):
        bare.open(seed=0)
    np.savez(tmp_path / "two.npz", images=np.zeros((2, 4, 4), np.uint8), labels=np.arange(2))
    with pytest.raises(DataError, match="for a batch of 3, got 2"):
        Stacked(of=Images(path=str(tmp_path / "two.npz"), holdout=0.0)).take(2)
    for wrong, told in (({"stacks": 0}, "at least 1"), ({"of": "digits"}, "a set of images")):
        with pytest.raises(SettingError, match=told):
            Stacked(**wrong)
    with pytest.raises(SettingError, match="None where `of` is a stream"):
        Stacked(of=Images(streaming=True), stacks=5)


def test_stacked_mnist_has_a_thousand_even_classes():
    """The real set where it is at hand, else the digits: shares are products of the digits' own."""
    mnist = Path(__file__).parents[3] / "shared" / "data" / "mnist"
    of, split = (Images(path=str(mnist)), "test") if mnist.is_dir() else (Images(), "train")
    opened = Stacked(of=of).open(seed=0, split=split)
    labels = torch.cat([opened.draw(500, k, 0, 1).label for k in range(40)])
    grey = of.open(seed=0, split=split)
    digits = torch.cat([grey.draw(500, k, 0, 1).label for k in range(60)])
    shares = digits.bincount(minlength=10) / len(digits)
    expected = torch.einsum("a,b,c->abc", shares, shares, shares).flatten() * len(labels)
    counts = labels.bincount(minlength=1000)
    assert float(((counts - expected).square() / expected).sum()) < 999 + 5 * (2 * 999) ** 0.5
