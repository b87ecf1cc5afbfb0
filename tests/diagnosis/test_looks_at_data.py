"""The statistics of the looks at data and units, against their closed forms, and real digits as the control."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import agon
from agon.diagnosis.class_balance import HALF
from agon.diagnosis.copies import Part, exact, near, shared
from agon.diagnosis.dead_units import Activations, dead
from agon.diagnosis.lost_classes import FEWEST, SHARE, Classes
from agon.diagnosis.overfitting import Opinions
from agon.diagnosis.real_data import RealData, held_out_at_random, real_data
from agon.diagnosis.view import view_of
from agon.runs import Run
from tests.diagnosis.hospital import ONE_THREAD
from tests.diagnosis.hospital_data import DIGITS, digits, drowned, leaked, stored

RNG = np.random.default_rng(0)


def opened(source: agon.Source, split: agon.data.Split = "train") -> RealData:
    """A split that is at hand."""
    data = real_data(source, split, {})
    assert isinstance(data, RealData), data
    return data


def test_lost_classes_of_real_digits() -> None:
    """Held-out digits lack no class; without those of any two classes, these two are lost, and no other."""
    classes = Classes.of(DIGITS, opened(DIGITS))
    held = opened(DIGITS, "test").first(180)
    assert classes is not None
    assert held.label is not None
    assert classes.right > 0.95
    images, labels = ((held.real.flatten(1).double() + 1) / 2).numpy(), held.label.numpy()  # in [0, 1]
    for pair in [(0, 1), (2, 7), (3, 8), (4, 9), (5, 6)]:
        kept = ~np.isin(labels, pair)
        counts, distance = classes.counts(np.repeat(images[kept], 4, axis=0))
        expected = counts.sum() * classes.shares(None)
        assert expected.min() > FEWEST
        assert set(np.flatnonzero(counts < SHARE * expected)) == set(pair)
        assert distance < 1.2 * classes.distance
    counts, _ = classes.counts(images)
    assert (counts > 0.5 * len(images) * classes.shares(None)).all()


def test_requested_labels_change_what_is_expected() -> None:
    """A conditional generator that is asked for zeros alone is expected to make next to nothing else."""
    classes = Classes.of(DIGITS, opened(DIGITS))
    assert classes is not None
    shares = classes.shares(torch.zeros(10, dtype=torch.int64))
    assert shares[0] > 0.95
    assert shares.sum() == pytest.approx(1)


def test_the_ratio_of_opinions_and_its_error() -> None:
    """r = (2 - 1) / (2 - 0), whatever the unit is, and its error that of repeated draws."""

    def drawn(seed: int, unit: float = 1.0, n: int = 200) -> Opinions:
        rng = torch.Generator().manual_seed(seed)
        normal = [torch.randn(n, generator=rng, dtype=torch.float64) for _ in range(3)]
        return Opinions(*(unit * (mean + x) for mean, x in zip((2.0, 1.0, 0.0), normal, strict=True)))

    ratios = torch.tensor([drawn(seed).ratio for seed in range(400)])
    errors = torch.tensor([drawn(seed).error for seed in range(400)])
    assert float(ratios.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(errors.mean()) == pytest.approx(float(ratios.std()), rel=0.1)
    assert drawn(0, unit=1000.0).ratio == pytest.approx(drawn(0).ratio)
    assert drawn(0).told_apart
    assert not Opinions(*[drawn(0).train] * 3).told_apart


def test_only_a_random_part_is_held_out_at_random() -> None:
    assert held_out_at_random(DIGITS)
    own = stored("leaked", leaked)
    assert not held_out_at_random(own)
    assert held_out_at_random(replace(own, validation=0.1))
    assert not held_out_at_random(agon.Images(path="digits", holdout=0.0))
    assert not held_out_at_random(agon.data.Ring())


def test_shares_of_copies() -> None:
    """All images twice: half of them are copies, in the whole set and as estimated from a part of it."""
    images = RNG.integers(0, 256, (1000, 1, 8, 8)).astype(np.uint8)
    twice = RNG.permutation(np.concatenate([images, images]))
    all_of_them, half = Part.of(twice, 2000), Part.of(twice[:1000], 2000)
    assert exact(all_of_them) == (0.5, 1000)
    assert exact(half).share == pytest.approx(0.5, abs=0.1)
    assert near(half).share == pytest.approx(0.5, abs=0.15)
    whole = Part.of(images, 1000)
    assert exact(whole) == near(whole) == (0.0, 0)
    assert shared(whole, images[:100]) == (1.0, 100)
    assert shared(Part.of(images[:500], 500), images[500:600]) == (0.0, 0)
    many = np.concatenate([images[:100].repeat(10, axis=0), images[100:]])  # 900 copies of 1,900 images
    part = Part.of(RNG.permutation(many)[:600], 1900)
    assert exact(part).share == pytest.approx(900 / 1900, abs=0.07)
    blank = np.concatenate([images[:1].repeat(50, axis=0), images[1:951]])  # 49 copies of one in 1,000
    assert near(Part.of(RNG.permutation(blank)[:250], 1000)).share == pytest.approx(0.05, abs=0.03)
    one = np.concatenate([images[:1].repeat(50, axis=0), images[951:]])  # that one, and others that are new
    assert shared(Part.of(RNG.permutation(blank)[:250], 1000), one).share == pytest.approx(0.5, abs=0.02)
    changed = (images[:100].astype(int) + 2).clip(0, 255).astype(np.uint8)
    assert shared(whole, changed).share == 1.0, "almost the same pictures"


def test_dead_units() -> None:
    """Two of four units have one value; a channel is alive that varies at one position."""
    x = torch.tensor([[0.0, 3.0, 1.0, -1.0], [0.0, 3.0, 2.0, 1.0]])
    assert dead(x) == 0.5
    maps = torch.zeros(2, 2, 3, 3)
    maps[0, 1, 1, 1] = 1.0
    assert dead(maps) == 0.5


def test_activations_are_seen_wherever_they_are_computed() -> None:
    """As modules, as functions, and in place; the output of the network is left out."""
    layer = nn.Linear(3, 4)
    with torch.no_grad(), Activations(but=(8, 2)) as seen:
        hidden = torch.relu(nn.Sequential(layer, nn.ReLU(inplace=True), nn.LeakyReLU())(torch.randn(8, 3)) - 1e9)
        torch.tanh(hidden[:, :2])
    assert len(seen.shares) == 3
    assert seen.shares[-1] == 1.0
    assert seen.shares[0] < 1.0


def test_what_is_said_of_data_that_are_not_at_hand(tmp_path: Path) -> None:
    """Endless ones, those of the Hub, none, and others than the run's: a reason, and no error."""
    assert real_data(agon.data.Ring(), "train", {}) == "its data are endless"
    assert "the Hub" in str(real_data(agon.Images(path="hub:nobody/nothing"), "train", {}))
    assert "no such path" in str(real_data(agon.Images(path=str(tmp_path / "none"), size=8), "train", {}))
    assert "not those" in str(real_data(DIGITS, "train", {"data": "0"}))
    assert isinstance(real_data(DIGITS, "train", {"data": opened(DIGITS).opened.fingerprint}), RealData)


def test_a_run_without_its_data_is_looked_at_all_the_same(tmp_path: Path) -> None:
    """Of images that are gone, the shape on record is used, and the looks at data say what is missing."""
    source = stored("drowned", drowned)
    moved = Path(shutil.copy(source.path, tmp_path / "moved.npz"))
    experiment = digits(8, replace(source, path=str(moved)), sample_every=2, checkpoint_every=2, log_every=1)
    run = agon.train(experiment, tmp_path / "run", compute=ONE_THREAD, show=False)
    at_hand = agon.diagnose(run)
    assert at_hand.looked_at["class-imbalance"]["share"] > HALF
    moved.unlink()
    without = agon.diagnose(Run.open(run.path))
    data = {"lost-classes", "wrong-range", "overfitting-critic", "memorisation", "few-images", "class-imbalance"}
    data |= {"copies"}
    assert set(at_hand.looked_at) - set(without.looked_at) <= data
    assert all("moved.npz" in without.unseen[name] for name in data)
    assert view_of(run).data is not None
