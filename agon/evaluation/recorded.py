"""Scores in a run: found there, or appended to it, with their pictures and arrays beside them."""

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


def key(metric: str, evidence: EvaluationContext, **more: Any) -> dict[str, Any]:
    """What makes a measurement the same one: a part of its passport."""
    by = {"features": f"{evidence.kind} {evidence.extractor.hash}"} if metric in OF_FEATURES else {}
    return {"metric": metric, "asked": evidence.n, "seed": evidence.seed, **by, **more, "version": __version__}


def stamped(measured: Measurement, passport: Mapping[str, Any]) -> Measurement:
    """The same with its passport in every score."""
    here = {**passport, "torch": torch.__version__}
    return measured._replace(scores=[score.stamped(**here) for score in measured.scores])


def recorded(run: Run, wanted: Mapping[str, Any]) -> list[Score]:
    """The scores of that measurement, if it was made."""
    records = [record for record in read(run.metrics) if all(record.get(k) == v for k, v in wanted.items())]
    return [Score.read(record) for record in records]


def keep(measured: Measurement, run: Run) -> list[Score]:
    """Append the scores to the run; pictures and arrays first, so that a score is never without them."""
    with run.scoring():
        return _append(measured, run)


def keep_once(measured: Measurement, run: Run, wanted: Mapping[str, Any]) -> list[Score]:
    """The same, unless another process has recorded that measurement meanwhile: then its scores."""
    with run.scoring():
        return recorded(run, wanted) or keep(measured, run)


def write(by_metric: Mapping[str, Measurement], folder: Path) -> None:
    """Append the scores of samples that belong to no run to a folder's metrics.jsonl, with their pictures.

    Raises:
        RunError: the folder cannot be written, or is a run's own.
    """
    place = folder_for_scores(folder)
    for measured in by_metric.values():
        _append(measured, place)


def folder_for_scores(folder: Path) -> Run:
    """A folder that is no run's own, made where it is missing; scores are kept in it as in a run.

    Raises:
        RunError: it cannot be written, or is a run's own.
    """
    place = Run(folder)
    if place.begun:
        raise RunError(f"--out: expected a folder for scores alone, got the run {folder}; choose another folder")
    place.files.make(".")
    return place


def _append(measured: Measurement, run: Run) -> list[Score]:
    attached = attach(run.path, measured.scores[0].passport, measured.pictures, measured.arrays)
    scores = [score.stamped(**attached) for score in measured.scores]
    append(run.metrics, *(score.record() for score in scores))
    return scores
