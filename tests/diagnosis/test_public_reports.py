"""Symptoms that users of other libraries reported, in small: each is named, and told from its healthy twin.

| where | the symptom |
|---|---|
| NVlabs/stylegan3#140 | can a collapse be recognised "in code with a parameter", on a machine without a screen? |
| HyperGAN#177, samet-akcay/ganomaly#94 | the generator gives the same image again and again, with a loss of 0 |
| NVlabs/stylegan2-ada-pytorch#89 | resumed with a fresh optimiser, the FID goes from 50 to 90, and subsides slowly |
| junyanz/pytorch-CycleGAN-and-pix2pix#806 | was the best epoch found only by looking at the images? |
"""

import json
from pathlib import Path

import numpy as np
import pytest

import agon
from agon.cli import main
from agon.diagnosis import of_view
from agon.diagnosis.diagnosing import Diagnosis
from agon.runs import Run
from agon.runs.layout import real_snapshot
from tests.diagnosis.hospital import ONE_THREAD
from tests.diagnosis.test_forged import N, looks, normal, view
from tests.diagnosis.ward import diagnosed
from tests.training.programs import points


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose samples are replaced: all alike since step 200."""
    folder = tmp_path_factory.mktemp("reports") / "run"
    agon.train(points(400, sample_every=50), folder, compute=ONE_THREAD, show=False)
    real = real_snapshot(Run(folder).files)
    assert real is not None
    samples = np.load(real)
    for step, path in dict(Run(folder).snapshots()).items():
        cloud = np.resize(samples, np.load(path).shape).astype(np.float32)
        np.save(path, cloud if step < 200 else cloud[:1] + 0.01 * cloud)
    return folder


def test_a_collapse_is_recognised_in_code(unseen: Path) -> None:
    """Without a screen: a name, a step and numbers, while it trains or afterwards."""
    diagnosis = agon.diagnose(unseen)
    (finding,) = [finding for finding in diagnosis.findings if finding.sickness == "collapse"]
    assert finding.since_step == 200
    assert finding.evidence["ratio"] == pytest.approx(0.01, rel=0.1)


def test_and_by_a_shell(unseen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(unseen), "--json"]) == 3
    (told,) = json.loads(capsys.readouterr().out)
    assert "collapse" in [finding["sickness"] for finding in told["findings"]]


def test_the_same_image_again_and_again(tmp_path: Path) -> None:
    """A generator that has found what a critic takes for real: its loss is near 0, and the critic's stays near 1/2."""
    diagnosis = diagnosed("digits before a critic that hardly moves", 0, tmp_path)
    log = [json.loads(line) for line in next(tmp_path.glob("*/log.jsonl")).read_text().splitlines()]
    assert log[-1]["loss/generator"] < 0.01
    assert 0.3 < log[-1]["loss/critic"] < 1.2
    assert {"collapse", "undecided-critic"} <= set(diagnosis.names)


def far(distances: list[float]) -> dict[int, np.ndarray]:
    """Clouds that are shifted from the real ones by so much."""
    return looks(*(normal((distance, 0.0), n=N) for distance in distances))


def forged(tmp_path: Path, distances: list[float]) -> Diagnosis:
    """A run whose samples have these distances."""
    return of_view(view(tmp_path, far(distances)))


NEARING = [3.0, 2.0, 1.5, 1.0, 0.7, 0.5, 0.3, 0.2]


def test_worse_after_a_resumption(tmp_path: Path) -> None:
    """Down, up at once, and slowly down again; a run that was resumed as it was goes on falling."""
    resumed_fresh = forged(tmp_path, [*NEARING, 1.8, 1.7, 1.6, 1.5])
    assert resumed_fresh.names == ["setback"]
    (finding,) = resumed_fresh.findings
    assert finding.since_step == 900
    assert finding.evidence["at step"] in (700, 800)
    assert forged(tmp_path, [*NEARING, 0.2, 0.15, 0.15, 0.1]).healthy


def test_the_best_step_is_told(tmp_path: Path) -> None:
    """Not by looking at the images: worse and worse since step 800. One bad look is no setback."""
    overdone = forged(tmp_path, [*NEARING, 0.6, 1.0, 1.5, 1.9, 2.2, 2.5])
    assert overdone.names == ["setback"]
    assert overdone.findings[0].evidence["at step"] in (700, 800)
    assert "the samples were better at step" in overdone.findings[0].sentence
    assert forged(tmp_path, [*NEARING, 0.2, 0.2, 1.9, 0.2, 0.2]).healthy
    assert forged(tmp_path, [3.0] * 12).healthy, "it has not begun"
