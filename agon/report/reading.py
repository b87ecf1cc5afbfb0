"""A run directory as a typed view: plain JSON and the names of its samples; nothing in it is executed."""

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from agon.errors import RunError
from agon.runs import Directory, names, unreadable
from agon.runs.limits import DESCRIPTION, RECORDS
from agon.runs.limits import SAMPLES as MOST
from agon.untrusted import parse_json

EXPERIMENT, ARITHMETIC, LOG, METRICS, SAMPLES, PICTURES = (
    "experiment.json",
    "arithmetic.json",
    "log.jsonl",
    "metrics.jsonl",
    "samples",
    "metrics",
)
HOW = ("statistics", "calibrate")  # of a battle
REAL = (f"{SAMPLES}/real.png", f"{SAMPLES}/real.npy")  # a grid of images, an array of points
SAMPLE = re.compile(r"([0-9]{1,18})\.(png|npy)")
Object = dict[str, Any]  # what JSON calls an object
Record = Mapping[str, float]


@dataclass(frozen=True)
class Score:
    """A metric's value as `metrics.jsonl` holds it; None for what is not known.

    Attributes:
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


@dataclass(frozen=True)
class View:
    """One run, as far as a page needs it.

    Attributes:
        name: the shortest end of the path that tells it from the other runs on the page.
        path: of the directory, as it was given.
        experiment: the nested settings.
        arithmetic: the choices that change the arithmetic; empty if not recorded.
        log: records in order of their steps; a series' value can be NaN.
        scores: in the order in which they were made.
        real: file of the real samples, None if there is none.
        samples: step -> file of the samples, in order of the steps.
    """

    name: str
    path: Path
    experiment: Object
    arithmetic: Object
    log: Sequence[Record]
    scores: Sequence[Score]
    real: Path | None
    samples: Mapping[int, Path]


def read(runs: Sequence[Path]) -> list[View]:
    """Views of the runs, in their order; a directory that is given twice is read once.

    Raises:
        RunError: no run is given, or one has no experiment.json, or holds what cannot be read.
    """
    if not runs:
        raise RunError("a report: expected one run directory or more, got none; give the runs to show")
    paths = list({path.resolve(): path for path in runs}.values())
    return [_view(path, name) for path, name in zip(paths, names(paths), strict=True)]


def ordered(scores: Sequence[Score]) -> list[Score]:
    """By their steps; of those at one step, the one that was made last is last."""
    return sorted(scores, key=lambda score: score.step or 0)


def finite(value: object) -> TypeGuard[float]:
    """Whether it is a number that can be drawn: JSON has integers beyond every float, and Python's truth is 1.

    >>> finite(0.5), finite(math.nan), finite(10**400), finite(True), finite("1")
    (True, False, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max


def _view(path: Path, name: str) -> View:
    files = Directory(path)
    if not files.holds(EXPERIMENT):
        what = "is not a directory" if not path.is_dir() else f"has no {EXPERIMENT}"
        raise RunError(f"{path} {what}; expected the directory of a run: give the one that holds {EXPERIMENT}")
    return View(
        name=name,
        path=path,
        experiment=_object(path / EXPERIMENT),
        arithmetic=_object(path / ARITHMETIC) if files.holds(ARITHMETIC) else {},
        log=_log(path / LOG),
        scores=[_score(path / METRICS, line, entry) for line, entry in _lines(path / METRICS)],
        real=next((path / real for real in REAL if files.holds(real)), None),
        samples=_samples(files),
    )


def content_of(file: Path) -> bytes:
    """The content of a file in a folder of a run.

    Raises:
        OSError: it is no regular file there, too large, or cannot be read.
    """
    return Directory(file.parent.parent).read(f"{file.parent.name}/{file.name}", MOST)


def _object(file: Path) -> Object:
    try:
        value = parse_json(_text(file, DESCRIPTION), finite=False)
    except ValueError as error:
        raise RunError(f"{file} is not JSON ({error}); restore it from a copy, or leave this run out") from error
    if not isinstance(value, dict):
        raise RunError(f"{file}: expected a JSON object, got {type(value).__name__}; leave this run out")
    return value


def _text(file: Path, most: int) -> str:
    try:
        return Directory(file.parent).read(file.name, most).decode("utf-8", "replace")
    except OSError as error:
        raise unreadable(error, file, "put a regular file back that you may read, or leave this run out") from error


def _lines(file: Path) -> Iterator[tuple[int, Object]]:
    """Numbered objects of a JSON lines file, none if it is missing.

    A last line without its end is one that is being written now, or was when the machine went
    down: it is left out. Any other line that is no object is damage.
    """
    text = _text(file, RECORDS) if Directory(file.parent).holds(file.name) else ""
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            entry = parse_json(line, finite=False)
        except ValueError as error:
            raise RunError(f"{file}, line {number} is not JSON ({error}); delete the line and report again") from error
        if not isinstance(entry, dict):
            raise RunError(f"{file}, line {number}: expected a JSON object, got {line[:40]!r}; delete the line")
        yield number, entry


def _log(file: Path) -> list[Record]:
    """Records by step; where a resumed training made a step again, the later record counts."""
    records: dict[int, Record] = {}
    for line, entry in _lines(file):
        record = {key: _number(file, line, key, value) for key, value in entry.items()}
        step = record.get("step", math.nan)
        if not math.isfinite(step):
            raise RunError(f"{file}, line {line}: expected a step, got none; delete the line and report again")
        records[int(step)] = record
    return [records[step] for step in sorted(records)]


def _number(file: Path, line: int, key: str, value: object) -> float:
    """null and "nan" are NaN: JSON has no word for it, and writers differ."""
    try:
        return math.nan if value is None else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{file}, line {line}: expected a number for {key!r}, got {value!r}; delete the line and report again"
        ) from error


