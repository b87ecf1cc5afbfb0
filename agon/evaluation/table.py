"""The metrics by name."""

import math
from collections.abc import Callable, Sequence

from agon.data import Source
from agon.data.points import Toy
from agon.errors import SettingError, meant, unknown
from agon.evaluation import by_features, by_labels, by_samples
from agon.evaluation.evidence import EvaluationContext, Measurement

SEARCHED = 6 * 10**7  # coordinates of a training set in which neighbours are searched by default

Metric = Callable[[EvaluationContext], Measurement]
OF_FEATURES: dict[str, Metric] = {  # metrics that depend on the extractor
    "is": by_features.inception_scores,
    "fid": by_features.frechet,
    "fid-shrunk": by_features.frechet_shrunk,
    "kid": by_features.kernel,
    "intra-fid-shrunk": by_features.intra_frechet,
    "intra-kid": by_features.intra_kernel,
    "pr": by_features.precision_recall,
    "prdc": by_features.prdc,
}
METRICS: dict[str, Metric] = {
    **OF_FEATURES,
    "classifier": by_labels.classes,
    "class-accuracy": by_labels.requested,
    "modes": by_labels.modes,
    "pairwise": by_samples.pairwise,
    "neighbours": by_samples.neighbours,
    "reconstruction": by_samples.reconstruction,
    "paths": by_samples.paths,
}


def compare_features(metrics: Sequence[str]) -> bool:
    """Whether any of these metrics depends on the extractor.

    >>> compare_features(["modes", "kid"]), compare_features(["modes"])
    (True, False)
    """
    return any(name in OF_FEATURES for name in metrics)


def asked(metrics: Sequence[str], source: Source | None, takes_labels: bool = False) -> list[str]:
    """Return the requested metrics without repetitions, or those that the data, and a generator's labels, allow.

    Raises:
        SettingError: a metric is unknown, or neither metrics nor data are given.
    """
    metrics = [meant(name, METRICS) for name in metrics]
    for name in metrics:
        if name not in METRICS:
            raise SettingError(unknown("metric", name, list(METRICS)))
    if metrics:
        return list(dict.fromkeys(metrics))
    if source is None:
        raise SettingError(f"expected --metrics, or --data to choose them by; there are {', '.join(METRICS)}")
    return [*default_metrics(source), *(["class-accuracy"] if takes_labels else [])]


def default_metrics(source: Source) -> list[str]:
    """Return the metrics that the data allow and that answer soon: modes, or distances and classes.

    The first of images and of unknown points is the kernel distance, which tells two runs apart. Neighbours are
    searched by default only where that takes seconds; ask for them elsewhere.
    """
    if isinstance(source, Toy) and source.modes is not None:
        return ["modes"]
    if source.classes and len(source.shape) == 3:
        return ["kid", "classifier"]
    count = source.count()
    near = count is not None and count * math.prod(source.shape) <= SEARCHED and source.count("test")
    return ["kid", "pairwise", "neighbours"] if near else ["kid", "pairwise"]


def referred(metrics: Sequence[str]) -> list[str]:
    """Return the metrics that statistics of real features suffice for."""
    others = [name for name in metrics if name != "fid"]
    if others:
        raise SettingError(
            f"--metrics {','.join(others)}: expected real samples, got their statistics, which allow fid alone; name "
            "the samples with --data"
        )
    return ["fid"]
