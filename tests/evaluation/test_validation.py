"""Scores against validation images, by which a sweep chooses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agon import Run, train
from agon.data import Images
from agon.evaluation import ExtractorSpec, evaluate
from agon.metrics import kernel_distance
from agon.recipes import find
from agon.runs import read
from agon.samples import load, sample
from agon.samples.reading import as_compared, real_samples
from agon.sweeps import Scoring

pytestmark = pytest.mark.usefixtures("one_core")
PIXELS = ExtractorSpec("pixels")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Three steps on four fifths of the digits' training images."""
    experiment = replace(find("first/digits").experiment(Images(path="digits", validation=0.2), "smoke"), steps=3)
    return train(experiment, tmp_path / "run", show=False)


def test_samples_are_compared_with_validation_images(run: Run) -> None:
    """By hand; there are 323 of them; each score is on record beside the other, and is found again."""
    scores = {of: evaluate(run, metrics=["kid"], n=400, extractor=PIXELS, validation=of) for of in (False, True)}
    assert [scores[of][0].n_real for of in (False, True)] == [400, 323]
    training = load(run)
    source = training.experiment.data
    fake = as_compared(sample(training, 400), source)
    for of, split in ((False, "train"), (True, "validation")):
        real, made = (x.flatten(1).float() / 255 for x in (real_samples(source, 400, split=split), fake))
        by_hand = kernel_distance(real, made, size=len(real))
        assert scores[of][0].value == pytest.approx(by_hand.value, rel=1e-4)
    assert scores[True][0].value != pytest.approx(scores[False][0].value, rel=1e-4)
    lines = read(run.metrics)
    assert [line.get("split") for line in lines] == [None, "validation"]
    for of in (False, True):
        assert evaluate(run, metrics=["kid"], n=400, extractor=PIXELS, validation=of) == scores[of]
    assert read(run.metrics) == lines


def test_a_sweep_chooses_by_them_where_there_are_any(run: Run, trained: Callable[[int], Run]) -> None:
    """And by training images where there are none."""
    scoring = Scoring("kid", 350, "pixels")
    for each, split, n_real in ((run, "validation", 323), (trained(1), None, 350)):
        scoring.measure(each.path)
        (record,) = [line for line in read(each.metrics) if line["metric"] == "kid" and line["asked"] == 350]
        assert (record.get("split"), record["n_real"]) == (split, n_real)
        assert [score.value for score in scoring.recorded(each)] == [record["value"]]
