"""Names of the files and folders of a run; no other module spells them out."""

import re
from pathlib import Path

from agon.runs.directory import Directory

EXPERIMENT = "experiment.json"  # the complete description of the training; a run exists if this file does
ARITHMETIC = "arithmetic.json"  # settings that change the arithmetic, and versions
INIT = "init.json"  # what a training took from the run that it began from
LOG = "log.jsonl"  # a record each interval
EVENTS = "tensorboard"  # the same numbers as TensorBoard events, and the pictures
TRACKING = "tracking.json"  # another program that has them too, and the id of the run there
SCORES = "metrics.jsonl"  # a record each score
ALARMS = "alarms.jsonl"  # a record each alarm of the training, and what was looked at
ATTACHMENTS = "metrics"  # pictures and arrays of scores
SAMPLES = "samples"  # snapshots: real samples, and those of the same latents over time
CHECKPOINTS = "checkpoints"
STATE = "state.json"  # in the folder of a checkpoint
PUBLISHED = "released"  # entry of a checkpoint's state that says that it holds weights alone
HISTORY = "history"  # light checkpoints of steps over the whole training
SKILL, SKILL_PICTURE = "skill.json", "skill.png"  # the skill of these, and its curve
REPORT = "report.html"
REPLICATES = "replicates.json"  # in a directory of replicates, which holds a run for each seed
SWEEP = "sweep.json"  # in the directory of a sweep, which holds a directory of replicates for each trial
PAPER = "paper.json"  # in a mirrored folder of a paper, which holds pages, and runs below: which paper, at which scale
MIRROR = "mirror.json"  # in storage: names all objects of a run with their checksums
STORAGE = "storage.json"  # in a directory that is mirrored: the address of its storage
RUN_LOCK, SCORES_LOCK = "run.lock", "metrics.lock"  # held by the process that trains or scores

LEFTOVERS = frozenset(
    {SAMPLES, CHECKPOINTS, ARITHMETIC, STORAGE, RUN_LOCK, SCORES_LOCK}
)  # of a run killed before it existed

REAL = "real"  # the snapshot of real samples
IMAGES, POINTS = ".png", ".npy"  # endings of snapshots
SNAPSHOT = re.compile(r"([0-9]{8,18})\.(png|npy)")  # the step, and what is kept
PAGE = r"(figure|table|section|appendix)[\w.]*\.(md|json|png|gif)"  # of an item, in a folder of a paper
TRIAL = r"\w[\w.+=,-]*"  # a trial's directory of replicates, in the directory of a sweep


def snapshots(files: Directory) -> list[tuple[int, Path]]:
    """Return each step with the file of its snapshot, in the order of the steps.

    Raises:
        OSError: the folder of snapshots is not a folder, or cannot be read.
    """
    matches = [match for name in files.names(SAMPLES) if (match := SNAPSHOT.fullmatch(name))]
    return sorted((int(match[1]), files.root / SAMPLES / match[0]) for match in matches)


def real_snapshot(files: Directory) -> Path | None:
    """Return the file of the real samples, if there is one."""
    names = [f"{SAMPLES}/{REAL}{ending}" for ending in (IMAGES, POINTS)]
    return next((files.root / name for name in names if files.holds(name)), None)
