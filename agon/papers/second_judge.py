"""A second judge of photographs beside a set's own classifier: EfficientNet-Lite0, which knows ImageNet's classes.

It works offline (`metrics.efficientnet`). Its scores have its name:

* "efficientnet-kernel-distance" compares n samples with n training images by 1,280 features. Claims are judged by it,
  because its mean does not depend on n. The Fréchet distance of fewer samples than features is mostly bias.
* "efficientnet-score" is the Inception score's formula with ImageNet's 1,000 classes, which the papers' Inception has,
  too. It sees no real image, and a split of n / 10 samples cannot score above n / 10. It is shown, and judges no claim.

MNIST's digits are no photographs; their own classifier is their only judge.
"""

from collections.abc import Mapping
from functools import cache

from jaxtyping import UInt8
from torch import Tensor

from agon.data import Source
from agon.evaluation import METRICS, ExtractorSpec, evaluate
from agon.evaluation.evidence import EvaluationContext
from agon.evaluation.extractors import real_features
from agon.experiment import Experiment
from agon.metrics import kernel_distance
from agon.metrics.extractors import extract
from agon.papers.item import Scores
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.runs.snapshots import image_snapshots
from agon.samples.reading import real_samples

EFFICIENTNET = ExtractorSpec("efficientnet")
DISTANCE = "efficientnet-kernel-distance"
JUDGED: Mapping[Scale, int] = {"smoke": 20, "quick": 1_000, "paper": 10_000}  # samples, and training images
COLOURS = 3  # channels of a photograph


def second_scores(run: Run, scale: Scale) -> Scores:
    """The second judge's scores of a trained model's samples."""
    return evaluate(run, metrics=["kid", "is"], n=JUDGED[scale], extractor=EFFICIENTNET)


def second_scores_of(images: UInt8[Tensor, "n c h w"], source: Source) -> Scores:
    """The same of images that do not come from a run, beside n images of the source's training split."""
    context = EvaluationContext(lambda: images, source, len(images), EFFICIENTNET)
    return [score for name in ("kid", "is") for score in METRICS[name](context).scores]


@cache
def unseen_scores(source: Source, scale: Scale) -> Scores:
    """The same of test images, which a generator of the data itself would get."""
    return second_scores_of(real_samples(source, JUDGED[scale], split="test"), source)


@cache
def snapshot_distances(run: Run, scale: Scale) -> Mapping[int, float]:
    """Step -> the second judge's distance of the images that a run kept at that step, of fixed latents.

    There are few of them (64 at quick scale), but they show the same latents at every step, and the training images
    are the same, too: what changes is the generator.

    Raises:
        RunError: the run kept no images.
    """
    source = Experiment.from_json(run.experiment).data
    extractor = EFFICIENTNET.make(source)
    real = real_features(extractor, real_samples(source, JUDGED[scale])).features
    distances = {}
    for step, images in image_snapshots(run).items():
        features = extract(extractor, images).features
        size = min(len(features), len(real))
        distances[step] = kernel_distance(real, features, subsets=len(real) // size, size=size).value
    return distances


def is_photographs(source: Source) -> bool:
    """Whether the second judge knows what such images show."""
    return len(source.shape) == 3 and source.shape[0] == COLOURS
