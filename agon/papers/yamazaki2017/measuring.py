"""Scores of runs: points over a training, losses, the classifier's score, and distances to training images."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jaxtyping import Float, UInt8
from torch import Tensor

from agon.data import Source
from agon.data.points import Mixture
from agon.errors import RunError, command
from agon.evaluation import evaluate
from agon.evaluation.evidence import ALL
from agon.experiment import Experiment
from agon.figures.spacing import spread
from agon.metrics import Score, mode_coverage
from agon.metrics.clouds import early_distance, movements, nearest_distances
from agon.metrics.courses import distance_course, loss_course, score_course
from agon.metrics.neighbours import nearest_pixels
from agon.papers.classified import CLASSIFIER, classifier_score
from agon.papers.item import Rows, Scores
from agon.papers.second_judge import (
    DISTANCE,
    is_photographs,
    second_scores,
    snapshot_distances,
    unseen_scores,
)
from agon.papers.yamazaki2017.models import BEST, REAL_ROWS, TEST_ROWS
from agon.recipes.scales import Scale
from agon.recipes.yamazaki2017 import images, points
from agon.runs import Run, point_snapshots, read
from agon.samples.making import load, sample
from agon.samples.reading import as_compared, real_samples
from agon.training.randomness import derived

ITERATIONS = (100, 1_000, 2_000, 3_000, 4_000, 6_000, 8_000, 10_000, 15_000, 20_000)  # section 5.1's
QUARTER = 4  # the first quarter of a training
SAMPLES: Mapping[Scale, int] = {"smoke": 50, "quick": 10_000, "paper": 50_000}  # of a trained model
COMPARED: Mapping[Scale, int] = {"smoke": 20, "quick": 500, "paper": 1_000}  # samples whose nearest images are sought
SCORE = "classifier-score"
LOGGED = "loss/generator", "loss/critic", "logit/fake"  # the log's columns behind the scores of a loss's course


def shown_steps(steps: Sequence[int]) -> list[int]:
    """The paper's iterations if the run kept all of them, else as many steps of its own."""
    return list(ITERATIONS) if set(ITERATIONS) <= set(steps) else spread(steps, len(ITERATIONS))


def training_points(run: Run) -> Float[Tensor, "n 2"]:
    """All points of the finite set that the run was trained on."""
    experiment = Experiment.from_json(run.experiment)
    return real_samples(experiment.data, points.POINTS, seed=derived(experiment.seed, "data"))


