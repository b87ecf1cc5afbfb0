"""The files of a run that may be published: no data, no paths of this machine, and weights without the optimisers'."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.places import HUB, located
from agon.runs import Run, append, read
from agon.runs.directory import Directory
from agon.runs.layout import ATTACHMENTS, LOG, SAMPLES, SCORES
from agon.training import Training
from agon.training.released import released


def release(run: Run, training: Training, out: Path) -> Run:
    """Write a run directory to publish, which can be sampled, scored and battled, and not resumed.

    It has the run's description, log, scores, last samples of the fixed latents, and the weights that `agon sample`
    uses, averaged ones where the run averages any. It has no real samples, and a path of the data is cut to its name.

    Args:
        run: the run.
        training: what `agon.load` returned for it.
        out: a new or empty folder.

    Raises:
        RunError: the folder holds something, or a file cannot be read or written.
    """
    published = Run.create(out)
    compute = run.compute
    for name, value in _records(run):
        append(published.path / name, value)
    snapshots = run.snapshots()
    copied = [snapshots[-1][1]] if snapshots else []
    for file in (*copied, *_attachments(run)):
        _copy(run.files, published.files, f"{file.parent.name}/{file.name}")
    published.save(released(training, str(compute.get("data", ""))))
    published.describe(_described(run.described), compute)
    return published


def _described(experiment: dict[str, Any]) -> str:
    """The text of experiment.json, with names instead of paths, and without the notes, which name files of the data."""
    return json.dumps(_public_values({**experiment, "notes": []}), indent=2, ensure_ascii=False) + "\n"


def _public_values(value: Any, name: str = "") -> Any:
    """Plain values with every path in them made public: under the name "path", and what is absolute elsewhere."""
    if isinstance(value, dict):
        return {key: _public_values(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_public_values(member) for member in value]
    return _public(value) if isinstance(value, str) and (name == "path" or os.path.isabs(value)) else value


def _public(path: str) -> str:
    """The bundled set and names on the Hub as they are, and the last part of a path.

    >>> _public("/home/me/photos"), _public("digits"), _public("hub:ylecun/mnist")
    ('photos', 'digits', 'hub:ylecun/mnist')
    """
    try:
        place = located(path)
    except (ValueError, OSError):
        place = path
    return place if place.startswith(HUB) or not os.path.isabs(place) else Path(place).name


def _records(run: Run) -> list[tuple[str, Mapping[str, Any]]]:
    """The records of the log, and the scores without those of battles, which name other runs of this machine."""
    scores = [record for record in read(run.metrics) if "opponent_path" not in record]
    return [*((LOG, record) for record in read(run.log)), *((SCORES, _anonymous(record)) for record in scores)]


def _anonymous(record: Mapping[str, Any]) -> dict[str, Any]:
    return {k: Path(v).name if isinstance(v, str) and os.path.isabs(v) else v for k, v in record.items()}


def _attachments(run: Run) -> list[Path]:
    """The pictures and arrays of the scores."""
    try:
        return [run.path / ATTACHMENTS / name for name in sorted(run.files.names(ATTACHMENTS))]
    except OSError as error:
        raise RunError(f"{run.path / ATTACHMENTS} cannot be read ({error}); put the folder back") from error


def _copy(source: Directory, target: Directory, name: str) -> None:
    try:
        content = source.read(name)
    except OSError as error:
        raise RunError(f"{source.root / name} cannot be read ({error}); put the file back") from error
    target.make(name.partition("/")[0])
    target.write(name, content)


def last_picture(published: Run) -> str | None:
    """The name of the last grid of samples in a published run; None for points."""
    names = sorted(name for name in published.files.names(SAMPLES) if name.endswith(".png"))
    return f"{SAMPLES}/{names[-1]}" if names else None
