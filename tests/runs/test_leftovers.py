"""What a killed process had under way is gone once the next one has the lock."""

import shutil
from pathlib import Path

import pytest

from agon.classifiers import cache
from agon.cli import main
from agon.data import Images
from tests.runs.conftest import STEPS, Maker

LEFT = (
    "samples/.real.png.3847",
    "samples/.00000004.npy.1",
    "metrics/.neighbours-00000004-0badcafe.png.3847",
    ".experiment.json.3847",
    ".arithmetic.json.3847",
    ".replicates.json.3847",
    "checkpoints/.writing-00000006-3847/state.json",
)
COMMANDS = {
    "resume": ["resume", "RUN", "--steps", str(STEPS + 1)],
    "finished": ["resume", "RUN"],
    "evaluate": ["evaluate", "RUN", "--n", "20", "--seed", "9"],
    "battle": ["battle", "RUN", "RUN", "--n", "20", "--seed", "9"],
}


def leave(folder: Path) -> None:
    for name in LEFT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"half")


@pytest.mark.parametrize("command", COMMANDS)
def test_whoever_writes_a_run_clears_it_first(command: str, copied: Maker) -> None:
    run = copied("run")
    leave(run)
    assert main([str(run) if word == "RUN" else word for word in COMMANDS[command]]) == 0
    assert [p.name for p in run.rglob("*") if p.name.startswith(".")] == []


def test_a_run_killed_before_it_was_described_is_begun_again(tmp_path: Path) -> None:
    leave(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "metrics")
    assert main(["train", "first/ring", "--out", str(tmp_path / "run"), "--scale", "smoke", "--steps", "2"]) == 0
    assert [p.name for p in (tmp_path / "run").rglob("*") if p.name.startswith(".")] == []


def test_a_folder_of_replicates_is_cleared(tmp_path: Path) -> None:
    arguments = ["train", "first/ring", "--scale", "smoke", "--steps", "2", "--seeds", "2", "--strategy", "batched"]
    assert main([*arguments, "--out", str(tmp_path / "all")]) == 0
    for folder in (tmp_path / "all", tmp_path / "all" / "seed-0"):
        leave(folder)
    assert main(["resume", str(tmp_path / "all"), "--steps", "3"]) == 0
    left = [p for p in (tmp_path / "all").rglob("*") if p.name.startswith(".")]
    assert [p for p in left if p.parent.name in ("all", "seed-0", "samples", "checkpoints")] == left == []


def test_a_classifiers_scratch_run_is_cleared(tmp_path: Path) -> None:
    """That of a process which was killed while it trained the same one."""
    source = Images(path="digits")
    cache.classifier_of(source, steps=2, folder=tmp_path, show=False)
    (place,) = (p for p in (tmp_path / cache.FOLDER).iterdir() if p.is_dir())
    (place / "00000002" / "state.json").write_text("damaged")
    left = place.with_name(f".{place.name}-abc") / "run"
    left.mkdir(parents=True)
    cache.classifier_of(source, steps=2, folder=tmp_path, show=False)
    assert [p.name for p in (tmp_path / cache.FOLDER).iterdir() if p.name.startswith(".")] == []