def point_scores(run: Run, scale: Scale) -> Scores:
    """Distances of the last points, and those of the training's first quarter, to the data; and how points moved."""
    clouds, real = list(point_snapshots(run).values()), training_points(run)
    early = clouds[1 : max(2, len(clouds) // QUARTER)] or clouds  # a run at step 0 has kept one
    return [*_near(run, clouds[-1], real), early_distance(early, real), *movements(clouds)]


def points_over_time(run: Run) -> Mapping[int, Scores]:
    """Step -> distances, and modes if the data have any, at the steps that the picture shows."""
    clouds, real = point_snapshots(run), training_points(run)
    return {step: _near(run, clouds[step], real) for step in shown_steps(list(clouds))}


def _near(run: Run, fake: Float[Tensor, "n 2"], real: Float[Tensor, "m 2"]) -> Scores:
    """The distances to and from the data, and the modes of a mixture."""
    distances, source = nearest_distances(fake, real), Experiment.from_json(run.experiment).data
    if not isinstance(source, Mixture):
        return distances
    coverage = mode_coverage(fake, source.modes, source.std)
    return [*distances, coverage.modes, coverage.quality]


def loss_scores(run: Run, scale: Scale) -> Scores:
    """How far apart the losses are, how much the generator's varies, and how often the critic is sure.

    Raises:
        RunError: the run's log is empty.
    """
    records = read(run.log)
    if not records:
        raise RunError(f"{run.log} has no record; {command('resume', run.path)} goes on with the training")
    generator, critic, fake = ([record[key] for record in records] for key in LOGGED)
    return loss_course(generator, critic, fake)


def final_scores(run: Run, scale: Scale) -> Scores:
    """The classifier's score of a trained model's samples, and of photographs the second judge's."""
    by_classifier = evaluate(run, metrics=["is"], n=SAMPLES[scale], extractor=CLASSIFIER)
    return [*by_classifier, *_second(run, scale)]


def kind_scores(run: Run, scale: Scale) -> Scores:
    """How sure the classifier is, and how evenly samples spread over the classes; the second judge's of photographs."""
    by_classifier = evaluate(run, metrics=["is", "classifier"], n=SAMPLES[scale], extractor=CLASSIFIER)
    return [*by_classifier, *_second(run, scale)]


def _second(run: Run, scale: Scale) -> Scores:
    """The second judge's scores of photographs; none of digits."""
    return second_scores(run, scale) if is_photographs(_source(run)) else []


def _source(run: Run) -> Source:
    """The set that a run was trained on."""
    return Experiment.from_json(run.experiment).data


@cache
def real_scores(source: Source, n: int) -> Scores:
    """The score of n training images, which a perfect generator would have."""
    return classifier_score(real_samples(source, n), source)


def table_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each model, then for the training images of each set, and by the second judge for test images."""
    rows = {label: final_scores(run, scale) for label, run in runs.items()}
    for name, (label, _) in REAL_ROWS.items():
        trained = first_trained(runs, name)
        if trained is None:
            continue
        source = _source(trained)
        rows[label] = real_scores(source, SAMPLES[scale])
        if is_photographs(source):
            rows[TEST_ROWS[name]] = unseen_scores(source, scale)
    return rows


def first_trained(runs: Mapping[str, Run], name: str) -> Run | None:
    """A run of any model of a set of images; None if there is none."""
    labels = (label for normalise in (True, False) for label in images.models(name, normalise))
    return next((runs[label] for label in labels if label in runs), None)


def course_scores(run: Run, scale: Scale) -> Scores:
    """How the score, and the second judge's distance of photographs, develops: its end, its best, its oscillation."""
    by_classifier = score_course(list(watched_scores(run, scale).values()), SCORE, images.EVALUATIONS[scale].n)
    return [*by_classifier, *_course_of_distances(run, scale)]


def _course_of_distances(run: Run, scale: Scale) -> Scores:
    """How the second judge's distance of the images that the run kept develops; nothing of digits."""
    experiment = Experiment.from_json(run.experiment)
    if not is_photographs(experiment.data):
        return []
    return distance_course(list(snapshot_distances(run, scale).values()), DISTANCE, experiment.grid)


def watched_scores(run: Run, scale: Scale) -> dict[int, float]:
    """Step -> the score of samples of fixed latents, recorded during the training.

    Raises:
        RunError: the run recorded no such score.
    """
    n = images.EVALUATIONS[scale].n
    if not (scores := recorded_scores(run, n)):
        raise RunError(
            f"{run.metrics} has no {SCORE} of {n} samples from the time of the training; "
            "agon reproduce takes them while it trains"
        )
    return scores


def recorded_scores(run: Run, n: int) -> dict[int, float]:
    """Step -> the recorded score of n samples, sorted by step."""
    records: list[dict[str, Any]] = [
        record for record in read(run.metrics) if record.get("name") == SCORE and record.get("asked") == n
    ]
    return {record["step"]: record["value"] for record in sorted(records, key=lambda record: record["step"])}


def neighbour_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """The samples' distance to the training set, and that of test images, which no model can have copied."""
    rows: dict[str, Scores] = {}
    for best in BEST:
        source, samples = source_and_samples(runs[best.label], COMPARED[scale])
        rows[best.label] = [nearest_score(samples, source)]
        held_out = real_samples(source, COMPARED[scale], split="test")
        rows[TEST_ROWS[best.name]] = [nearest_score(held_out, source)]
    return rows


def nearest_score(images: UInt8[Tensor, "n c h w"], source: Source) -> Score:
    """The mean distance of images to the nearest training image."""
    return nearest_pixels(images, real_samples(source, ALL))


def source_and_samples(run: Run, n: int) -> tuple[Source, UInt8[Tensor, "n c h w"]]:
    """The set that a run was trained on, and n samples as bytes."""
    source = Experiment.from_json(run.experiment).data
    return source, as_compared(sample(load(run), n).cpu(), source)
