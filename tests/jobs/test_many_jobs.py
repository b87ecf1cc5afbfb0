"""The benchmark of many short jobs, small: every job is done once, and the driver's memory is read on the way."""

import re

import pytest

from benchmarks.jobs import CountingProgress, many, measured
from tests.training.programs import ROOT


def test_memory_is_read_after_a_tenth_a_half_and_all() -> None:
    with CountingProgress(dict.fromkeys(map(str, range(50)), 1)) as progress:
        for name in range(50):
            progress.done(str(name))
    assert list(progress.memory) == [5, 25, 50]
    assert all(memory > 1 for memory in progress.memory.values())


def test_twenty_jobs_through_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    head, row = many(20, 0.05, ["processes"])
    assert head.startswith("20 jobs of 0.05 s, 2 at a time")
    assert re.fullmatch(r"\| processes \| [\d.]+ \| [\d.]+ \| 2: [\d.]+, 10: [\d.]+, 20: [\d.]+ \| [+-][\d.]+ \|", row)


@pytest.mark.evidence
@pytest.mark.parametrize("on", ["processes", "ray"])
def test_the_memory_of_the_driver_does_not_grow_with_the_jobs(on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand short jobs: between the hundredth and the last the driver gains less than 10 KiB a job."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    memory = measured(on, 1_000, 0.05).memory
    assert memory[1_000] - memory[100] < 9.0
