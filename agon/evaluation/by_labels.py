"""Metrics that use what is known of the data: their classes, or their modes and density."""

from collections.abc import Mapping

from torch import Tensor

from agon import metrics
from agon.classifiers import class_counts
from agon.data.points import Mixture, Toy
from agon.errors import DataError
from agon.evaluation.evidence import EvaluationContext, Measurement
from agon.evaluation.extractors import provenance
from agon.evaluation.requirements import known_distribution
from agon.games import Adversarial
from agon.metrics import Coverage, Score
from agon.objectives import Minimax, NonSaturating
from agon.runs import Run, point_snapshots

PLANE = 2  # coordinates up to which a density is integrated over
CRITIC = 4_000  # largest number of real and of generated samples that the critic judges


def classes(context: EvaluationContext) -> Measurement:
    """Measure which classes are generated, in which shares, and how sure the data set's classifier is."""
    classifier = context.classifier
    probabilities = context.extracted(classifier).probabilities
    assert probabilities is not None  # a classifier knows classes
    scores = [
        *metrics.class_coverage(probabilities, context.data.classes, classifier.name),
        metrics.class_divergence(probabilities, class_counts(context.data), classifier.name),
    ]
    return Measurement([score.stamped(extractor=provenance(classifier)) for score in scores])


def requested(context: EvaluationContext) -> Measurement:
    """Measure which share of samples the data set's classifier takes for the class that was asked for."""
    labels = context.requested
    classifier = context.classifier
    probabilities = context.extracted(classifier).probabilities
    assert probabilities is not None  # a classifier knows classes
    score = metrics.class_accuracy(probabilities, labels, context.data.classes, classifier.name)
    return Measurement([score.stamped(extractor=provenance(classifier))])


def modes(context: EvaluationContext) -> Measurement:
    """Measure covered modes, sample quality, mode shares, and distances to the true density and the optimal critic.

    Raises:
        DataError: the data are not a known distribution.
    """
    source = known_distribution(context)
    scores = list(metrics.mode_coverage(context.fake, source.modes, source.std)) if isinstance(source, Mixture) else []
    if source.shape[0] <= PLANE and source.log_density(context.real[:2]) is not None:
        box = metrics.support(context.real)
        scores.append(metrics.jensen_shannon(context.fake, source.log_density, box))
        scores += _optimality(context, source)
    if not scores:
        raise DataError("--metrics modes: expected data with modes or a density, got neither; use --metrics pairwise")
    return Measurement(scores)


def over_time(run: Run, source: Mixture) -> Mapping[int, Coverage]:
    """Return step -> `mode_coverage` of the points that the run kept at that step, always from the same latents.

    Raises:
        RunError: the run kept no points, or a file of them cannot be read.
    """
    snapshots = point_snapshots(run).items()
    return {step: metrics.mode_coverage(points, source.modes, source.std) for step, points in snapshots}


def _optimality(context: EvaluationContext, source: Toy) -> list[Score]:
    """Compare the critic with the optimal one, if its logit is the log-odds that a sample is real."""
    game = context.painter.game if context.painter else None
    if (
        not isinstance(game, Adversarial)
        or not isinstance(game.objective, Minimax | NonSaturating)
        or game.judged_classes
    ):
        return []
    weight = next(game.parameters())

    def logits(points: Tensor) -> Tensor:
        return game.realness(points.to(weight)).cpu()

    try:
        return [metrics.critic_gap(logits, source.log_density, context.real[:CRITIC], context.fake[:CRITIC])]
    except DataError:  # too few samples for a density, or all in one place
        return []
