"""What cannot be trained is refused in a sentence, before anything is begun."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agon.cli import main
from agon.errors import SettingError
from agon.recipes import RECIPES
from agon.training import Compute, train

TINY = ("--scale", "smoke", "--steps", "1", "--threads", "1", "--device", "cpu")
PROGRAM = """
from agon.recipes import RECIPES
from agon.errors import SettingError
from agon.training import Compute, train
recipe = RECIPES["first/ring"]
try:
    train(recipe.experiment(recipe.data("smoke"), "smoke"), "run", compute=Compute(device="cpu", devices=2))
except SettingError as error:
    print(error)
"""


@pytest.mark.parametrize("recipe", ["im2016/mnist-gran3", "im2016/cifar10-gran5-tied", "first/digits"])
def test_one_sample_has_no_statistics(recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["train", recipe, *TINY, "--set", "batch=1", "--out", str(tmp_path / "run")])
    told = capsys.readouterr().err
    assert status in (0, 2), told
    if status:
        assert "use --set batch=2" in told
        assert not (tmp_path / "run").exists()


def test_one_sample_is_enough_where_nothing_is_normalised(tmp_path: Path) -> None:
    assert main(["train", "first/ring", *TINY, "--set", "batch=1", "--out", str(tmp_path / "run")]) == 0


def test_asking_for_one_sample_leaves_a_training_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RECIPES["first/ring"]
    experiment = replace(recipe.experiment(recipe.data("smoke"), "smoke"), batch=1, steps=2)
    how = {"compute": Compute(device="cpu", threads=1), "show": False}
    asked = train(experiment, tmp_path / "asked", **how).last_good()[0]
    monkeypatch.setattr("agon.training.training.refuse_alone", lambda *_, **__: None)
    plain = train(experiment, tmp_path / "plain", **how).last_good()[0]
    assert all((asked.tensors[name] == plain.tensors[name]).all() for name in plain.tensors)


@pytest.mark.parametrize("how", [["-c", PROGRAM], ["-"], ["-i"]], ids=["-c", "stdin", "interactive"])
def test_several_processes_need_a_script(how: list[str], tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, *how],
        input=None if "-c" in how else PROGRAM + "\n",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert "expected a script, which each of 2 processes runs" in told.stdout, told.stderr
    assert not (tmp_path / "run").exists()


def test_a_notebook_cannot_start_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.__IPYTHON__", True, raising=False)
    recipe = RECIPES["first/ring"]
    experiment = recipe.experiment(recipe.data("smoke"), "smoke")
    with pytest.raises(SettingError, match="a notebook"):
        train(experiment, tmp_path / "run", compute=Compute(device="cpu", devices=2))


@pytest.mark.parametrize(
    "setting",
    [
        "batch=10000000000",
        "grid=10000000000",
        "game.generator.widths=[1000000000]",
        "game.critic.widths=[9999999,9999999]",
    ],
)
def test_what_does_not_fit_into_the_memory_is_not_allocated(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "first/ring", *TINY, "--set", setting, "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert "memory" in told or "expected at most" in told
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", ["rmsprop", '["rmsprop"]', '[["rmsprop"]]', "adam", "3", '{"generator": 1}'])
@pytest.mark.parametrize("path", ["dynamics.turns.order", "dynamics.turns.order.0", "dynamics.looks_ahead.generator"])
def test_turns_are_of_players(path: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "metz2017/ring-k10", *TINY, f"--set={path}={value}", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", ["x", "", "0", "-1", "1.5", "9" * 5_000])
@pytest.mark.parametrize("name", ["WORLD_SIZE", "LOCAL_WORLD_SIZE"])
def test_an_environment_that_counts_no_processes(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["train", "first/ring", *TINY, "--out", str(tmp_path / "run")]) == 2
    assert f"{name}: expected a number of processes" in capsys.readouterr().err


@pytest.mark.parametrize("setting", ["latent.std=1{}", "optimisers.lr=1{}", "optimisers.betas=[0, 1{}]", "seed=1{}"])
@pytest.mark.parametrize("zeros", [20, 400])
def test_whole_numbers_have_64_bits(
    setting: str, zeros: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "first/ring", *TINY, f"--set={setting.format('0' * zeros)}", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "expected whole numbers of 64 bits" in capsys.readouterr().err
