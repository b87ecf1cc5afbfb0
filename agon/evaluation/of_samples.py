"""Evaluate samples in a folder or a file, made by any program; and write the statistics of real ones."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from agon.arguments import check_samples
from agon.data import Source
from agon.evaluation.evaluating import IncompleteError, N, succeeded_and_failed
from agon.evaluation.evidence import EvaluationContext, Measurement
from agon.evaluation.extractors import ExtractorSpec
from agon.evaluation.recorded import key, stamped
from agon.evaluation.table import METRICS, asked, referred
from agon.metrics import Statistics, write_statistics
from agon.samples.reading import chosen, read_samples
from agon.terminal.waiting import stage, waiting


def evaluate_samples(
    path: Path,
    source: Source | None = None,
    *,
    metrics: Sequence[str] = (),
    n: int = N,
    seed: int = 0,
    extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    values: tuple[float, float] | None = None,
    compared: Source | None = None,
    show: bool = True,
    reference: Statistics | None = None,
) -> dict[str, Measurement]:
    """Return metric -> its measurement of samples in a folder or a file, made by any program.

    Args:
        path: see `agon.samples.reading.read_samples`.
        source: source of the real samples, for the metrics that compare.
        metrics: names in METRICS; by default those that the data allow.
        n: number of samples, chosen at random out of more, and largest number of real ones.
        seed: seed of the choice.
        extractor: extractor of the features.
        values: (low, high) of pixels that are not bytes.
        compared: source of the real samples that samples are compared with, if it differs from `source`, on which
            classifiers are trained and in which neighbours are searched: the same source with nothing held out.
        show: whether to say on standard error what takes longer than a few seconds, and how long it will take.
        reference: statistics of real features, for the metric "fid" alone.

    Raises:
        SettingError: a metric is unknown, or needs a generator or real samples.
        DataError: samples cannot be read, are too few, or differ in size from the real ones.
        IncompleteError: some of several metrics failed like this.
    """

    def draw() -> Tensor:
        samples = chosen(read_samples(path, values, source), n, seed)
        return samples if source is None or samples.dtype is torch.uint8 else source.scaled(samples).float()

    context = EvaluationContext(
        draw, source, check_samples(n), extractor, seed=seed, compared=compared, reference=reference
    )
    names = referred(metrics) if reference else asked(metrics, source)

    def measure(name: str) -> Measurement:
        return stamped(METRICS[name](context), key(name, context, samples=str(path)))

    with waiting(show):
        by_metric, failed = succeeded_and_failed(names, measure)
    if failed and by_metric:
        raise IncompleteError([], failed, by_metric)
    if failed:
        raise failed[0]
    return by_metric


def statistics_of(
    path: Path, out: Path, *, extractor: ExtractorSpec, n: int = N, values: tuple[float, float] | None = None
) -> None:
    """Write the statistics of the features of samples to a file, which `evaluate` takes as a reference.

    Args:
        path: real samples; see `agon.samples.reading.read_samples`.
        out: the .npz file.
        extractor: extractor of the features.
        n: largest number of samples, chosen at random out of more.
        values: (low, high) of pixels that are not bytes.

    Raises:
        DataError: samples cannot be read, are too few, or the file cannot be written.
    """
    with waiting(), stage("statistics"):
        context = EvaluationContext(lambda: chosen(read_samples(path, values), n, 0), None, check_samples(n), extractor)
        write_statistics(out, context.fake_features.features, context.extractor, context.kind)
