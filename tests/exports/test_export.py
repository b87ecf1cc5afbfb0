"""agon export as users call it: on runs, at the command line, and its files where agon cannot be imported."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import agon
from agon.cli import main
from agon.exports.exporting import write
from agon.exports.formats import format_of
from agon.exports.network import network_of
from agon.runs import Run
from agon.samples import load
from agon.training import Compute, Training

PAGE = Path(__file__).parents[2] / "docs" / "export.md"
TINY = ["--threads", "1", "--device", "cpu", "--scale", "smoke", "--steps", "4"]
BLOCKS = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
ALONE = (
    "import sys\nsys.modules['agon'] = None\nsys.path.insert(0, '.')\n{block}\nassert samples.shape == (16, 1, 8, 8)"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert main(["train", "first/digits", *TINY, "--out", str(folder)]) == 0
    return folder


def test_the_page_s_programs_run_without_agon(run: Path, tmp_path: Path) -> None:
    """In a process in which agon cannot be imported, in ten lines or fewer each."""
    for name in ("safetensors", "pt", "onnx", "pt2"):
        agon.export(run, tmp_path / f"generator.{name}")
    assert len(BLOCKS) == 4
    assert all(len([line for line in block.splitlines() if line]) <= 10 for block in BLOCKS)
    command = [sys.executable, "-c", "\n".join(ALONE.format(block=block) for block in BLOCKS)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("weights", ["average", "live"])
def test_the_file_makes_what_agon_sample_makes(run: Path, weights: str, tmp_path: Path) -> None:
    """The averaged weights, or the last ones, which are others."""
    import onnxruntime

    file = agon.export(run, tmp_path / "x.onnx", weights=weights)  # type: ignore[arg-type]
    training = agon.load(run, **({"weights": "live"} if weights == "live" else {}))  # type: ignore[arg-type]
    latents = agon.samples.making.latents(training, 7, 3)
    (samples,) = onnxruntime.InferenceSession(file.path).run(None, {"latents": latents.numpy()})
    wanted = agon.sample(training, 7, 3).numpy()
    assert np.abs(samples - wanted).max() < 1e-4
    other = agon.load(run, **({} if weights == "live" else {"weights": "live"}))  # type: ignore[arg-type]
    assert np.abs(samples - agon.sample(other, 7, 3).numpy()).max() > 1e-3


def test_the_command(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "critic.file"
    assert main(["export", str(run), "--to", "torchscript", "--player", "critic", "--out", str(out)]) == 0
    assert re.match(
        rf"{out}: samples \(n, 1, 8, 8\) -> logits \(n\); differs from the run by ", capsys.readouterr().out
    )


@pytest.mark.parametrize("words", [["export", "--out", "/proc/agon.pt"], ["sample", "--n", "4", "--out", "/proc/agon"]])
def test_advice_speaks_of_no_training(run: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """/proc refuses everybody; what is made from a run is no part of it, and `agon resume` would not make it."""
    assert main([words[0], str(run), *words[1:]]) == 2
    told = capsys.readouterr().err
    assert f"{words[-1]} cannot be written" in told
    assert "agon resume" not in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "x.bin"], "expected a name that ends in one of .safetensors (safetensors), .pt"),
        (["--out", "x.pt", "--player", "critik"], "did you mean 'critic'"),
        (
            ["--out", "x.pt", "--player", "classifier"],
            "whose game has one that classifies, got Adversarial",
        ),
        (["--out", "mine.safetensors"], "mine.py, which goes with the weights, is a file that agon did not write"),
        (["--out", "folder.pt"], "is a folder; expected the name of a new file"),
    ],
)
def test_wrong_words(
    run: Path,
    arguments: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.pt").mkdir()
    Path("mine.py").write_text("my_own = True\n")
    assert main(["export", str(run), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert Path("mine.py").read_text() == "my_own = True\n"
    assert not Path("mine.safetensors").exists()


def test_an_export_can_be_made_again_and_its_module_imported(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "class.safetensors"
    for _ in range(2):
        agon.export(run, out)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["class.safetensors", "class_.py"]


@pytest.mark.parametrize(
    ("recipe", "player", "output"),
    [
        ("argan2018/cifar10-pargan", "critic", ["n"]),
        ("berthelot2017/began", "critic", ["n"]),
        ("im2016/mnist-vae", "autoencoder", ["n", 1, 8, 8]),
        ("yamazaki2017/mnist-classifier", "classifier", ["n", 10]),
        ("odena2017/acgan", "classifier", ["n", 10]),
    ],
)
def test_other_games(recipe: str, player: str, output: list[object], tmp_path: Path) -> None:
    """An ARGAN judges by two networks, a BEGAN by an autoencoder; a classifier has a logit for each class."""
    experiment = agon.recipe(recipe).experiment(agon.Images(path="digits", range=(0.0, 1.0)), "smoke")
    training = Training(experiment, Compute(threads=1, device="cpu").resolved(), torch.device("cpu"))
    network = network_of(training, player, 5)
    assert network.description["output"]["shape"] == output
    for name in ("x.onnx", "x.pt", "x.safetensors"):
        assert write(network, tmp_path / name, format_of(tmp_path / name)).difference < 1e-5


def test_samples_of_a_table_say_how_they_become_its_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `agon sample` writes is the file's output, scaled as the file's description says."""
    rows = np.random.default_rng(0).normal([1_000.0, -0.5], [50.0, 0.01], (400, 2))
    table = tmp_path / "heights.csv"
    table.write_text("mm,volt\n" + "".join(f"{a},{b}\n" for a, b in rows))
    out = tmp_path / "run"
    assert main(["train", "first/ring", "--scale", "smoke", "--data", str(table), "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["export", str(out), "--out", str(tmp_path / "x.safetensors")]) == 0
    assert "stored = samples * scale + offset" in capsys.readouterr().out
    training = load(Run(out))
    network = network_of(training, "generator", 5)
    described = network.description["output"]
    assert described["columns"] == ("mm", "volt")
    stored = network.outputs() * torch.tensor(described["scale"]) + torch.tensor(described["offset"])
    torch.testing.assert_close(stored, training.experiment.data.restored(network.outputs()).float())
    assert stored[:, 0].mean() > 500
