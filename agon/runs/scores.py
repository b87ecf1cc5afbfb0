"""Scores on the disk: the records of metrics.jsonl, and the pictures and arrays beside them."""

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

HOW = ("statistics", "calibrate")  # a battle's choices
Object = dict[str, Any]  # what JSON calls an object


@dataclass(frozen=True)
class ScoreRecord:
    """A line of metrics.jsonl as it is found, of any version or origin; None for what it does not say.

    Attributes:
        name: of the score.
        value: the number.
        error: its standard error.
        interval: (low, high).
        n: generated samples.
        n_real: real samples.
        seed: of the latents.
        step: of the training.
        protocol: how it was measured, in words.
        detail: further values.
        extractor: name, hash, resizer and precision of the features' extractor.
        pictures: name -> PNG that is there.
        metric: the word that it was asked for by; older records have none.
        asked: how many samples were asked for, of which n were there.
        features: which ones were compared.
        judge: whose critic was asked, in a battle with samples alone: a path, or only a name.
        opponent: who was fought against: a path, or only a name.
        among: the runs that it was ranked among.
        how: other choices of a battle.
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
    features: str | None = None
    judge: str | None = None
    opponent: str | None = None
    among: tuple[str, ...] = ()
    how: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two scores the same measurement at two steps: what was asked, or, if nobody wrote it, how."""
        asked = self.n if self.asked is None else self.asked
        by = (self.features, str(self.extractor.get("hash")), self.judge, self.opponent, self.among, self.how)
        protocol = self.protocol if self.metric is None else None
        return self.name, asked, self.seed, self.metric, *by, protocol


def read_scores(path: Path) -> list[ScoreRecord]:
    """The scores of a metrics.jsonl, in the order in which they were made.

    Raises:
        RunError: the file cannot be read, or a line of it is no record of a score.
    """
    return [_parsed(path, line, record) for line, record in numbered(path)]


def attach(
    folder: Path, passport: Mapping[str, Any], pictures: Mapping[str, bytes], tensors: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Write the files of one measurement, whose names no other measurement has.

    Args:
        folder: of the run.
        passport: what makes the measurement the one that it is; with its "metric".
        pictures: PNGs by name.
        tensors: arrays by name, kept in one file.

    Returns:
        What its records say of these files: "pictures" by name, and "arrays"; neither where there are none.
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
    """The arrays of a measurement by name.

    Args:
        folder: of the run.
        named: what the record says of their file; no other folder is looked into, whatever it is.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it holds no arrays.
    """
    return arrays(Directory(folder).read(attachment(named), SAMPLES), SAMPLES)


def attachment(named: object) -> str:
    """The name in the run of a file that a record names: always one in the folder of attachments."""
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
        features=_text(record, "features"),
        judge=_text(record, "judge_path") or _text(detail, "judge"),
        opponent=_text(record, "opponent_path") or _text(record, "opponent") or _text(detail, "opponent"),
        among=tuple(map(str, among)) if isinstance(among, list) else (),
        how=tuple(f"{key} {record[key]}" for key in HOW if record.get(key)),
    )


def _text(record: Object, key: str) -> str | None:
    return record[key] if isinstance(record.get(key), str) else None


def _pictures(folder: Path, named: object) -> dict[str, Path]:
    """The PNGs that a record names, as far as they are there; none from outside the run, whatever it says."""
    names = {str(name): attachment(place) for name, place in named.items()} if isinstance(named, dict) else {}
    files = Directory(folder)
    return {name: folder / file for name, file in names.items() if Path(file).suffix == ".png" and files.holds(file)}
