"""A set's classifier: trained once, kept by the content it was made from, and an extractor of any samples."""

from agon.classifiers.counts import class_counts
from agon.classifiers.judges import SetClassifier, StackedClassifier
from agon.classifiers.kept import classifier_of
from agon.classifiers.testing import accuracy_of, settled
from agon.recipes.classifier import experiment

__all__ = [
    "SetClassifier",
    "StackedClassifier",
    "accuracy_of",
    "class_counts",
    "classifier_of",
    "experiment",
    "settled",
]
