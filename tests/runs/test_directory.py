"""The one way to the files of a run: what it opens, what it refuses, what it clears."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agon.errors import RunError
from agon.runs import Directory
from agon.runs import directory as module
from agon.untrusted import NotRegularError


@pytest.fixture
def files(tmp_path: Path) -> Directory:
    (tmp_path / "run" / "in").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(b"mine")
    (tmp_path / "run" / "in" / "file").write_bytes(b"content")
    (tmp_path / "run" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "outside" / "file")
    return Directory(tmp_path / "run")


@pytest.mark.parametrize("name", ["link", "out/file", "out", "in", "in/../link", "../outside/file", "/etc/passwd"])
def test_what_is_refused_is_refused_by_all(files: Directory, name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"not a regular file|not a folder|not inside"):
        files.read(name)
    for write in (
        lambda: files.append(name, b"theirs"),
        lambda: files.write(name, b"theirs"),
        lambda: files.cut(name, 1),
        lambda: files.size(name),
    ):
        with pytest.raises(RunError, match="cannot be written"):
            write()
    assert (tmp_path / "outside" / "file").read_bytes() == b"mine"
    assert (files.root / "in" / "file").read_bytes() == b"content"


def test_a_regular_file_is_read_and_written(files: Directory) -> None:
    files.write("in/file", b"content\n")
    files.append("in/file", b"and more\n")
    assert (files.read("in/file"), files.size("in/file")) == (b"content\nand more\n", 17)
    files.cut("in/file", 7)
    assert files.read("in/file", most=7) == b"content"
    files.write("in/file", b"new")
    assert files.read("in/file") == b"new"
    with pytest.raises(OSError, match="3 bytes, more than the 2"):
        files.read("in/file", most=2)
    assert sorted(files.names("in")) == ["file"]
    assert files.names("nowhere") == []


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """A disk on which no file can have more bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_is_appended_whole_or_not_at_all(files: Directory) -> None:
    before, line = b"1\n", b"22222\n"
    for size in range(len(before), len(before + line) + 1):
        files.write("lines", before)
        with full_after(size), suppress(RunError):
            files.append("lines", line)
        assert files.read("lines") == (before + line if size == len(before + line) else before)


@pytest.mark.parametrize("left", [b"", b"1", b"1" * 10_000])
@pytest.mark.parametrize("before", [b"", b"1\n2\n"])
def test_what_a_killed_process_left_of_a_line_does_not_spoil_the_next(
    files: Directory, before: bytes, left: bytes
) -> None:
    files.write("lines", before + left)
    files.append("lines", b"3\n")
    assert files.read("lines") == before + b"3\n"


def test_a_whole_line_that_an_editor_left_without_its_end_is_kept(files: Directory) -> None:
    files.write("lines", b'{"a": 1}\n{"b": 2}')
    with full_after(20), suppress(RunError):
        files.append("lines", b'{"c": 3}\n')
    assert files.read("lines") == b'{"a": 1}\n{"b": 2}'
    files.append("lines", b'{"c": 3}\n')
    assert files.read("lines") == b'{"a": 1}\n{"b": 2}\n{"c": 3}\n'


def test_removing_a_link_leaves_what_it_leads_to(files: Directory, tmp_path: Path) -> None:
    for name in ("link", "out", "in"):
        files.remove(name)
        assert not files.holds(name)
    assert (tmp_path / "outside" / "file").read_bytes() == b"mine"


def test_folders_that_are_links_are_not_made_or_listed(files: Directory) -> None:
    for name in ("out", "out/new"):
        with pytest.raises(RunError, match="symbolic link, not a folder"):
            files.make(name)
    with pytest.raises(NotRegularError, match="symbolic link, not a folder"):
        files.names("out")
    assert files.make("in/new").is_dir()


def test_no_more_names_are_read_than_the_limit(files: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES", 3)
    for number in range(3):
        (files.root / "in" / str(number)).touch()
    with pytest.raises(OSError, match="more than 3 files"):
        files.names("in")


def test_what_killed_processes_left_is_cleared(files: Directory, tmp_path: Path) -> None:
    """Whatever number it has, since a lock says that nobody writes; a report's is its own while it runs."""
    gone = ["in/.real.png.3847", f"in/.real.npy.{os.getpid()}", ".experiment.json.999999999", ".report.html.999999999"]
    kept = [f".report.html.{os.getpid()}", ".notes", ".notes.3", "in/.mine.txt.12"]
    for name in (*gone, *kept):
        (files.root / name).write_bytes(b"")
    (files.root / ".arithmetic.json.7").symlink_to(tmp_path / "outside")
    files.clear(alone=True)
    for folder in ("in", "out", "nowhere"):
        files.clear(folder, alone=True)
    assert [name for name in gone if files.holds(name)] == []
    assert [name for name in kept if not files.holds(name)] == []
    assert not files.holds(".arithmetic.json.7")
    assert (tmp_path / "outside" / "file").exists()


def test_without_a_lock_those_of_running_processes_stay(files: Directory) -> None:
    for number in (os.getpid(), 999_999_999):
        (files.root / "in" / f".real.png.{number}").touch()
    files.clear("in")
    assert sorted(files.names("in")) == [f".real.png.{os.getpid()}", "file"]
