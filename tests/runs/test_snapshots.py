"""The images that a run kept while it trained: the generator's own at each step, from files that are whole."""

from pathlib import Path

import pytest
import torch

from agon import Run
from agon.data.source import as_bytes
from agon.errors import RunError
from agon.figures.pictures import grid_png, read_grid
from agon.runs import image_snapshots, last_images, point_snapshots
from agon.samples.making import load
from agon.training import Training

pytestmark = pytest.mark.usefixtures("one_core")


def test_the_last_images_are_the_present_generators(images: Path) -> None:
    """In order of the steps, each other than the one before; real ones are not among them."""
    run = Run(images)
    found = image_snapshots(run)
    steps = list(found)
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert len(steps) >= 3
    training: Training = load(run)
    assert steps[-1] == training.step
    last = last_images(run)
    assert torch.equal(last, found[steps[-1]])
    assert torch.equal(last, as_bytes(training.samples(training.fixed_latents(len(last))), training.experiment.data))
    assert not torch.equal(last, found[steps[-2]])
    assert len(list(run.samples.glob("*.png"))) == len(steps) + 1


def written(path: Path, **files: bytes) -> Run:
    run = Run.create(path)
    for name, content in files.items():
        run.picture(f"{name.removeprefix('at')}.png", content)
    return run


def test_steps_are_numbers_not_names(tmp_path: Path) -> None:
    """Beyond eight digits the names no longer sort as the numbers do."""
    ramp = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)
    run = written(tmp_path / "run", at100000000=grid_png(ramp), at99999999=grid_png(ramp // 2), real=grid_png(ramp))
    assert list(image_snapshots(run)) == [99_999_999, 100_000_000]
    assert torch.equal(image_snapshots(run)[100_000_000], ramp)


@pytest.mark.parametrize("content", [b"", b"no picture", grid_png(torch.zeros(2, 1, 4, 4, dtype=torch.uint8))[:-30]])
def test_a_broken_file_of_images_is_named(content: bytes, tmp_path: Path) -> None:
    run = written(tmp_path / "run", at00000010=content)
    with pytest.raises(RunError, match=r"00000010\.png cannot be read .*; delete it, and go on without that step"):
        image_snapshots(run)


def test_images_and_points_are_not_taken_for_each_other(images: Path, tmp_path: Path) -> None:
    run = written(tmp_path / "run", real=grid_png(read_grid(images / "samples" / "real.png").tiles))
    with pytest.raises(RunError, match="holds no images"):
        image_snapshots(run)
    with pytest.raises(RunError, match="holds no points"):
        point_snapshots(Run(images))
