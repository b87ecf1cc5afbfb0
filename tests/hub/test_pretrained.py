"""The runs that agon brings: they work at once, without a network, and are small."""

from pathlib import Path

import pytest
import torch

import agon
from agon.cli import main
from agon.runs.named import BUNDLED

NAMES = ("digits", "ring")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_they_are_small_and_all_there() -> None:
    files = [file for file in BUNDLED.rglob("*") if file.is_file()]
    assert {place.name for place in BUNDLED.iterdir()} == {*NAMES}
    assert sum(file.stat().st_size for file in files) < 2_000_000
    assert {file.suffix for file in files} <= {".json", ".jsonl", ".safetensors", ".png", ".npy"}


def test_they_work_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At the command line, by name; the package is not written to."""
    before = {file: file.stat().st_mtime_ns for file in BUNDLED.rglob("*")}
    for name in NAMES:
        assert main(["sample", f"pretrained:{name}", "--n", "4", "--out", str(tmp_path / f"{name}.npz")]) == 0
        assert main(["report", f"pretrained:{name}", "--out", str(tmp_path / f"{name}.html")]) == 0
    assert main(["battle", "pretrained:digits", "pretrained:digits", "--n", "100"]) == 0
    assert main(["evaluate", "pretrained:ring", "--metrics", "modes", "--n", "1000"]) == 0
    assert "modes 8" in capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in BUNDLED.rglob("*")} == before


def test_the_digits_resemble_digits() -> None:
    """Nearer to real digits than noise of the same grey values is: the mean distance to the nearest real one."""
    from agon.samples import real_samples

    training = agon.load("pretrained:digits")
    real = real_samples(training.experiment.data, 1_000).flatten(1).double()
    fake = agon.samples.as_compared(agon.sample(training, 100), training.experiment.data).flatten(1).double()
    order = torch.randperm(fake.numel(), generator=torch.Generator().manual_seed(0))
    noise = fake.flatten()[order].reshape(fake.shape)
    near = [float((a[:, None] - real[None]).norm(dim=2).min(1).values.mean()) for a in (fake, noise)]
    assert near[0] < near[1] / 2


def test_a_name_that_is_none_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "pretrained:digit", "--out", "x.png"]) == 2
    assert "there is no pretrained run 'digit'; did you mean 'digits'?" in capsys.readouterr().err
