"""The metrics by name."""

from collections.abc import Callable, Sequence

from agon.data import Source
from agon.data.points import Toy
from agon.errors import SettingError, meant, unknown
from agon.evaluation import by_features, by_labels, by_samples
from agon.evaluation.evidence import EvaluationContext, Measurement

Metric = Callable[[EvaluationContext], Measurement]
OF_FEATURES: dict[str, Metric] = {  # metrics that depend on the extractor
    "is": by_features.inception_scores,
    "fid": by_features.frechet,
    "fid-shrunk": by_features.frechet_shrunk,
    "kid": by_features.kernel,
    "pr": by_features.precision_recall,
    "prdc": by_features.prdc,
}
METRICS: dict[str, Metric] = {
    **OF_FEATURES,
    "classifier": by_labels.classes,
    "modes": by_labels.modes,
    "pairwise": by_samples.pairwise,
    "neighbours": by_samples.neighbours,
    "reconstruction": by_samples.reconstruction,
    "paths": by_samples.paths,
}


def asked(metrics: Sequence[str], source: Source | None) -> list[str]:
    """Return the requested metrics without repetitions, or those that the data allow.

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
    return default_metrics(source)


def default_metrics(source: Source) -> list[str]:
    """Return the metrics that the data allow without pretrained weights: modes, or distances and classes.

    The first of images and of unknown points is the kernel distance, which tells two runs apart.
    """
    if isinstance(source, Toy) and source.modes is not None:
        return ["modes"]
    if source.classes and len(source.shape) == 3:
        return ["kid", "classifier"]
    finite = source.count() is not None and source.count("test")
    return ["kid", "pairwise", "neighbours"] if finite else ["kid", "pairwise"]
