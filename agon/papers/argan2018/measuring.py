"""Scores of runs: by CIFAR-10's own classifier, by pixels on the other sets, and on all by a second judge."""

from collections.abc import Mapping

from agon.data import Source
from agon.evaluation import ExtractorSpec, evaluate
from agon.experiment import Experiment
from agon.papers.argan2018.models import CIFAR10, STL10
from agon.papers.classified import CLASSIFIER, classifier_score
from agon.papers.item import Rows, Scores
from agon.papers.second_judge import second_scores, unseen_scores
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.reading import real_samples

PIXELS = ExtractorSpec("pixels")
CLASSIFIED = {"smoke": 200, "quick": 5_000, "paper": 50_000}  # samples that the classifier scores
COMPARED = {"smoke": 60, "quick": 2_000, "paper": 10_000}  # samples whose pixels are compared with real ones


def table_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row of test images for each set, and one for each run.

    First all runs are measured by classifier or pixels, then all by the second judge: each keeps the features of the
    latest real images.
    """
    sources = {title: source for title in (CIFAR10, STL10) if (source := _source(runs, title)) is not None}
    real = {f"{title}: real data": _unseen(title, source, scale) for title, source in sources.items()}
    first = {label: (_classified if label.startswith(CIFAR10) else _pixels)(run, scale) for label, run in runs.items()}
    return {**real, **{label: [*first[label], *second_scores(run, scale)] for label, run in runs.items()}}


def by_classes(run: Run, scale: Scale) -> Scores:
    """The classifier's score and its Fréchet distance, and the second judge's scores."""
    return [*_classified(run, scale), *second_scores(run, scale)]


def by_pixels(run: Run, scale: Scale) -> Scores:
    """How samples cover real images, how their distances differ from the data's; and the second judge's scores."""
    return [*_pixels(run, scale), *second_scores(run, scale)]


def _source(runs: Mapping[str, Run], title: str) -> Source | None:
    """The data of the runs of a set; None if there are none."""
    run = next((run for label, run in runs.items() if label.startswith(title)), None)
    return None if run is None else Experiment.from_json(run.experiment).data


def _unseen(title: str, source: Source, scale: Scale) -> Scores:
    """The judges' scores of test images, which no model has seen."""
    if title != CIFAR10:
        return unseen_scores(source, scale)
    by_classifier = classifier_score(real_samples(source, CLASSIFIED[scale], split="test"), source)
    return [*by_classifier, *unseen_scores(source, scale)]


def _classified(run: Run, scale: Scale) -> Scores:
    return evaluate(run, metrics=["is", "fid"], n=CLASSIFIED[scale], extractor=CLASSIFIER)


def _pixels(run: Run, scale: Scale) -> Scores:
    scores = evaluate(run, metrics=["prdc", "pairwise"], n=COMPARED[scale], extractor=PIXELS)
    return [score for score in scores if score.name in ("pixels-coverage", "pairwise")]
