"""A run directory from elsewhere cannot make a command read or write anything outside it."""

import os
import shutil
from pathlib import Path

import pytest

from agon.cli import main
from tests.runs.conftest import STEPS, Maker

FILES = (
    "experiment.json",
    "arithmetic.json",
    "log.jsonl",
    "metrics.jsonl",
    "run.lock",
    "report.html",
    "samples/real.npy",
    "samples/00000004.npy",
    "checkpoints/00000004/state.json",
    "checkpoints/00000004/tensors.safetensors",
    "metrics/neighbours-00000004-0badcafe.png",
)
FOLDERS = ("samples", "checkpoints", "checkpoints/00000004", "tensorboard", "metrics")
COMMANDS = {
    "resume": ["resume", "RUN", "--steps", str(STEPS + 2)],
    "evaluate": ["evaluate", "RUN", "--n", "20", "--seed", "5"],
    "sample": ["sample", "RUN", "--n", "4", "--out", "OUT.npz"],
    "battle": ["battle", "RUN", "OTHER", "--n", "20", "--seed", "5"],
    "report": ["report", "RUN"],
}


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder: the content of a file, None for a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def linked(run: Path, name: str, outside: Path) -> None:
    """Move a part of the run outside, and leave a link in its place."""
    outside.mkdir()
    place = run / name
    if not place.exists():
        place.write_bytes(b"")
    shutil.move(place, outside / "theirs")
    place.symlink_to(outside / "theirs")


def called(command: str, run: Path, other: Path, out: Path) -> int:
    names = {"RUN": str(run), "OTHER": str(other), "OUT.npz": f"{out}.npz"}
    return main([names.get(word, word) for word in COMMANDS[command]])


@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_nothing_is_reached_through_a_link(
    name: str, copied: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, other, outside = copied("run"), copied("other"), tmp_path / "outside"
    linked(run, name, outside)
    before = tree(outside)
    told = ""
    for command in COMMANDS:
        status = called(command, run, other, tmp_path / "out")
        said = capsys.readouterr().err
        told += said
        assert status in (0, 2), said
        assert (status == 0) == ("agon: " not in said.replace("agon: no report: ", ""))
        assert tree(outside) == before, command
        (tmp_path / "out.npz").unlink(missing_ok=True)
    assert (run / name).is_symlink() or name.startswith(("samples/0", "checkpoints/0"))
    assert f"{name} is a symbolic link" in told


@pytest.mark.parametrize("name", ["experiment.json", "log.jsonl", "metrics.jsonl"])
def test_a_dangling_link_makes_no_file(name: str, copied: Maker, tmp_path: Path) -> None:
    run, other = copied("run"), copied("other")
    (run / name).unlink()
    (run / name).symlink_to(tmp_path / "made")
    for command in COMMANDS:
        assert called(command, run, other, tmp_path / "out") in (0, 2)
        assert not (tmp_path / "made").exists()


def test_a_run_may_itself_be_reached_by_a_link(copied: Maker, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(copied("run"))
    for command in COMMANDS:
        assert called(command, tmp_path / "link", copied(f"other-{command}"), tmp_path / "out") == 0


def test_a_shell_file_is_not_appended_to(copied: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an append through a link once allowed: text of the giver's choosing in a user's file."""
    run, startup = copied("run"), tmp_path / ".bashrc"
    startup.write_text("# mine\n")
    (run / "metrics.jsonl").unlink()
    (run / "metrics.jsonl").symlink_to(startup)
    assert main(["evaluate", str(run), "--n", "20"]) == 2
    assert "metrics.jsonl is a symbolic link" in capsys.readouterr().err
    assert startup.read_text() == "# mine\n"


def test_hidden_names_that_are_links_are_not_written_through(copied: Maker, tmp_path: Path) -> None:
    """The temporary names of this very process, planted."""
    run, mine = copied("run"), tmp_path / "mine"
    mine.write_text("mine")
    for name in ("samples/real.npy", "samples/00000006.npy", "experiment.json", "arithmetic.json", "report.html"):
        folder, _, file = name.rpartition("/")
        (run / folder / f".{file}.{os.getpid()}").symlink_to(mine)
    (run / "checkpoints" / f".writing-00000006-{os.getpid()}").symlink_to(tmp_path)
    assert main(["resume", str(run), "--steps", str(STEPS + 2)]) == 0
    assert mine.read_text() == "mine"
    assert not list(run.rglob(".*"))
    assert tmp_path.exists()


@pytest.mark.parametrize("name", ["samples", "checkpoints", "run.lock", "arithmetic.json"])
def test_a_new_run_is_not_begun_in_what_leads_elsewhere(name: str, tmp_path: Path) -> None:
    """An empty-looking directory from elsewhere, of which one part is a link."""
    (tmp_path / "run").mkdir()
    (tmp_path / "outside").mkdir()
    target = tmp_path / "outside" / ("" if "." not in name else "file")
    if "." in name:
        target.write_text("mine")
    (tmp_path / "run" / name).symlink_to(target)
    before = tree(tmp_path / "outside")
    assert main(["train", "first/ring", "--out", str(tmp_path / "run"), "--scale", "smoke", "--steps", "2"]) == 2
    assert tree(tmp_path / "outside") == before


def test_seeds_that_are_links_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "first/ring", "--scale", "smoke", "--steps", "2", "--strategy", "processes"]
    assert main([*arguments, "--seeds", "2", "--out", str(tmp_path / "all")]) == 0
    shutil.move(tmp_path / "all" / "seed-1", tmp_path / "outside")
    (tmp_path / "all" / "seed-1").symlink_to(tmp_path / "outside")
    before = tree(tmp_path / "outside")
    capsys.readouterr()
    assert main(["resume", str(tmp_path / "all"), "--steps", "4"]) == 2
    assert "seed-1 is a symbolic link" in capsys.readouterr().err
    assert tree(tmp_path / "outside") == before


def test_the_file_of_replicates_may_be_no_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "replicates.json").symlink_to("/dev/zero")
    assert main(["resume", str(tmp_path / "all")]) == 2
    assert "replicates.json is a symbolic link" in capsys.readouterr().err
