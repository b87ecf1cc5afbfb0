"""Scores in a run: found there, or appended to it, with their pictures and arrays in its folder metrics/."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agon import __version__
from agon.errors import RunError
from agon.evaluate.evidence import Evidence, Measured
from agon.evaluate.table import BY_FEATURES
from agon.metrics import Score
from agon.runs import Directory, Run, append, read

FOLDER = "metrics"


def key(metric: str, evidence: Evidence, **more: Any) -> dict[str, Any]:
    """What makes a measurement the same one: a part of its passport."""
    by = {"features": f"{evidence.kind} {evidence.extractor.hash}"} if metric in BY_FEATURES else {}
    return {"metric": metric, "asked": evidence.n, "seed": evidence.seed, **by, **more, "version": __version__}


def stamped(found: Measured, passport: Mapping[str, Any]) -> Measured:
    """The same with its passport in every score."""
    here = {**passport, "torch": torch.__version__}
    return found._replace(scores=[score.stamped(**here) for score in found.scores])


def recorded(run: Run, wanted: Mapping[str, Any]) -> list[Score]:
    """The scores of that measurement, if it was made."""
    records = [record for record in read(run.metrics) if all(record.get(k) == v for k, v in wanted.items())]
    return [Score.read(record) for record in records]


def keep(found: Measured, run: Run) -> list[Score]:
    """Append the scores to the run; pictures and arrays first, so that a score is never without them."""
    with run.scoring():
        return _append(found, run.path, run.metrics)


def keep_once(found: Measured, run: Run, wanted: Mapping[str, Any]) -> list[Score]:
    """The same, unless another process has recorded that measurement meanwhile: then its scores."""
    with run.scoring():
        return recorded(run, wanted) or keep(found, run)


def write(found: Mapping[str, Measured], folder: Path) -> None:
    """Append the scores of samples that belong to no run to a folder's metrics.jsonl, with their pictures.

    Raises:
        RunError: the folder cannot be written, or is a run's own.
    """
    folder_for_scores(folder)
    for measured in found.values():
        _append(measured, folder, folder / "metrics.jsonl")


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


def _append(found: Measured, folder: Path, metrics: Path) -> list[Score]:
    passport = found.scores[0].passport
    end = f"{passport.get('step', 0):08d}-{_digest(passport)}"  # a measurement's files are its own
    pictures = {name: f"{FOLDER}/{name}-{end}.png" for name in found.pictures}
    files = {pictures[name]: png for name, png in found.pictures.items()}
    told: dict[str, Any] = {"pictures": pictures} if pictures else {}
    if found.arrays:
        told["arrays"] = f"{FOLDER}/{passport['metric']}-{end}.npz"
        files[told["arrays"]] = _packed(found.arrays)
    inside = Directory(folder)
    inside.clear(FOLDER, alone=True)
    if files:
        inside.make(FOLDER)
    for name, content in files.items():
        inside.write(name, content)
    scores = [score.stamped(**told) for score in found.scores]
    append(metrics, *(score.record() for score in scores))
    return scores


def _digest(passport: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(passport), sort_keys=True, default=str).encode()).hexdigest()[:8]


def _packed(arrays: Mapping[str, Tensor]) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **{name: tensor.numpy() for name, tensor in arrays.items()})  # type: ignore[arg-type]
    return content.getvalue()
