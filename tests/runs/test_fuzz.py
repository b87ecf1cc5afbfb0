"""A damaged run ends in success or in a sentence: never in an internal error, a hang, or a signal.

In a process of its own, since the tests' type checks would be met before agon's own.
"""

import signal
import time
from pathlib import Path

import pytest

from agon.runs import Run
from tests.runs import fuzzing
from tests.training.programs import finished, module


def check(*asked: tuple[Path, int, int]) -> None:
    """Cases of each run: the first, and how many."""
    words = [word for one in asked for word in one]
    status, out, err = finished(module("tests.runs.fuzzing", *words), seconds=1_800)
    assert (status, out) == (0, f"0 of {sum(count for _, _, count in asked)} end badly\n"), f"{out}{err}"


def test_damaged_runs(whole: Path, images: Path) -> None:
    check((whole, 0, 40), (images, 200, 15))


@pytest.mark.evidence
@pytest.mark.parametrize("first", range(10_000, 15_000, 500))
def test_five_thousand_damaged_runs(first: int, whole: Path, images: Path) -> None:
    check((images if first % 1_000 else whole, first, 500))


@pytest.mark.evidence
def test_two_hundred_more(whole: Path, images: Path) -> None:
    check((whole, 40, 160), (images, 215, 15))


def test_an_internal_error_would_be_noticed(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control, and those of a hang."""

    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Run, "described", property(fail))
    monkeypatch.setattr(fuzzing, "COMMANDS", {"resume": fuzzing.COMMANDS["resume"]})
    monkeypatch.setattr(fuzzing, "_damaged", lambda run, rng, way: "nothing")
    found = fuzzing.case(whole, 0)
    assert (found.status, found.fine) == (70, False)
    monkeypatch.setattr(fuzzing, "SECONDS", 1)
    monkeypatch.setattr(fuzzing, "main", lambda arguments: time.sleep(10))
    found = fuzzing.case(whole, 0)
    assert (found.status, found.fine) == ("Hung()", False)
    assert signal.alarm(0) == 0
