"""Read the scores of a run, or append scores to it, with their pictures and arrays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from agon import __version__
from agon.errors import RunError
from agon.evaluation.evidence import EvaluationContext, Measurement
from agon.evaluation.table import OF_FEATURES
from agon.metrics import Score
from agon.runs import Run, append, read
from agon.runs.scores import attach


def key(metric: str, context: EvaluationContext, **more: Any) -> dict[str, Any]:
    """Return the part of a measurement's passport that identifies it."""
    against = f" against {context.reference.hash}" if context.reference else ""
    against += f" against the {context.split} split" if context.split != "train" else ""
    by = {"features": f"{context.kind} {context.extractor.hash}{against}"} if metric in OF_FEATURES else {}
    split = {"split": context.split} if context.split != "train" else {}
    return {"metric": metric, "asked": context.n, "seed": context.seed, **by, **split, **more, "version": __version__}


def stamped(measurement: Measurement, passport: Mapping[str, Any]) -> Measurement:
    """Return the measurement with its passport in every score."""
    full = {**passport, "torch": torch.__version__}
    return measurement._replace(scores=[score.stamped(**full) for score in measurement.scores])


def recorded(run: Run, passport: Mapping[str, Any]) -> list[Score]:
    """Return the recorded scores of the measurement with this passport; none if it was not made, or is damaged."""
    records = [record for record in read(run.metrics) if all(record.get(k) == v for k, v in passport.items())]
    try:
        return [Score.read(record) for record in records]
    except ValueError:  # it is measured again
        return []


def keep(measurement: Measurement, run: Run) -> list[Score]:
    """Append the scores to the run, after their pictures and arrays, so that a score always has them."""
    with run.scoring():
        return _append(measurement, run)


def keep_once(measurement: Measurement, run: Run, passport: Mapping[str, Any]) -> list[Score]:
    """Append the scores, unless another process has recorded the same measurement: then return its scores."""
    with run.scoring():
        return recorded(run, passport) or keep(measurement, run)


def write(by_metric: Mapping[str, Measurement], folder: Path) -> None:
    """Append the scores of samples that belong to no run to a folder's metrics.jsonl, with their pictures.

    Raises:
        RunError: the folder cannot be written, or is a run.
    """
    place = folder_for_scores(folder)
    for measurement in by_metric.values():
        _append(measurement, place)


def folder_for_scores(folder: Path) -> Run:
    """Create a folder for scores, which is not a run; scores are kept in it as in a run.

    Raises:
        RunError: it cannot be written, or is a run.
    """
    place = Run(folder)
    if place.begun:
        raise RunError(f"--out: expected a folder for scores alone, got the run {folder}; choose another folder")
    place.files.make(".")
    return place


def _append(measurement: Measurement, run: Run) -> list[Score]:
    attached = attach(run.path, measurement.scores[0].passport, measurement.pictures, measurement.arrays)
    scores = [score.stamped(**attached) for score in measurement.scores]
    append(run.metrics, *(score.record() for score in scores))
    return scores