def _score(file: Path, line: int, entry: Object) -> Score:
    def number(key: str) -> float | None:
        return None if entry.get(key) is None else _number(file, line, key, entry[key])

    def whole(key: str) -> int | None:
        value = number(key)
        return int(value) if value is not None and math.isfinite(value) else None

    def word(key: str, told: Object) -> str | None:
        return told[key] if isinstance(told.get(key), str) else None

    interval, extractor, among = entry.get("interval"), entry.get("extractor"), entry.get("among")
    detail: Object = entry["detail"] if isinstance(entry.get("detail"), dict) else {}
    if isinstance(interval, list) and len(interval) == 2:
        low, high = (_number(file, line, "interval", end) for end in interval)
    return Score(
        name=str(entry.get("name", "(without a name)")),
        value=number("value"),
        error=number("error"),
        interval=(low, high) if isinstance(interval, list) and len(interval) == 2 else None,
        n=whole("n"),
        n_real=whole("n_real"),
        seed=whole("seed"),
        step=whole("step"),
        protocol=str(entry.get("protocol") or ""),
        detail=detail,
        extractor=extractor if isinstance(extractor, dict) else {},
        pictures=_pictures(file.parent, entry.get("pictures")),
        metric=word("metric", entry),
        asked=whole("asked"),
        features=word("features", entry),
        judge=word("judge_path", entry) or word("judge", detail),
        opponent=word("opponent_path", entry) or word("opponent", entry) or word("opponent", detail),
        among=tuple(map(str, among)) if isinstance(among, list) else (),
        how=tuple(f"{key} {entry[key]}" for key in HOW if entry.get(key)),
    )


def _pictures(folder: Path, told: object) -> dict[str, Path]:
    """The PNGs that a score names, as far as they are there; none from outside the run, whatever it says."""
    named = told if isinstance(told, dict) else {}
    files = {str(name): folder / PICTURES / Path(str(place)).name for name, place in named.items()}
    inside = Directory(folder)
    there = {name: file for name, file in files.items() if inside.holds(f"{PICTURES}/{file.name}")}
    return {name: file for name, file in there.items() if file.suffix == ".png"}


def _samples(files: Directory) -> dict[int, Path]:
    folder = files.root / SAMPLES
    try:
        matches = [match for name in files.names(SAMPLES) if (match := SAMPLE.fullmatch(name))]
    except OSError as error:
        raise unreadable(error, folder, "put the folder back, or leave this run out") from error
    return {step: folder / name for step, name in sorted((int(match[1]), match[0]) for match in matches)}
