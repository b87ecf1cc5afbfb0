"""A run, or a cache, that may only be read: said in a sentence, and written where the user says."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from agon.cli import main
from agon.runs import read
from tests.runs.conftest import Maker
from tests.runs.test_links import tree


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch, copied: Maker) -> Path:
    """A run on a disk that is mounted so: the superuser may write whatever its permissions are."""
    run, really = copied("run"), os.open

    def refuse(path: Any, flags: int, *more: Any, **named: Any) -> int:
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and os.fspath(path).startswith(str(run)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return really(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    return run


def test_report_says_so_and_writes_elsewhere(
    read_only: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(read_only)]) == 2
    assert "report.html cannot be written (Read-only file system)" in (told := capsys.readouterr().err)
    assert "--out FILE" in told
    assert main(["report", str(read_only), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").stat().st_size > 1_000


def test_evaluate_says_so_and_writes_elsewhere(
    read_only: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(read_only)
    asked = ["evaluate", str(read_only), "--n", "20", "--seed", "5"]
    assert main(asked) == 2
    assert "(Read-only file system)" in (told := capsys.readouterr().err)
    assert "agon evaluate write where --out says" in told
    assert main([*asked, "--out", str(tmp_path / "scores")]) == 0
    first = capsys.readouterr().out
    assert "modes" in first
    assert len(read(tmp_path / "scores" / "metrics.jsonl")) == len(first.splitlines())
    assert main([*asked, "--out", str(tmp_path / "scores")]) == 0  # recorded there, and found again
    assert capsys.readouterr().out == first
    assert len(read(tmp_path / "scores" / "metrics.jsonl")) == len(first.splitlines())
    assert tree(read_only) == before


def test_a_folder_of_scores_is_for_one_run_and_is_none(copied: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    run, other = str(copied("run")), str(copied("other"))
    assert main(["evaluate", run, "--n", "20", "--out", other]) == 2
    assert "expected a folder for scores alone, got the run" in capsys.readouterr().err
    assert main(["evaluate", run, other, "--n", "20", "--out", "elsewhere"]) == 2
    assert "--out: expected one run" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_names_its_variable(
    images: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGON_CACHE", "/proc/agon")
    assert main(["evaluate", str(images), "--metrics", "classifier", "--n", "20"]) == 2
    assert "set AGON_CACHE to a folder that can be written" in capsys.readouterr().err
