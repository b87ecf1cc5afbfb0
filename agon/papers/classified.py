"""Images that no run made, judged by their set's own classifier: real ones, canvases of a time step."""

from jaxtyping import UInt8
from torch import Tensor

from agon.data import Source
from agon.evaluation import METRICS, ExtractorSpec
from agon.evaluation.evidence import EvaluationContext
from agon.papers.item import Scores

CLASSIFIER = ExtractorSpec("classifier")


def classifier_score(images: UInt8[Tensor, "n c h w"], source: Source) -> Scores:
    """The formula of the Inception score by `agon.classifiers`' network of the source, as `agon evaluate` has it."""
    return METRICS["is"](EvaluationContext(lambda: images, source, len(images), CLASSIFIER)).scores
