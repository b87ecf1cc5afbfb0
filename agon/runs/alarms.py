"""Alarms of a run, in alarms.jsonl: what went wrong while it trained, when that was seen, and what was looked at.

A record with a sickness is an alarm. One without is the end of a training: which looks were made, and what they
still found.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.runs.directory import Directory
from agon.runs.records import append, read


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        step: the step at which it was raised.
        sickness: the name of what went wrong.
        severity: how grave it is.
        since_step: the first step of the trouble; None if it has no beginning.
        sentence: what is wrong, with numbers.
        ended: whether the training ended of it, and would end there again.
    """

    step: int
    sickness: str
    severity: str
    since_step: int | None
    sentence: str
    ended: bool = False


@dataclass(frozen=True)
class Ending:
    """What was known when a training ended.

    Attributes:
        step: its last step.
        looked_at: the names of the looks that were made.
        looks: at how many steps.
        seen: sickness -> the last step at which it was found.
    """

    step: int
    looked_at: tuple[str, ...]
    looks: int
    seen: Mapping[str, int]


@dataclass(frozen=True)
class Alarms:
    """All alarms of a run, in the order of their steps; `ending` is None if the training has not ended, or had none."""

    raised: tuple[Alarm, ...] = ()
    ending: Ending | None = None

    @property
    def end(self) -> Alarm | None:
        """The alarm of which the training ended; None if it did not end of one."""
        return next((alarm for alarm in reversed(self.raised) if alarm.ended), None)


def read_alarms(path: Path) -> Alarms:
    """Read the undamaged lines of alarms.jsonl; an earlier version wrote none.

    Raises:
        RunError: it is not a regular file, or too large.
    """
    records = read(path)
    alarms = [alarm for record in records if (alarm := _alarm(record)) is not None]
    endings = [ending for record in records if (ending := _ending(record)) is not None]
    return Alarms(tuple(sorted(alarms, key=lambda alarm: alarm.step)), endings[-1] if endings else None)


def record_end(path: Path, sickness: str, step: int, sentence: str) -> None:
    """Record of what a training ended, unless the disk cannot be written: the error that ends it says it too."""
    record = {"step": step, "sickness": sickness, "severity": "fatal", "since_step": step, "sentence": sentence}
    with suppress(RunError):
        append(path, {**record, "ended": True})


def rewind(path: Path, reached: int) -> None:
    """Remove the records of steps after the one from which a training resumes."""
    files = Directory(path.parent)
    if files.holds(path.name):
        kept = [record for record in read(path) if _step(record.get("step")) and record["step"] <= reached]
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in kept)
        files.write(path.name, lines.encode("utf-8", "backslashreplace"))


def _alarm(record: Mapping[str, Any]) -> Alarm | None:
    step, since = record.get("step"), record.get("since_step")
    texts = [record.get(name) for name in ("sickness", "severity", "sentence")]
    if not _step(step) or not (since is None or _step(since)) or not all(isinstance(text, str) for text in texts):
        return None
    sickness, severity, sentence = map(str, texts)
    since_step = None if since is None else int(str(since))
    return Alarm(int(str(step)), sickness, severity, since_step, sentence, record.get("ended") is True)


def _ending(record: Mapping[str, Any]) -> Ending | None:
    step, names, looks, seen = (record.get(name) for name in ("step", "looked_at", "looks", "seen"))
    if not _step(step) or not _step(looks) or not isinstance(names, Sequence) or not isinstance(seen, Mapping):
        return None
    last = {str(name): int(at) for name, at in seen.items() if _step(at)}
    return Ending(int(str(step)), tuple(map(str, names)), int(str(looks)), last)


def _step(value: object) -> bool:
    return type(value) is int and 0 <= value < 10**18
