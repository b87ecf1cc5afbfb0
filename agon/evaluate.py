"""A run -> samples -> scores, appended to the run."""

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agon.classifiers import accuracy_of
from agon.data import Source
from agon.data.points import Mixture
from agon.errors import DataError, RunError
from agon.games import Classification
from agon.metrics import Coverage, Judge, Score, class_coverage, fit_judge, mode_coverage
from agon.runs import Run, append, read
from agon.sampling import load, sample

FITTED = 10_000  # images that a judge is fitted on, at most


def judge(source: Source) -> Judge:
    """A classifier fitted on a labelled source's own real images.

    Raises:
        DataError: the source has no classes, or is no set of images.
    """
    if not source.classes or len(source.shape) != 3:
        raise DataError(
            "evaluate: expected images with classes, so that a classifier can be fitted, or a mixture of "
            "Gaussians (gaussian, ring, grid), whose modes are known; got neither"
        )
    real = source.take(min(FITTED, source.count() or FITTED))
    held = source.take(min(FITTED, source.count("test") or FITTED), split="test")
    assert real.label is not None
    assert held.label is not None  # a source with classes labels its draws
    return fit_judge(real.real, real.label, held.real, held.label, len(source.classes))


def evaluate(run: Run, *, n: int = 500, seed: int = 0, trust: bool = False) -> list[Score]:
    """Scores of n samples: of images by a classifier of the run's own data, of points by their modes.

    Images get "classes" and "confidence"; points of a mixture of Gaussians get "modes", "quality"
    and "mode-divergence" (`mode_coverage`), for which 10,000 samples are cheap. A classifier gets its
    "accuracy" on the whole test split, whatever n and seed are. The scores are appended to metrics.jsonl,
    once: asking again with the same step, seed and n gives the recorded ones.

    Raises:
        DataError: neither images with classes nor a mixture, or samples that are not finite.
    """
    training = load(run, trust=trust)
    source, game = training.experiment.data, training.game
    if isinstance(game, Classification):
        n, seed = source.count("test") or n, 0
    key = {"step": training.step, "seed": seed, "n": n}
    known = [r for r in read(run.metrics) if all(r.get(k) == v for k, v in key.items())]
    if known:
        return [Score.read(record) for record in known]
    if isinstance(game, Classification):
        scores: Sequence[Score] = [accuracy_of(game, source)]
    elif isinstance(source, Mixture):
        scores = mode_coverage(sample(training, n, seed), source.modes, source.std)
    else:
        judging = judge(source)
        probabilities = judging.probabilities(sample(training, n, seed))
        scores = class_coverage(probabilities, source.classes, judging.protocol)
    scores = [score.stamped(step=training.step, seed=seed) for score in scores]
    with run.locked():
        for score in scores:
            append(run.metrics, score.record())
    return scores


def over_time(run: Run, source: Mixture) -> Mapping[int, Coverage]:
    """Step -> `mode_coverage` of the points that the run kept at it, of the same latents each time.

    Raises:
        RunError: the run kept none, or a file of them cannot be read.
    """
    return {step: mode_coverage(points, source.modes, source.std) for step, points in kept(run).items()}


def kept(run: Run) -> Mapping[int, Tensor]:
    """Step -> the points "n d" that a run kept of its fixed latents, in order of the steps.

    Raises:
        RunError: it kept none, or a file cannot be read.
    """
    found = {int(file.stem): _points(file) for file in sorted(run.samples.glob("[0-9]*.npy"))}
    if not found:
        raise RunError(f"{run.samples} holds no points; expected the run of a source of points, such as ring")
    return found


def _points(file: Path) -> Tensor:
    try:
        points = np.load(BytesIO(file.read_bytes()), allow_pickle=False)
        return torch.from_numpy(points)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise RunError(f"{file} is not an array of points ({error}); delete it, and go on without that step") from error
