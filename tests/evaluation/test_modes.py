"""Evaluating runs: points of mixtures by their modes, images by a classifier, anything else refused."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agon import Adversarial, Experiment, Run, part, train
from agon.data import Gaussian, Grid, Ring, SwissRoll
from agon.data.points import Mixture
from agon.errors import DataError, RunError
from agon.evaluation import evaluate, over_time
from agon.networks import mlp
from agon.recipes import find
from agon.runs import point_snapshots, read

pytestmark = pytest.mark.usefixtures("one_core")
COVERED = ["modes", "quality", "mode-divergence"]
NAMES = [*COVERED, "jensen-shannon", "critic-gap"]


class Exact(nn.Module):
    """The generator whose samples are N(3, 0.5²), once its parameter is there."""

    latent_shape = (1,)

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(3.0))

    def forward(self, latent: Tensor) -> Tensor:
        return self.mean + 0.5 * latent


def trained(source: Mixture | SwissRoll, path: Path) -> Run:
    """A training of first/ring's own of a few steps."""
    experiment = replace(find("first/ring").experiment(source, "smoke"), steps=20, sample_every=10)
    return train(experiment, path, show=False)


@pytest.mark.parametrize("source", [Ring(), Grid(), Gaussian()], ids=lambda source: type(source).__name__)
def test_points_are_scored_by_their_modes_once(source: Mixture, tmp_path: Path) -> None:
    run = trained(source, tmp_path / "run")
    scores = evaluate(run, n=1000)
    assert [score.name for score in scores] == NAMES
    assert evaluate(run, n=1000) == scores
    records = read(run.metrics)
    assert [record["name"] for record in records] == NAMES
    assert all((record["step"], record["seed"], record["asked"]) == (20, 0, 1000) for record in records)
    assert f"of {len(source.modes)};" in records[0]["protocol"]


def test_an_exact_generator_scores_as_real_samples_do(tmp_path: Path) -> None:
    """One mode, and the normal distribution's share within 3 standard deviations."""
    critic = part(mlp.Critic, shape=(1,), widths=(4,))
    game = part(Adversarial, generator=part(Exact), critic=critic)
    still = part(torch.optim.SGD, lr=0.0)
    experiment = Experiment(game=game, data=Gaussian(), steps=1, batch=8, optimisers=still)
    modes, quality, divergence, *_ = evaluate(train(experiment, tmp_path / "run", show=False), n=20_000, trust=True)
    assert (modes.value, divergence.value) == (1, 0.0)
    assert quality.value == pytest.approx(math.erf(3 / math.sqrt(2)), abs=4 * (quality.error or 0))


def test_what_has_no_modes_is_scored_by_distances(tmp_path: Path) -> None:
    run = trained(SwissRoll(), tmp_path / "run")
    assert [score.name for score in evaluate(run, n=200)] == ["coordinates-kernel-distance", "pairwise"]
    with pytest.raises(DataError, match="of an endless set nothing can be copied"):
        evaluate(run, n=200, metrics=["neighbours"])


def test_what_a_run_kept_is_scored_step_by_step(tmp_path: Path) -> None:
    """The same latents at each step; the last look is the present generator's."""
    run = trained(Ring(), tmp_path / "run")
    assert list(point_snapshots(run)) == list(over_time(run, Ring())) == [0, 10, 20]
    assert [score.name for score in over_time(run, Ring())[10]] == COVERED
    assert over_time(run, Ring())[10].modes.n == 1_000


@pytest.mark.parametrize("content", [b"", b"no array", b"PK\x03\x04torn", np.array([{}], dtype=object).dumps()])
def test_a_broken_file_of_points_is_named(content: bytes, tmp_path: Path) -> None:
    run = trained(Ring(), tmp_path / "run")
    (run.samples / "00000010.npy").write_bytes(content)
    with pytest.raises(RunError, match=r"00000010\.npy is not an array of points"):
        point_snapshots(run)
    for file in run.samples.glob("0*.npy"):
        file.unlink()
    with pytest.raises(RunError, match="holds no points"):
        point_snapshots(run)
