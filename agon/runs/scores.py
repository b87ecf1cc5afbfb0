"""Scores on disk: the records of metrics.jsonl, and their pictures and arrays."""

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from agon.runs.arrays import arrays
from agon.runs.directory import Directory
from agon.runs.layout import ATTACHMENTS
from agon.runs.limits import SAMPLES
from agon.runs.records import as_number, numbered

HOW = ("statistics", "calibrate")  # settings of a battle
Object = dict[str, Any]  # a JSON object


@dataclass(frozen=True)
class ScoreRecord:
    """A line of metrics.jsonl, of any version or origin; None for what is missing.

    Attributes:
        name: name of the score.
        value: its value.
        error: its standard error.
        interval: (low, high).
        n: number of generated samples.
        n_real: number of real samples.
        seed: seed of the latents.
        step: step of the training.
        protocol: how it was measured, in words.
        detail: further values.
        extractor: name, hash, resizer and precision of the feature extractor.
        pictures: name -> existing PNG.
        metric: the metric that was requested; older records have none.
        asked: number of samples that were requested, of which n were there.
        split: of the real samples.
        features: which features were compared.
        judge: path or name of the run whose critic judged, in a battle with samples alone.
        opponent: path or name of the opponent.
        among: the runs among which it was ranked.
        how: other settings of a battle.
    """

    name: str
    value: float | None
    error: float | None = None
    interval: tuple[float, float] | None = None
    n: int | None = None
    n_real: int | None = None
    seed: int | None = None
    step: int | None = None
    protocol: str = ""
    detail: Object = field(default_factory=dict)
    extractor: Object = field(default_factory=dict)
    pictures: Mapping[str, Path] = field(default_factory=dict)
    metric: str | None = None
    asked: int | None = None
    split: str = "train"
    features: str | None = None
    judge: str | None = None
    opponent: str | None = None
    among: tuple[str, ...] = ()
    how: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What two scores have in common if they are one measurement at two steps."""
        asked = self.n if self.asked is None else self.asked
        against = self.split, self.features, str(self.extractor.get("hash"))
        by = (*against, self.judge, self.opponent, self.among, self.how)
        protocol = self.protocol if self.metric is None else None
        return self.name, asked, self.seed, self.metric, *by, protocol


def read_scores(path: Path) -> list[ScoreRecord]:
    """Read the scores of a metrics.jsonl, in the order in which they were written.

    Raises:
        RunError: the file cannot be read, or a line is not a score.
    """
    return [_parsed(path, line, record) for line, record in numbered(path)]


def attach(
    folder: Path, passport: Mapping[str, Any], pictures: Mapping[str, bytes], tensors: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Write the files of one measurement, under names that no other measurement has.

    Args:
        folder: directory of the run.
        passport: what identifies the measurement, including its "metric".
        pictures: PNGs by name.
        tensors: arrays by name, written into one file.

    Returns:
        The entries of its records for these files: "pictures" by name, and "arrays"; each only if there are any.
    """
    digest = hashlib.sha256(json.dumps(dict(passport), sort_keys=True, default=str).encode()).hexdigest()[:8]
    end = f"{passport.get('step', 0):08d}-{digest}"
    places = {name: f"{ATTACHMENTS}/{name}-{end}.png" for name in pictures}
    contents = {places[name]: png for name, png in pictures.items()}
    attached: dict[str, Any] = {"pictures": places} if places else {}
    if tensors:
        attached["arrays"] = f"{ATTACHMENTS}/{passport['metric']}-{end}.npz"
        contents[attached["arrays"]] = _packed(tensors)
    files = Directory(folder)
    files.clear(ATTACHMENTS, alone=True)
    if contents:
        files.make(ATTACHMENTS)
    for name, content in contents.items():
        files.write(name, content)
    return attached


def attached_arrays(folder: Path, named: object) -> dict[str, np.ndarray]:
    """Read the arrays of a measurement by name.

    Args:
        folder: directory of the run.
        named: the file that the record names; only its name counts, so that no other folder is read.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it holds no arrays.
    """
    return arrays(Directory(folder).read(attachment(named), SAMPLES), SAMPLES)


def attachment(named: object) -> str:
    """Return the path in the run of a file that a record names, always in the folder of attachments."""
    return f"{ATTACHMENTS}/{Path(str(named)).name}"


def _packed(tensors: Mapping[str, Tensor]) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **{name: tensor.numpy() for name, tensor in tensors.items()})  # type: ignore[arg-type]
    return content.getvalue()


def _parsed(path: Path, line: int, record: Object) -> ScoreRecord:
    def number(key: str) -> float | None:
        return None if record.get(key) is None else as_number(path, line, key, record[key])

    def whole(key: str) -> int | None:
        value = number(key)
        return int(value) if value is not None and math.isfinite(value) else None

    interval, extractor, among = record.get("interval"), record.get("extractor"), record.get("among")
    detail: Object = record["detail"] if isinstance(record.get("detail"), dict) else {}
    if isinstance(interval, list) and len(interval) == 2:
        low, high = (as_number(path, line, "interval", end) for end in interval)
    return ScoreRecord(
        name=str(record.get("name", "(without a name)")),
        value=number("value"),
        error=number("error"),
        interval=(low, high) if isinstance(interval, list) and len(interval) == 2 else None,
        n=whole("n"),
        n_real=whole("n_real"),
        seed=whole("seed"),
        step=whole("step"),
        protocol=str(record.get("protocol") or ""),
        detail=detail,
        extractor=extractor if isinstance(extractor, dict) else {},
        pictures=_pictures(path.parent, record.get("pictures")),
        metric=_text(record, "metric"),
        asked=whole("asked"),
        split=_text(record, "split") or "train",
        features=_text(record, "features"),
        judge=_text(record, "judge_path") or _text(detail, "judge"),
        opponent=_text(record, "opponent_path") or _text(record, "opponent") or _text(detail, "opponent"),
        among=tuple(map(str, among)) if isinstance(among, list) else (),
        how=tuple(f"{key} {record[key]}" for key in HOW if record.get(key)),
    )


def _text(record: Object, key: str) -> str | None:
    return record[key] if isinstance(record.get(key), str) else None


def _pictures(folder: Path, named: object) -> dict[str, Path]:
    """Return the existing PNGs that a record names, always in the folder of attachments."""
    names = {str(name): attachment(place) for name, place in named.items()} if isinstance(named, dict) else {}
    files = Directory(folder)
    return {name: folder / file for name, file in names.items() if Path(file).suffix == ".png" and files.holds(file)}
