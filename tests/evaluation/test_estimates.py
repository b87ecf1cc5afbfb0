"""A long evaluation says beforehand how long it will take, and what makes it shorter; a short one says nothing."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
import torch

from agon import Run, load
from agon.evaluation.estimates import FEW, LEAST, Costs, announce, sentence
from agon.evaluation.evidence import EvaluationContext, evidence_of
from agon.evaluation.extractors import ExtractorSpec
from agon.terminal.waiting import waiting

pytestmark = pytest.mark.usefixtures("one_core")
N = 10_000
Trained = Callable[[int], Run]


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much whenever it is read."""
    times = count()
    return lambda: next(times) * seconds


@pytest.fixture
def context(trained: Trained) -> Iterator[EvaluationContext]:
    with evidence_of(load(trained(0)), N, 0, ExtractorSpec("pixels")) as context:
        yield context


def test_the_cost_is_that_of_all_samples_features_and_pairs() -> None:
    """Of 2,000 and 1,000 samples, all 3,000² pairs cost less than 100 subsets of three blocks of 1,000²."""
    assert Costs(1.0).seconds(2_000, 1_000) == 2_000
    assert Costs(0.0, 1.0).seconds(2_000, 1_000) == 3_000
    assert Costs(0.0, 0.0, 1.0).seconds(2_000, 1_000) == 3_000**2
    assert Costs(0.0, 0.0, 1.0).seconds(50_000, 50_000) == 300 * 1_000**2


def test_a_long_evaluation_is_announced(context: EvaluationContext, capsys: pytest.CaptureFixture[str]) -> None:
    """At 1.6 s for 16 samples, and as much for their features: 1,000 s for 10,000, and 1,162 s for all features."""
    with waiting():
        announce(context, ["fid"], ticking(0.1 * FEW))
    assert "10,000 samples and their features will take about 36:02 here; --n 2000 makes that about 9:22" in (
        capsys.readouterr().err
    )


def test_metrics_of_samples_alone_need_no_features(context: EvaluationContext) -> None:
    assert sentence(Costs(0.1), context).startswith("10,000 samples will take about 16:40 here")


@pytest.mark.parametrize(("seconds", "n", "names"), [(1e-4, N, ["fid"]), (9.0, LEAST - 1, ["fid"]), (9.0, N, [])])
def test_a_short_one_says_nothing(
    seconds: float, n: int, names: list[str], context: EvaluationContext, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fast, of few samples, or with all scores on record."""
    context.n = n
    with waiting():
        announce(context, names, ticking(seconds))
    assert capsys.readouterr().err == ""


def test_nothing_is_measured_where_nothing_is_shown(context: EvaluationContext) -> None:
    def clock() -> float:
        raise AssertionError("it was read")

    announce(context, ["kid"], clock)
    with waiting(show=False):
        announce(context, ["kid"], clock)


def test_an_estimate_changes_no_sample(context: EvaluationContext, trained: Trained) -> None:
    context.n = LEAST
    with waiting():
        before = torch.get_rng_state()
        announce(context, ["kid", "fid"], ticking(1e-4))
        assert torch.equal(torch.get_rng_state(), before)
    with evidence_of(load(trained(0)), N, 0, ExtractorSpec("pixels")) as fresh:
        assert torch.equal(context.fake, fresh.fake)
