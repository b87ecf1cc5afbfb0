"""Samples that are neither images nor points: a training keeps them, and its page says that it draws none."""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import agon
from agon import reports
from agon.data.source import RealBatch
from agon.experiment import Experiment
from agon.games import Adversarial
from agon.training import Compute, train
from tests.reports.page import read_page, section


@dataclass(frozen=True, kw_only=True)
class Noise(agon.data.Source):
    """Endless samples of any shape."""

    of: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.of

    @property
    def range(self) -> tuple[float, float] | None:
        return None

    def count(self, split: str = "train") -> int | None:
        return None

    def open(self, *, seed: int, split: str = "train", **_: object) -> "Opened":
        return Opened(self.of, seed)


class Opened:
    count = None
    fingerprint = "0" * 64

    def __init__(self, of: tuple[int, ...], seed: int) -> None:
        self.of, self.seed = of, seed

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        rng = torch.Generator().manual_seed(self.seed + index)
        return RealBatch(torch.randn(batch // world, *self.of, generator=rng), None)


class Maker(nn.Module):
    def __init__(self, of: tuple[int, ...]) -> None:
        super().__init__()
        self.of, self.latent_shape = of, (4,)
        self.layer = nn.Linear(4, prod(of))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        return self.layer(latent).unflatten(1, self.of)


class Judge(nn.Module):
    def __init__(self, of: tuple[int, ...]) -> None:
        super().__init__()
        self.layer = nn.Linear(prod(of), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1)).squeeze(1)


def experiment(of: tuple[int, ...]) -> Experiment:
    game = agon.part(Adversarial, generator=agon.part(Maker, of=of), critic=agon.part(Judge, of=of))
    return Experiment(game=game, data=Noise(of=of), steps=2, batch=4, grid=4, sample_every=1)


@pytest.mark.parametrize("of", [(24, 3), (3, 4, 8, 8), (2, 8, 8), (4, 8, 8), (7,), (2,), (3, 8, 8)])
def test_every_shape_has_a_page(of: tuple[int, ...], tmp_path: Path) -> None:
    run = train(experiment(of), tmp_path / "run", compute=Compute(device="cpu", threads=1), show=False)
    page = read_page(reports.write([run.path], tmp_path / "page.html"))
    drawn = len(of) == 1 or of == (3, 8, 8)
    assert bool(section(page, "samples").all("img")) == drawn
    words = section(page, "samples").words()
    assert ("are neither images nor points" in words) != drawn
    assert ("No samples have been drawn yet" in words) is False
    assert drawn or str(of) in words
    n = 1_000 if len(of) == 1 else 4  # of points, enough to fill a panel, whatever the grid
    assert np.load(run.samples / "00000002.npy").shape == (n, *of) if of != (3, 8, 8) else True


def test_beside_each_other(tmp_path: Path) -> None:
    how = {"compute": Compute(device="cpu", threads=1), "show": False}
    runs = [train(experiment(of), tmp_path / f"{len(of)}", **how).path for of in ((24, 3), (2,))]
    words = section(read_page(reports.write(runs, tmp_path / "page.html")), "samples").words()
    assert "2: samples of shape (24, 3) are neither images nor points" in words
