"""Jobs of any kind are done by worker processes: what they say, how far they are, and how each ends."""

import io
import os
import signal
import sys
from functools import partial
from multiprocessing.connection import Connection
from types import ModuleType
from typing import NoReturn

import pytest

from agon.errors import RunError, SettingError
from agon.jobs import Ended, Job, LocalProcesses, Outcome
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from tests.training.programs import ROOT


def count(steps: int, end: str, progress: ProgressFactory) -> None:
    """Count to a number, then end as is said."""
    with progress(steps, 0, True) as shown:
        for step in range(1, steps + 1):
            shown.update(step)
    if end == "refuse":
        raise RunError("there is no more paper")
    if end == "fault":
        raise ZeroDivisionError("a bug")
    if end == "die":
        os._exit(7)
    sys.stderr.write(f"counted to {steps}\n")


def test_each_job_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker does them all; where its process ends, another one goes on."""
    monkeypatch.syspath_prepend(str(ROOT))
    ends = ("refuse", "fault", "die", "well")
    jobs = [Job(end, partial(count, 3, end)) for end in ends]
    stream = io.StringIO()
    with MultiProgress(dict.fromkeys(ends, 3), stream=stream) as progress:
        outcome = LocalProcesses(jobs, workers=1).run(progress)
    assert outcome.signal == 0
    assert outcome.ended == {
        "refuse": Ended(2, "there is no more paper"),
        "fault": Ended(1, "ZeroDivisionError('a bug'); AGON_DEBUG=1 shows where it was raised"),
        "die": Ended(1, "its process ended with status 7"),
        "well": Ended(0, ""),
    }
    lines = stream.getvalue().splitlines()
    assert "well: counted to 3" in lines
    assert lines[-1] == "1 of 4 done  3 failed"


def test_what_no_other_process_can_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="cannot be handed to other processes"):
        LocalProcesses([Job("local", lambda progress: None)], workers=1)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # a session's has no file
    with pytest.raises(SettingError, match="Mine was defined in an interactive session"):
        LocalProcesses([Job("notebook", partial(count, 1, "well"), imports=("__main__:Mine",))], workers=1)


@pytest.mark.parametrize("number", [0, signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_workers_start_stops_and_is_no_fault(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """It also ends the process that workers are forked from; without a signal, that end is a fault."""

    def start(connection: Connection) -> NoReturn:
        if number:
            signal.raise_signal(number)
        raise EOFError("unexpected EOF")

    monkeypatch.setattr("agon.jobs.processes.start_worker", start)
    jobs = [Job(name, partial(count, 1, name)) for name in ("one", "two")]
    executor = LocalProcesses(jobs, workers=2)
    with MultiProgress({"one": 1, "two": 1}, stream=io.StringIO()) as progress:
        if not number:
            with pytest.raises(SettingError, match="no worker process could be started"):
                executor.run(progress)
            return
        assert executor.run(progress) == Outcome({}, number)
