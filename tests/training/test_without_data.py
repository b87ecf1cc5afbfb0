"""What needs no data works without: sampling, loading, interpolating; and all of it by one set of weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import agon
from agon.cli import main
from agon.errors import DataError
from agon.evaluation import evaluate
from agon.runs import Run
from agon.samples.making import interpolate, load, sample
from tests.training.programs import small

ONE_THREAD = agon.Compute(threads=1, device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty images of two classes."""
    random = np.random.default_rng(0)
    for i in range(30):
        place = tmp_path / "data" / "ab"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8)).save(place / f"{i}.png")
    return tmp_path / "data"


@pytest.fixture
def run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trained on them by a path that is relative to where it was begun."""
    monkeypatch.chdir(tmp_path)
    where = ["--data", "data", "--out", tmp_path / "run", "--steps", 4, "--threads", 1, "--set", "batch=8"]
    assert main(["train", "first/digits", "--scale", "smoke", *map(str, where)]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "run"


def commands(run: Path, to: Path, name: str) -> dict[str, list[str]]:
    return {
        "grid": ["sample", str(run), "--n", "4", "--out", str(to / f"{name}.png")],
        "paths": ["sample", str(run), "--n", "2", "--interpolate", "3", "--out", str(to / f"{name}-paths.png")],
        "array": ["sample", str(run), "--n", "4", "--out", str(to / f"{name}.npz")],
        "report": ["report", str(run), "--out", str(to / f"{name}.html")],
    }


@pytest.mark.parametrize("change", ["gone", "one more", "one less"])
def test_what_needs_no_data_works_without(
    change: str, run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sample(load(Run.open(run)), 8)
    walk = interpolate(load(Run.open(run)), 2, 3)
    if change == "gone":
        folder.rename(tmp_path / "moved")
    elif change == "one more":
        Image.new("L", (8, 8)).save(folder / "a" / "more.png")
    else:
        (folder / "a" / "0.png").unlink()
    assert torch.equal(sample(load(Run.open(run)), 8), before)
    assert torch.equal(interpolate(load(Run.open(run)), 2, 3), walk)
    for name, words in commands(run, tmp_path, change.replace(" ", "-")).items():
        assert main(words) == 0, name
    samples = tmp_path / "samples"
    assert main(["sample", str(run), "--n", "20", "--out", str(samples)]) == 0
    battle = ["battle", str(run), "--against", str(samples), "--n", "20"]
    assert main([*battle, "--statistics", "running"]) == 0
    assert main(battle) == 2  # statistics are re-estimated on real samples
    capsys.readouterr()
    assert main(["resume", str(run), "--steps", "6"]) == 2
    told = capsys.readouterr().err
    assert len(told.strip().splitlines()) == 1
    assert ("there is no such path" in told) if change == "gone" else ("the data are not those" in told)


def test_what_needs_the_data_refuses_others(run: Path, folder: Path) -> None:
    evaluate(Run.open(run), metrics=["pairwise"], n=20)
    (folder / "a" / "0.png").unlink()
    with pytest.raises(DataError, match="the data are not those that the run was begun with"):
        evaluate(Run.open(run), metrics=["pairwise"], n=16)


def weights_of(run: Path, which: str) -> torch.Tensor:
    training = load(Run.open(run), weights=which)  # type: ignore[arg-type]
    return torch.cat([p.detach().flatten() for p in training.game.generator.parameters()])  # type: ignore[union-attr]


def test_a_loaded_run_has_one_set_of_weights(tmp_path: Path) -> None:
    """The averaged ones by default: what the module makes is what `sample` makes; the live ones when asked for."""
    agon.train(small(20, averaging=agon.Averaging(decay=0.999)), tmp_path / "run", compute=ONE_THREAD, show=False)
    checkpoint = Run.open(tmp_path / "run").last_good()[0]
    assert checkpoint is not None
    average, live = weights_of(tmp_path / "run", "average"), weights_of(tmp_path / "run", "live")
    assert not torch.equal(average, live)
    for which, own in (("average", average), ("live", live)):
        training = load(Run.open(tmp_path / "run"), weights=which)  # type: ignore[arg-type]
        prefix = "average/generator." if which == "average" else "game/generator."
        names = [n for n, _ in training.game.generator.named_parameters()]  # type: ignore[union-attr]
        assert torch.equal(own, torch.cat([checkpoint.tensors[prefix + n].flatten() for n in names]))
        latents = training.fixed_latents(4)
        training.game.eval()
        with torch.no_grad():
            torch.testing.assert_close(training.game.generate(latents), training.samples(latents), rtol=0, atol=0)


def test_the_command_line_asks_for_either(tmp_path: Path) -> None:
    agon.train(small(20), tmp_path / "run", compute=ONE_THREAD, show=False)
    made = {}
    for which in ("average", "live"):
        out = tmp_path / f"{which}.npz"
        assert main(["sample", str(tmp_path / "run"), "--n", "4", "--weights", which, "--out", str(out)]) == 0
        made[which] = np.load(out)["samples"]
    assert main(["sample", str(tmp_path / "run"), "--n", "4", "--out", str(tmp_path / "default.npz")]) == 0
    assert np.array_equal(np.load(tmp_path / "default.npz")["samples"], made["average"])
    assert not np.array_equal(made["average"], made["live"])
