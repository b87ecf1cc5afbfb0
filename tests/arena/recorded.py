"""Runs that are recorded but were never trained: as many files as a comparison reads, with chosen scores."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STEPS = 100


def write_run(
    path: Path,
    scores: Mapping[str, float | tuple[float, float]],
    *,
    seed: int = 0,
    lr: float = 0.1,
    reached: int = STEPS,
    data: Mapping[str, Any] | None = None,
    fingerprint: str = "f",
    **passport: Any,
) -> Path:
    """Write a run directory whose scores are values, or values with a standard error; return its path.

    Args:
        path: of the directory.
        scores: name -> value.
        seed: of the training.
        lr: a setting.
        reached: the last step in its log.
        data: description of its data.
        fingerprint: of its data.
        passport: entries of every score's record.
    """
    path.mkdir(parents=True, exist_ok=True)
    described = {"type": "experiment", "steps": STEPS, "lr": lr, "data": data or {"type": "ring"}, "seed": seed}
    (path / "experiment.json").write_text(json.dumps(described))
    (path / "arithmetic.json").write_text(json.dumps({"data": fingerprint}))
    (path / "log.jsonl").write_text(json.dumps({"step": reached, "loss": 1.0}) + "\n")
    record_scores(path, scores, **{"step": reached, **passport})
    return path


def record_scores(path: Path, scores: Mapping[str, float | tuple[float, float]], **passport: Any) -> None:
    """Append scores to a run."""
    with (path / "metrics.jsonl").open("a") as file:
        for name, score in scores.items():
            value, error = score if isinstance(score, tuple) else (score, None)
            record = {"name": name, "value": value, "error": error, "n": 100, "n_real": 100, "protocol": "p"}
            record |= {"metric": name, "asked": 100, "seed": 0, "detail": {}}
            file.write(json.dumps({**record, **passport}) + "\n")


def write_seeds(folder: Path, score: str, *values: float, first: int = 0, **options: Any) -> Path:
    """Write a folder of runs, one for each value of a score, under the seeds from `first`; return its path."""
    for seed, value in enumerate(values, start=first):
        write_run(folder / f"seed-{seed}", {score: value}, seed=seed, **options)
    return folder
