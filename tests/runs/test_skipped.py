"""A damaged checkpoint is named by whoever uses the one before it, and not by `agon resume` alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agon.cli import main
from agon.runs import Run


def truncated(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [truncated, flipped])
@pytest.mark.parametrize("command", ["sample", "export", "evaluate", "diagnose", "battle"])
def test_the_checkpoint_that_is_skipped_is_named(
    command: str, damage: Callable[[Path], None], whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / f"{command}-run", tmp_path / "out"
    shutil.copytree(whole, run)
    steps = [checkpoint.step for checkpoint in Run.of(run).good([])]
    damage(run / "checkpoints" / f"{steps[0]:08d}" / "tensors.safetensors")
    options = {
        "sample": ["--n", "4", "--out", f"{out}.npz"],
        "export": ["--out", f"{out}.safetensors"],
        "evaluate": ["--n", "20"],
        "diagnose": [],
        "battle": [str(whole), "--n", "20"],
    }[command]
    main([command, str(run), *options])
    told = capsys.readouterr().err
    assert f"checkpoint {run / 'checkpoints' / f'{steps[0]:08d}'}" in told
    assert f"step {steps[1]} is used" in told


def test_an_intact_run_is_used_without_a_word(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(whole), "--n", "4", "--out", str(tmp_path / "out.npz")]) == 0
    assert "is used" not in capsys.readouterr().err
