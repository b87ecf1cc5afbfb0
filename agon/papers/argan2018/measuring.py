"""Scores of runs: by CIFAR-10's own classifier, by pixels on the other sets."""

from collections.abc import Mapping

from agon.data import Source
from agon.evaluation import ExtractorSpec, evaluate
from agon.experiment import Experiment
from agon.papers.argan2018.models import CIFAR10
from agon.papers.classified import CLASSIFIER, classifier_score
from agon.papers.item import Rows, Scores
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.reading import real_samples

PIXELS = ExtractorSpec("pixels")
CLASSIFIED = {"smoke": 200, "quick": 5_000, "paper": 50_000}  # samples that the classifier scores
COMPARED = {"smoke": 60, "quick": 2_000, "paper": 10_000}  # samples whose pixels are compared with real ones


def table_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """CIFAR-10's rows by its classifier, starting with test images; STL-10's rows by pixels."""
    classified = [run for label, run in runs.items() if label.startswith(CIFAR10)]
    rows: dict[str, Scores] = {}
    if classified:
        rows[f"{CIFAR10}: real data"] = _held_out(Experiment.from_json(classified[0].experiment).data, scale)
    for label, run in runs.items():
        rows[label] = (by_classes if label.startswith(CIFAR10) else by_pixels)(run, scale)
    return rows


def _held_out(source: Source, scale: Scale) -> Scores:
    """The classifier's score of test images."""
    return classifier_score(real_samples(source, CLASSIFIED[scale], split="test"), source)


def by_classes(run: Run, scale: Scale) -> Scores:
    """The classifier's score and its Fréchet distance."""
    return evaluate(run, metrics=["is", "fid"], n=CLASSIFIED[scale], extractor=CLASSIFIER)


def by_pixels(run: Run, scale: Scale) -> Scores:
    """The coverage of real images by samples, and how distances between samples differ from the data's."""
    scores = evaluate(run, metrics=["prdc", "pairwise"], n=COMPARED[scale], extractor=PIXELS)
    return [score for score in scores if score.name in ("pixels-coverage", "pairwise")]
