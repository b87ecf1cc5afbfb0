"""The metrics by the names that they are asked for by."""

from collections.abc import Callable, Sequence

from agon.data import Source
from agon.data.points import Toy
from agon.errors import SettingError, unknown
from agon.evaluation import by_features, by_labels, by_samples
from agon.evaluation.evidence import EvaluationContext, Measurement

Metric = Callable[[EvaluationContext], Measurement]
OF_FEATURES: dict[str, Metric] = {  # those that the extractor changes
    "is": by_features.inception_scores,
    "fid": by_features.frechet,
    "fid-shrunk": by_features.frechet_shrunk,
    "kid": by_features.kernel,
    "pr": by_features.improved,
    "prdc": by_features.manifold,
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
    """The names, each once, or those that the data allow.

    Raises:
        SettingError: one is unknown, or none is given where there are no data to choose by.
    """
    for name in metrics:
        if name not in METRICS:
            raise SettingError(unknown("metric", name, list(METRICS)))
    if metrics:
        return list(dict.fromkeys(metrics))
    if source is None:
        raise SettingError(f"expected --metrics, or --data to choose them by; there are {', '.join(METRICS)}")
    return default_metrics(source)


def default_metrics(source: Source) -> list[str]:
    """What data allow without anybody's weights: modes, classes, or else distances."""
    if isinstance(source, Toy) and source.modes is not None:
        return ["modes"]
    if source.classes:
        return ["classifier"]
    finite = source.count() is not None and source.count("test")
    return ["pairwise", "neighbours"] if finite else ["pairwise"]
