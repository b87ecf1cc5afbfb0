"""Classifiers of labelled image sets: trained once, cached by content, and usable as feature extractors."""

from agon.classifiers.cache import classifier_of
from agon.classifiers.class_counts import class_counts
from agon.classifiers.classifier import SetClassifier, StackedClassifier
from agon.classifiers.evaluation import accuracy_of, settled
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
