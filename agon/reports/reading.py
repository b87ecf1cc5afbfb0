"""Read a run directory into a typed view of plain data; nothing in the directory is executed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agon.errors import RunError
from agon.experiment.codec import completed
from agon.runs import Directory, names, unreadable
from agon.runs.alarms import Alarms, read_alarms
from agon.runs.description import described_to_show
from agon.runs.layout import (
    ALARMS,
    ARITHMETIC,
    CHECKPOINTS,
    EXPERIMENT,
    LOG,
    PUBLISHED,
    SAMPLES,
    SCORES,
    STATE,
    real_snapshot,
    snapshots,
)
from agon.runs.records import read_log
from agon.runs.scores import ScoreRecord, read_scores
from agon.runs.taken import refuse_nothing_to_show

if TYPE_CHECKING:
    from agon.diagnosis import Diagnosis


@dataclass(frozen=True)
class View:
    """The contents of a run that a page shows.

    Attributes:
        name: shortest end of the path that differs from the other runs on the page.
        path: path of the directory, as given.
        experiment: the nested settings.
        compute: settings that change the arithmetic; empty if not recorded.
        log: records in the order of their steps; values can be NaN.
        scores: scores in the order in which they were recorded.
        real: file of the real samples; None if there is none.
        samples: step -> file of the samples, in the order of the steps.
        alarms: what went wrong while it trained.
        published: whether its last checkpoint holds weights alone, on which a training cannot go on.
        diagnosis: what `agon.diagnose` says of it, if it was asked.
    """

    name: str
    path: Path
    experiment: dict[str, Any]
    compute: dict[str, Any]
    log: Sequence[Mapping[str, float]]
    scores: Sequence[ScoreRecord]
    real: Path | None
    samples: Mapping[int, Path]
    alarms: Alarms = field(default_factory=Alarms)
    published: bool = False
    diagnosis: "Diagnosis | None" = None


def read(runs: Sequence[Path]) -> list[View]:
    """Read the runs in their order; a directory that is given twice is read once.

    Raises:
        RunError: no run is given, or one has no experiment.json, or cannot be read.
    """
    if not runs:
        raise RunError("a report: expected one run directory or more, got none; give the runs to show")
    paths = list({path.resolve(): path for path in runs}.values())
    return [_view(path, name) for path, name in zip(paths, names(paths), strict=True)]


def ordered(scores: Sequence[ScoreRecord]) -> list[ScoreRecord]:
    """Sort scores by their steps; scores at one step keep their order."""
    return sorted(scores, key=lambda score: score.step or 0)


def same_data(view: View) -> str:
    """Return a text that is the same for runs of the same data, of which seeds show other samples."""
    return json.dumps([view.experiment.get("data"), view.compute.get("data")], sort_keys=True)


def trained(samples: Mapping[int, Path]) -> dict[int, Path]:
    """Return the samples without those of step 0, before any training."""
    return {step: file for step, file in samples.items() if step > 0}


def _view(path: Path, name: str) -> View:
    files = Directory(path)
    refuse_nothing_to_show(path)
    return View(
        name=name,
        path=path,
        experiment=completed(described_to_show(path / EXPERIMENT)),
        compute=described_to_show(path / ARITHMETIC) if files.holds(ARITHMETIC) else {},
        log=read_log(path / LOG),
        scores=read_scores(path / SCORES),
        real=real_snapshot(files),
        samples=_samples(files),
        alarms=read_alarms(path / ALARMS),
        published=_is_published(files),
    )


def _is_published(files: Directory) -> bool:
    """Whether the last checkpoint holds weights alone; not of one that cannot be read."""
    try:
        last = max(name for name in files.names(CHECKPOINTS) if name.isdecimal())
        state = described_to_show(files.path(f"{CHECKPOINTS}/{last}/{STATE}")).get("state")
    except (OSError, ValueError, RunError):
        return False
    return isinstance(state, dict) and state.get(PUBLISHED) is True


def _samples(files: Directory) -> dict[int, Path]:
    try:
        return dict(snapshots(files))
    except OSError as error:
        raise unreadable(error, files.root / SAMPLES, "put the folder back, or leave this run out") from error
