"""What a metric cannot measure is refused before a sample is generated, and so before a sweep trains anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from agon.data import Images
from agon.errors import AgonError, DataError, SettingError
from agon.evaluation import METRICS, ExtractorSpec, evidence_of, refuse_inapplicable
from agon.evaluation.requirements import REQUIREMENTS
from agon.experiment import Experiment
from agon.recipes import find
from agon.runs import Run
from agon.sweeps import sweep
from agon.training import Compute, Training
from tests.evaluation.counting import Counting
from tests.training.programs import points
from tests.training.test_replicates import ONE_THREAD

SEARCHES = ("reconstruction", "paths")  # minutes
KINDS: dict[str, Callable[[], Experiment]] = {
    "points": points,
    "digits": lambda: find("first/digits").experiment(Images(), "smoke"),
    "digits without classes": lambda: find("first/digits").experiment(Images(path="digits", labelled=False), "smoke"),
    "nothing held out": lambda: find("first/digits").experiment(Images(path="digits", holdout=0.0), "smoke"),
    "conditional": lambda: find("miyato2018b/projection").experiment(Images(), "smoke"),
}


def made(kind: str) -> Training:
    return Training(KINDS[kind](), Compute(threads=1).resolved(), torch.device("cpu"))


def told(act: Callable[..., object], *arguments: object) -> str:
    """The error of an act; "" if it succeeds."""
    try:
        act(*arguments)
    except AgonError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("extractor", ["pixels", "classifier"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_before_is_what_fails_afterwards(kind: str, extractor: str) -> None:
    """The same sentence, for every metric; and what is not refused is measured."""
    with evidence_of(made(kind), 300, 0, ExtractorSpec(extractor), validation=True) as context:
        for name, metric in METRICS.items():
            before = told(refuse_inapplicable, name, context)
            if not (name in SEARCHES and not before):
                assert before == told(metric, context), name


def test_nothing_is_generated() -> None:
    def draw() -> NoReturn:
        raise AssertionError

    for kind in KINDS:
        with evidence_of(made(kind), 300, 0, ExtractorSpec("pixels")) as context:
            context.draw = draw
            for name in METRICS:
                told(refuse_inapplicable, name, context)


def test_every_metric_that_needs_anything_says_so() -> None:
    assert set(METRICS) - set(REQUIREMENTS) == {"pairwise"}


@pytest.mark.parametrize(
    ("metric", "n", "extractor", "error"),
    [
        ("neighbours", 100, "auto", DataError),
        ("is", 100, "auto", SettingError),
        ("kid", 3, "auto", DataError),
        ("class-accuracy", 100, "auto", SettingError),
    ],
)
def test_a_sweep_begins_nothing(metric: str, n: int, extractor: str, error: type[AgonError], tmp_path: Path) -> None:
    options: dict[str, Any] = {"metric": metric, "n": n, "extractor": extractor, "compute": ONE_THREAD, "show": False}
    with pytest.raises(error):
        sweep(points(), tmp_path / "sweep", over={"optimisers.lr": [1e-3, 1e-2]}, **options)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.usefixtures("one_core")
def test_a_sweep_with_an_extractor_of_ones_own(tmp_path: Path) -> None:
    """With trust, of which the scores tell; without it, nothing is begun."""
    experiment, mine = KINDS["digits"](), f"{Counting.__module__}:Counting"
    options: dict[str, Any] = {"metric": "kid", "extractor": mine, "seeds": 1, "n": 50, "every": 10, "show": False}
    over = {"optimisers.lr": [1e-3, 1e-2]}
    with pytest.raises(SettingError, match="add --trust"):
        sweep(experiment, tmp_path / "sweep", over=over, compute=ONE_THREAD, **options)
    assert not (tmp_path / "sweep").exists()
    result = sweep(experiment, tmp_path / "sweep", over=over, compute=ONE_THREAD, trust=True, **options)
    assert [len(trial.values) for trial in result.trials] == [1, 1]
    text = Run(tmp_path / "sweep" / "lr=0.001" / "seed-0").metrics.read_text()
    assert text.count('"name": "eight moments"') == text.count("\n") > 1
