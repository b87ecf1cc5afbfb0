"""Scores in a run: found there, or appended to it, with their pictures and arrays in its folder metrics/."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agon import __version__
from agon.evaluate.evidence import Measured
from agon.evaluate.extractors import Choice
from agon.evaluate.table import BY_FEATURES
from agon.metrics import Score
from agon.runs import Run, append, read, write_atomically, writing

FOLDER = "metrics"


def key(metric: str, n: int, seed: int, extractor: Choice, step: int | None = None) -> dict[str, Any]:
    """What makes a measurement the same one: a part of its passport."""
    by = {"features": extractor.name} if metric in BY_FEATURES else {}
    at = {} if step is None else {"step": step}
    return {"metric": metric, "asked": n, "seed": seed, **by, **at, "version": __version__}


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
    with run.locked():
        return _append(found, run.path, run.metrics)


def write(found: Mapping[str, Measured], folder: Path) -> None:
    """Append the scores of samples that belong to no run to a folder's metrics.jsonl, with their pictures.

    Raises:
        RunError: the folder cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for measured in found.values():
        _append(measured, folder, folder / "metrics.jsonl")


def _append(found: Measured, folder: Path, metrics: Path) -> list[Score]:
    step = found.scores[0].passport.get("step", 0)
    named = {name: f"{FOLDER}/{name}-{step:08d}.png" for name in found.pictures}
    files = {named[name]: png for name, png in found.pictures.items()}
    if found.arrays:
        files[f"{FOLDER}/{found.scores[0].passport['metric']}-{step:08d}.npz"] = _packed(found.arrays)
    if files:
        with writing(folder / FOLDER):
            (folder / FOLDER).mkdir(exist_ok=True)
    for name, content in files.items():
        write_atomically(folder / name, content)
    scores = [score.stamped(pictures=named) if named else score for score in found.scores]
    for score in scores:
        append(metrics, score.record())
    return scores


def _packed(arrays: Mapping[str, Tensor]) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **{name: tensor.numpy() for name, tensor in arrays.items()})  # type: ignore[arg-type]
    return content.getvalue()
