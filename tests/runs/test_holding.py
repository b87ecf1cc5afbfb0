"""Locks of directories, also on a file system that has none."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agon.errors import RunError
from agon.runs.directory import Directory
from agon.runs.holding import HeldError, holding, lock_of
from agon.runs.run import Run

NO_LOCKS = """
import errno, fcntl, os, signal, sys
from pathlib import Path

def flock(descriptor, operation):
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

fcntl.flock = flock
from agon.runs.run import Run
with Run(Path(sys.argv[1])).locked():
    print("held", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without flock, as some network file systems are."""

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", flock)


def test_one_process_holds_a_directory(tmp_path: Path) -> None:
    files = Directory(tmp_path)
    held, refused = holding(lock_of(files, "lock"), "it is"), pytest.raises(HeldError, match=r"process; wait for it$")
    with held, refused:
        holding(lock_of(files, "lock"), "it is").__enter__()
    with holding(lock_of(files, "lock"), "it is"):
        pass


@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("without_locks")
def test_one_process_holds_a_directory_where_the_file_system_has_no_locks(tmp_path: Path) -> None:
    with Run(tmp_path).locked(), pytest.raises(RunError, match=f"or remove {tmp_path}/run.lock if it was killed on"):
        Run(tmp_path).locked().__enter__()
    with Run(tmp_path).locked():
        pass


@pytest.mark.usefixtures("without_locks")
def test_what_a_killed_process_left_holds_nothing_on_its_own_machine(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", NO_LOCKS, str(tmp_path)], capture_output=True, text=True)
    assert killed.stdout == "held\n"
    assert (tmp_path / "run.lock").stat().st_size > 0
    with Run(tmp_path).locked():
        pass
