"""What the functions at the door take: runs or their directories, and experiments whose classes cannot be imported."""

from pathlib import Path

import pytest
import torch
from torch import nn

import agon
from agon.errors import AgonError


class Line(nn.Module):
    """A generator of points that only this file knows."""

    latent_shape = (1,)

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Linear(1, 2)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.weight(z)


class Plane(nn.Module):
    """A critic of points that only this file knows."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight(x).flatten()


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs of one step each."""
    for seed in (0, 1):
        agon.train(experiment(seed), tmp_path / str(seed), compute=agon.Compute(threads=1, device="cpu"), show=False)
    return tmp_path / "0", tmp_path / "1"


def experiment(seed: int) -> agon.Experiment:
    game = agon.part(agon.Adversarial, generator=agon.part(Line), critic=agon.part(Plane))
    return agon.Experiment(game=game, data=agon.Ring(), steps=1, seed=seed)


def test_a_directory_serves_as_a_run(runs: tuple[Path, Path]) -> None:
    first, second = runs
    settings = {"n": 50, "metrics": ["pairwise"]}
    known = experiment(0)
    assert agon.load(str(first), experiment=known).step == agon.load(agon.Run(str(first)), experiment=known).step == 1
    scores = agon.evaluate(first, experiment=known, **settings)  # type: ignore[arg-type]
    assert agon.evaluate(agon.Run(first), experiment=known, **settings) == scores  # type: ignore[arg-type]
    assert agon.report(first) == first / "report.html"
    assert agon.report([agon.Run(first), second], first.parent) == first.parent / "report.html"


def test_classes_that_cannot_be_imported_come_with_the_experiment(
    runs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without trust another process imports nothing, so the negative control is refused."""
    monkeypatch.setattr("agon.experiment.experiment._REMEMBERED", {})
    settings = agon.arena.BattleSettings(n=50)
    with pytest.raises(AgonError, match="trust"):
        agon.battle(*runs, settings=settings)
    with pytest.raises(AgonError, match="trust"):
        agon.evaluate(runs[0], n=50)
    result = agon.battle(*runs, settings=settings, experiments=(experiment(0), experiment(1)))
    assert result.mutual is not None


def test_no_run_is_a_sentence(tmp_path: Path) -> None:
    for use in (agon.load, agon.evaluate, agon.report):
        with pytest.raises(AgonError, match="nothing"):
            use(tmp_path / "nothing")  # type: ignore[operator]
