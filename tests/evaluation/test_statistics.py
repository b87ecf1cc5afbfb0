"""Precomputed statistics of real features: other programs' and agon's own, for the Fréchet distance alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agon.cli import main
from agon.data import Images
from agon.errors import DataError, SettingError
from agon.evaluation import ExtractorSpec, evaluate_samples, statistics_of
from agon.metrics import frechet_distance, frechet_distance_to_moments, is_statistics, read_statistics
from agon.metrics.extractors import Pixels
from agon.samples.reading import real_samples

PIXELS = ExtractorSpec("pixels")
N = 300


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two files of digits of two different halves."""
    images = real_samples(Images(path="digits"), 2 * N).permute(0, 2, 3, 1).numpy()
    folder = tmp_path_factory.mktemp("digits")
    for name, part in (("real", images[:N]), ("fake", images[N:])):
        np.save(folder / f"{name}.npy", part)
    return folder / "real.npy", folder / "fake.npy"


def features(path: Path) -> torch.Tensor:
    return Pixels()(torch.from_numpy(np.load(path)).permute(0, 3, 1, 2)).features


def test_the_distance_to_statistics_is_the_distance_to_the_samples(digits: tuple[Path, Path], tmp_path: Path) -> None:
    real, fake = digits
    stats = tmp_path / "stats.npz"
    statistics_of(real, stats, extractor=PIXELS)
    measured = evaluate_samples(fake, reference=read_statistics(stats), extractor=PIXELS, show=False)
    (score,) = measured["fid"].scores
    whole = frechet_distance(features(real), features(fake))
    assert score.value == pytest.approx(whole.value, rel=1e-9)
    assert score.error is not None
    assert whole.error is not None
    assert 0 < score.error < whole.error, "the real samples' part is not in it"
    assert (score.name, score.n, score.n_real) == ("pixels-frechet-distance", N, N)
    assert score.protocol.endswith("statistics of stats.npz; raw pixels")
    assert str(score.passport["features"]).endswith(f"against {read_statistics(stats).hash}")


def test_a_file_of_another_program_gives_the_same_value(digits: tuple[Path, Path], tmp_path: Path) -> None:
    """mu and sigma of np.mean and np.cov, as pytorch-fid and clean-fid write them."""
    real, fake = digits
    theirs = features(real).double().numpy()
    np.savez(tmp_path / "theirs.npz", mu=theirs.mean(0), sigma=np.cov(theirs, rowvar=False))
    reference = read_statistics(tmp_path / "theirs.npz")
    assert (reference.n, reference.extractor, reference.kind) == (None, None, None)
    (score,) = evaluate_samples(fake, reference=reference, extractor=PIXELS, show=False)["fid"].scores
    assert score.value == pytest.approx(frechet_distance(features(real), features(fake)).value, rel=1e-6)
    assert "the file does not name" in score.protocol


def test_the_command_writes_and_reads_them(
    digits: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real, fake = map(str, digits)
    stats = str(tmp_path / "stats.npz")
    assert main(["evaluate", "--samples", real, "--extractor", "pixels", "--statistics", stats]) == 0
    assert main(["evaluate", "--samples", fake, "--data", stats]) == 0, "the extractor is the file's"
    assert capsys.readouterr().out.startswith("pixels-frechet-distance ")
    assert main(["evaluate", "--samples", fake, "--data", stats, "--metrics", "fid,kid"]) == 2
    assert "--metrics kid: expected real samples, got their statistics" in capsys.readouterr().err
    assert main(["evaluate", "--samples", fake, "--data", stats, "--extractor", "random"]) == 2
    assert "use --extractor pixels" in capsys.readouterr().err
    assert main(["evaluate", "runs/none", "--statistics", stats]) == 2


def test_what_is_no_statistics_is_refused(tmp_path: Path, digits: tuple[Path, Path]) -> None:
    path = tmp_path / "stats.npz"
    np.savez(path, mu=np.zeros(3), sigma=np.eye(4))
    assert is_statistics(path)
    with pytest.raises(DataError, match=r"mu of d numbers and sigma of d x d, got the shapes \(3,\) and \(4, 4\)"):
        read_statistics(path)
    np.savez(path, images=np.zeros((3, 8, 8), np.uint8))
    assert not is_statistics(path)
    with pytest.raises(DataError, match="expected the arrays mu and sigma, got images"):
        read_statistics(path)
    np.savez(path, mu=np.zeros(3), sigma=np.array([[None]], object))
    with pytest.raises(DataError):
        read_statistics(path)
    path.write_bytes(path.read_bytes()[:-40])
    assert not is_statistics(path)
    np.savez(path, mu=np.zeros(3), sigma=np.eye(3))
    with pytest.raises(DataError, match="expected statistics of 64 features by raw pixels, got 3"):
        evaluate_samples(digits[1], reference=read_statistics(path), extractor=PIXELS, show=False)
    with pytest.raises(SettingError, match="allow fid alone"):
        evaluate_samples(digits[1], metrics=["prdc"], reference=read_statistics(path), show=False)


def test_moments_and_samples_agree_in_closed_form() -> None:
    """N(2, 4) against 3, 5, 7, which have mean 5 and variance 4."""
    fake = torch.tensor([[3.0], [5.0], [7.0]])
    assert frechet_distance_to_moments(torch.tensor([2.0]), torch.tensor([[4.0]]), fake).value == pytest.approx(9.0)
    with pytest.raises(DataError, match="expected symmetric"):
        frechet_distance_to_moments(torch.zeros(2), torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.randn(9, 2))
