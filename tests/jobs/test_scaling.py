"""The tables on paper of docs/clusters.md: bounds that any order of jobs has, and the page's own lines."""

from fractions import Fraction

import pytest

from benchmarks.scaling import LINKS, enough, exchanged, makespan, messages, page
from tests.training.programs import ROOT

JOBS = [Fraction(length) for length in (8, 8, 5, 5, 2, 2, 1, 1)]


@pytest.mark.parametrize("workers", range(1, 12))
def test_the_time_of_all_jobs_is_between_its_bounds(workers: int) -> None:
    """Graham 1969: the longest first takes at most 4/3 - 1/(3m) of the least possible time, which two sums bound."""
    time = makespan(JOBS, workers)
    assert max(*JOBS, sum(JOBS) / workers) <= time <= sum(JOBS) / workers + max(JOBS)
    assert (time == max(JOBS)) == (workers >= enough(JOBS))
    assert makespan([Fraction(1)] * 10, workers) == -(-10 // workers)


def test_messages_grow_with_the_unrolling_and_one_gpu_sends_none() -> None:
    assert [len(messages(k, 100, 10)) for k in (0, 5)] == [2, 12]
    assert sum(messages(5, 100, 10)) == 4 * (100 + 11 * 10)
    for link in LINKS:
        assert exchanged(link, 1, messages(5, 100, 10)) == 0
        assert 0 < exchanged(link, 2, messages(0, 100, 10)) < exchanged(link, 2, messages(5, 100, 10))


def test_the_page_has_these_tables() -> None:
    text = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    assert [line for line in page() if line not in text] == []
