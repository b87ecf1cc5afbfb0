"""The comparison of the families of `agon train own`: what is done is not done again, and the table says what was."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agon.data import Images
from agon.metrics import kernel_distance
from benchmarks import own
from benchmarks.own import COARSE, Trial, do, result, scores
from benchmarks.own_sets import SETS, Coarse


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bundled digits in the place of the faces, and few samples."""
    (tmp_path / "sets").mkdir()
    digits = Images(path="digits", size=(12, 8), holdout=0.0).stored()
    np.save(tmp_path / "sets" / "faces.npy", digits[:300, 0].numpy())
    monkeypatch.setattr(own, "SAMPLES", 64)
    return tmp_path


@pytest.mark.usefixtures("one_core")
def test_a_trial_is_done_once(few: Path) -> None:
    trial = Trial("faces", "standard", 3)
    assert Trial.read(str(trial)) == trial
    for _ in range(2):
        do(trial, few, 0.002, [COARSE])
        lines = (few / str(trial) / "metrics.jsonl").read_text().splitlines()
        assert len(lines) == 1
    assert set(scores(few / str(trial))) == {"coarse"}
    text = result(few, 0.002)
    assert "| set | family | seed | width | weights | steps | CPU ms a step | KID, coarse |" in text
    assert "| faces | standard" in text
    assert "0.002 CPU minutes each on one thread" in text
    assert text.count("**") == 2  # the best of one


def test_coarse_features_tell_blur_and_noise() -> None:
    """The negative control: real digits are nearer to other real digits than to blurred or noisy ones."""
    digits = Images(path="digits", size=16, holdout=0.0).stored()
    real, others = digits[::2], digits[1::2]
    blurred = torch.nn.functional.avg_pool2d(others.float(), 3, 1, 1).byte()
    noise = torch.randint(-60, 61, others.shape, generator=torch.Generator().manual_seed(0))
    noisy = (others.int() + noise).clamp(0, 255).byte()
    features = Coarse()

    def distance(images: torch.Tensor) -> float:
        return kernel_distance(features(real).features, features(images).features, size=400, subsets=10).value

    assert 5 * abs(distance(others)) < min(distance(blurred), distance(noisy))


def test_every_set_has_a_maker() -> None:
    assert tuple(SETS) == ("faces", "sprites", "photos")
