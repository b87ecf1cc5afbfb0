"""Whatever is typed, the command line succeeds, or says one sentence and gives status 2 (3 where it diverged)."""

import subprocess
import sys

import pytest


def faults(first: int, last: int) -> str:
    """The cases that end in anything else, in a process without the type checks of these tests."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz", str(first), str(last)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def test_sixty_command_lines() -> None:
    assert not (found := faults(0, 60)), found


@pytest.mark.evidence
def test_five_thousand_command_lines() -> None:
    assert not (found := faults(60, 5_000)), found
