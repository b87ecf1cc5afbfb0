"""What each metric requires of the data, the extractor and the generator; checked before anything is generated."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from agon.classifiers import SetClassifier, StackedClassifier
from agon.data.points import Toy
from agon.errors import Change, DataError, SettingError
from agon.evaluation.evidence import EvaluationContext, Painter
from agon.metrics.extractors import Extractor, Features, extract
from agon.metrics.kid import LEAST
from agon.metrics.moments import expect_comparable


def refuse_inapplicable(metric: str, context: EvaluationContext) -> None:
    """Raise the error that a metric would end with, without generating a sample.

    Loads the extractor, or trains the data's classifier, if the metric needs them.

    Raises:
        SettingError: the metric does not apply to the extractor, the generator, or samples alone.
        DataError: it does not apply to the data, or samples are too few.
        NotInstalledError: the extractor's package is not installed.
    """
    if metric in REQUIREMENTS:
        REQUIREMENTS[metric](context)


def comparable(context: EvaluationContext) -> Extractor:
    """Return the extractor of the features that are compared; raises as `ExtractorSpec.make` does."""
    return context.extractor


def frechet_comparable(context: EvaluationContext, covariance: str = "sample") -> Tensor:
    """Return the features of one real sample, where both sides have the samples for that many features."""
    feature = few_features(context, 1).features
    if context.reference is None:
        expect_comparable(feature.expand(len(context.real), -1), feature.expand(context.n, -1), covariance)
    return feature


def numerous(context: EvaluationContext) -> Extractor:
    """The same, where both sides have the samples for a kernel distance."""
    refuse_few(len(context.real), context.n)
    return comparable(context)


def refuse_few(real: int, fake: int) -> None:
    """Raise a DataError if either side has too few samples for a kernel distance."""
    if min(real, fake) < LEAST:
        raise DataError(
            f"--metrics kid: expected at least {LEAST} samples of both sides, got {fake} against {real}; give more"
        )


def knowing_classes(context: EvaluationContext) -> Tensor:
    """Return how probable the extractor finds each class for two real samples."""
    return probabilities(few_features(context, 2), context)


def few_features(context: EvaluationContext, n: int) -> Features:
    """Return the features of the first real samples."""
    few = context.real[:n]
    return extract(context.extractor, few) if context.images else Features(few.flatten(1).float())


def probabilities(features: Features, context: EvaluationContext) -> Tensor:
    """Return the probabilities of classes that come with features; a SettingError where none do."""
    if features.probabilities is None:
        raise SettingError(
            f"--metrics is: expected images and an extractor that knows classes, got {context.extractor.name}; "
            "for images, use --extractor inception or classifier"
        )
    return features.probabilities


def labelled(context: EvaluationContext) -> Tensor:
    """Return the labels of both sides, whose features are compared class by class."""
    labels = torch.cat([context.real_labels, context.requested])
    comparable(context)
    return labels


def judged(context: EvaluationContext) -> SetClassifier | StackedClassifier:
    """Return the classifier of the data's classes; raises as `classifier_of` does."""
    return context.classifier


def judged_by_request(context: EvaluationContext) -> SetClassifier | StackedClassifier:
    """The same, where samples are generated from labels."""
    _ = context.requested
    return judged(context)


def known_distribution(context: EvaluationContext) -> Toy:
    """Return the distribution that the data are drawn from; a DataError where it is not known."""
    source = context.data
    if not isinstance(source, Toy):
        raise DataError(
            "--metrics modes: expected a known distribution of points (gaussian, ring, grid, swiss-roll), got "
            f"{type(source).__name__.lower()}; for classes of images use --metrics classifier"
        )
    return source


def finite_and_held_out(context: EvaluationContext) -> int:
    """Return the number of training samples; a DataError where they are endless, or nothing is held out."""
    n_train, n_held = context.data.count("train"), context.data.count(context.data.held_out)
    if n_train is None or n_held is None:
        raise DataError(
            "--metrics neighbours: expected a finite set of training data, got one without an end or a known size; "
            "of an endless set nothing can be copied"
        )
    if not n_held:
        holdout = Change("data.holdout", 0.1)
        raise DataError(f"--metrics neighbours: expected held-out samples, got none; set {holdout}", holdout)
    return n_train


def generator(context: EvaluationContext, metric: str = "paths") -> Painter:
    """Return the generator that a metric asks for further samples; a SettingError where there are samples alone."""
    if context.painter is None:
        raise SettingError(f"--metrics {metric}: expected a run, whose generator can be asked; got samples alone")
    return context.painter


def unconditional(context: EvaluationContext) -> Painter:
    """Return a generator of latents alone, which are searched for; a SettingError where it takes labels."""
    painter = generator(context, "reconstruction")
    if context.labels is not None:
        raise SettingError(
            "--metrics reconstruction: expected a generator of latents alone, got one that takes labels; use --metrics "
            "class-accuracy,intra-kid,neighbours"
        )
    return painter


REQUIREMENTS: dict[str, Callable[[EvaluationContext], object]] = {
    "is": knowing_classes,
    "fid": frechet_comparable,
    "fid-shrunk": partial(frechet_comparable, covariance="shrunk"),
    "kid": numerous,
    "intra-fid-shrunk": labelled,
    "intra-kid": labelled,
    "pr": comparable,
    "prdc": comparable,
    "classifier": judged,
    "class-accuracy": judged_by_request,
    "modes": known_distribution,
    "neighbours": finite_and_held_out,
    "reconstruction": unconditional,
    "paths": generator,
}
