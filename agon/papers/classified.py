"""Classifier scores of images that do not come from a run: real images, canvases of one time step."""

from jaxtyping import UInt8
from torch import Tensor

from agon.data import Source
from agon.evaluation import METRICS, ExtractorSpec
from agon.evaluation.evidence import EvaluationContext
from agon.papers.item import Scores

CLASSIFIER = ExtractorSpec("classifier")


def classifier_score(images: UInt8[Tensor, "n c h w"], source: Source) -> Scores:
    """The Inception score's formula with the source's own classifier, computed as `agon evaluate` does."""
    return METRICS["is"](EvaluationContext(lambda: images, source, len(images), CLASSIFIER)).scores
