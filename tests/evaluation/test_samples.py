"""Samples of other programs: folders and arrays, in their order, as bytes or points."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agon.data import Images, Ring, Stacked
from agon.errors import DataError
from agon.figures.pictures import png
from agon.samples.reading import as_compared, read_samples, real_samples

pytestmark = pytest.mark.usefixtures("one_core")


def bytes_of(n: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, channels, 5, 6), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_and_an_array_are_read_in_their_order(channels: int, tmp_path: Path) -> None:
    images = bytes_of(12, channels)
    for i, image in enumerate(images):
        (tmp_path / f"{i:03d}.png").write_bytes(png(image.transpose(1, 2, 0)))
    np.savez(tmp_path / "all.npz", samples=images.transpose(0, 2, 3, 1))
    assert torch.equal(read_samples(tmp_path / "all.npz"), torch.from_numpy(images))
    (tmp_path / "all.npz").rename(tmp_path.parent / f"{tmp_path.name}.npz")
    assert torch.equal(read_samples(tmp_path), torch.from_numpy(images))


def test_numbers_that_are_no_bytes_need_their_range(tmp_path: Path) -> None:
    images = bytes_of(3)
    np.save(tmp_path / "x.npy", images / 127.5 - 1)
    assert torch.equal(read_samples(tmp_path / "x.npy", values=(-1.0, 1.0)), torch.from_numpy(images))
    with pytest.raises(DataError, match="values"):
        read_samples(tmp_path / "x.npy")


def test_points_are_a_single_array(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(7, 2))
    np.savez(tmp_path / "points.npz", samples=points)
    assert torch.equal(read_samples(tmp_path / "points.npz"), torch.from_numpy(points))


def test_pickles_are_never_read(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object))
    with pytest.raises(DataError, match="Python objects"):
        read_samples(tmp_path / "x.npy")


def test_real_samples_are_the_whole_set_once_as_bytes() -> None:
    source = Images()
    found = real_samples(source, 10_000)
    stored = source.stored()
    assert len(found) == len(stored) == 1617
    assert torch.equal(found.flatten(1).double().sum(1).sort().values, stored.flatten(1).double().sum(1).sort().values)
    assert torch.equal(real_samples(source, 40), found[:40])
    assert real_samples(Ring(), 25).shape == (25, 2)


def test_what_is_not_finite_is_refused() -> None:
    points = torch.zeros(3, 2)
    points[1, 0] = torch.inf
    with pytest.raises(DataError, match="got 1 of 3"):
        as_compared(points, Ring())


def test_a_set_with_splits_is_read_whole(tmp_path: Path) -> None:
    images = bytes_of(8)
    for i, image in enumerate(images):
        place = tmp_path / ("train" if i < 5 else "test")
        place.mkdir(exist_ok=True)
        (place / f"{i}.png").write_bytes(png(image.transpose(1, 2, 0)))
    assert torch.equal(read_samples(tmp_path), torch.from_numpy(images))


def test_a_word_is_no_name_on_the_hub_here(tmp_path: Path) -> None:
    for word in ("digits", "owner/name", str(tmp_path / "nothing")):
        with pytest.raises(DataError, match="there is no such path"):
            read_samples(Path(word))


def test_a_finite_toy_is_the_one_that_was_trained_on() -> None:
    """Its points come from the seed: of another seed they are other points."""
    source = Ring(points=50)

    def points(found: torch.Tensor) -> torch.Tensor:
        return found.sort(0).values

    assert torch.equal(points(real_samples(source, 50, seed=3)), points(source.take(50, seed=3).real))
    assert not torch.equal(points(real_samples(source, 50, seed=3)), points(real_samples(source, 50)))


def test_endless_stacks_can_be_compared() -> None:
    assert real_samples(Stacked(), 700).shape == (700, 3, 8, 8)
