"""Scores by what is known of the data: their classes, or their modes and density."""

from collections.abc import Mapping

from torch import Tensor

from agon import metrics
from agon.classifiers import class_counts, classifier_of
from agon.data.points import Mixture, Toy
from agon.errors import DataError
from agon.evaluation.evidence import EvaluationContext, Measurement
from agon.evaluation.extractors import provenance
from agon.games import Adversarial
from agon.metrics import Coverage, Score
from agon.metrics.extractors import extract
from agon.objectives import Minimax, NonSaturating
from agon.runs import Run, point_snapshots

PLANE = 2  # coordinates up to which a density is integrated over
CRITIC = 4_000  # samples of each kind that the critic is asked about, at most


def classes(evidence: EvaluationContext) -> Measurement:
    """Which classes are made, in which shares, and how sure the data's own classifier is of them."""
    classifier = classifier_of(evidence.data)
    probabilities = extract(classifier, evidence.fake).probabilities
    assert probabilities is not None  # a classifier knows classes
    scores = [
        *metrics.class_coverage(probabilities, evidence.data.classes, classifier.name),
        metrics.class_divergence(probabilities, class_counts(evidence.data), classifier.name),
    ]
    return Measurement([score.stamped(extractor=provenance(classifier)) for score in scores])


def modes(evidence: EvaluationContext) -> Measurement:
    """Modes found, good samples, shares, the distance to the true density, and of the critic to the optimal one.

    Raises:
        DataError: the data are no known distribution.
    """
    source = evidence.data
    if not isinstance(source, Toy):
        raise DataError(
            "--metrics modes: expected a known distribution of points (gaussian, ring, grid, swiss-roll), got "
            f"{type(source).__name__.lower()}; for classes of images use --metrics classifier"
        )
    scores = list(metrics.mode_coverage(evidence.fake, source.modes, source.std)) if isinstance(source, Mixture) else []
    if source.shape[0] <= PLANE and source.log_density(evidence.real[:2]) is not None:
        box = metrics.support(evidence.real)
        scores.append(metrics.jensen_shannon(evidence.fake, source.log_density, box))
        scores += _optimality(evidence, source)
    if not scores:
        raise DataError("--metrics modes: expected data with modes or a density, got neither; use --metrics pairwise")
    return Measurement(scores)


def over_time(run: Run, source: Mixture) -> Mapping[int, Coverage]:
    """Step -> `mode_coverage` of the points that the run kept at it, of the same latents each time.

    Raises:
        RunError: the run kept none, or a file of them cannot be read.
    """
    snapshots = point_snapshots(run).items()
    return {step: metrics.mode_coverage(points, source.modes, source.std) for step, points in snapshots}


def _optimality(evidence: EvaluationContext, source: Toy) -> list[Score]:
    """Of critics whose logit is the log-odds that a sample is real."""
    game = evidence.painter.game if evidence.painter else None
    if not isinstance(game, Adversarial) or not isinstance(game.objective, Minimax | NonSaturating):
        return []
    weight = next(game.parameters())

    def logits(points: Tensor) -> Tensor:
        return game.realness(points.to(weight)).cpu()

    try:
        return [metrics.critic_gap(logits, source.log_density, evidence.real[:CRITIC], evidence.fake[:CRITIC])]
    except DataError:  # too few to tell a density from, or one place only, which has none
        return []
