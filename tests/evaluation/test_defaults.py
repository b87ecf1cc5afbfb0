"""What an evaluation does unasked: fast features for images without labels, offline, with their name in the score."""

from pathlib import Path

import numpy as np
import pytest

from agon.data import Images
from agon.evaluation import ExtractorSpec, evaluate_samples, extractors
from agon.evaluation.table import default_metrics


def scenes(path: Path, n: int, seed: int) -> Path:
    np.save(path, np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3), np.uint8))
    return path


def test_images_without_labels_are_compared_by_efficientnet(tmp_path: Path) -> None:
    data = Images(path=str(scenes(tmp_path / "data.npy", 40, 0)))
    samples = scenes(tmp_path / "samples.npy", 20, 1)
    measured = evaluate_samples(samples, data, show=False)
    assert list(measured) == ["kid", "pairwise", "neighbours"]
    (score,) = measured["kid"].scores
    assert score.name == "efficientnet-kernel-distance"
    assert score.protocol.endswith("EfficientNet-Lite0 (ImageNet)")
    extractor = score.passport["extractor"]
    assert extractor["name"] == "EfficientNet-Lite0 (ImageNet)"
    assert extractor["resizer"] == "torch bicubic to 96x96, antialiased"
    assert len(extractor["hash"]) == 64


def test_without_the_package_the_features_are_random_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ExtractorSpec().resolved().name == "efficientnet"
    monkeypatch.setattr(extractors, "installed", lambda _: False)
    extractors._warn_of_fallback.cache_clear()
    assert [ExtractorSpec().resolved().name for _ in range(2)] == ["random", "random"]
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install '.[metrics]'" in line
    assert ExtractorSpec("inception").resolved().name == "inception", "what is asked for is what is used"


@pytest.mark.parametrize(("n", "neighbours"), [(40, True), (400_000, False)])
def test_neighbours_are_searched_unasked_only_where_it_takes_seconds(
    n: int, neighbours: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Images(path=str(scenes(tmp_path / "data.npy", 40, 0)))
    monkeypatch.setattr(Images, "count", lambda *_: n)
    assert ("neighbours" in default_metrics(data)) is neighbours
