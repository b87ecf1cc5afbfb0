"""Runs in folders, and runs that are seeds of one experiment."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agon.runs.description import described_to_show
from agon.runs.directory import Directory
from agon.runs.layout import EXPERIMENT
from agon.runs.naming import names


def runs_in(path: Path) -> list[Path]:
    """Return the path itself if it is a run, else the runs directly in that folder, in the order of their names.

    Numbers in names count as numbers. A path that is neither is returned as it is, for the caller to refuse.
    """
    if Directory(path).holds(EXPERIMENT) or not path.is_dir():
        return [path]
    inside = [child for child in path.iterdir() if not child.is_symlink() and Directory(child).holds(EXPERIMENT)]
    return sorted(inside, key=natural) or [path]


def by_experiment(runs: Sequence[Path]) -> dict[str, list[Path]]:
    """Group runs whose experiments differ in their seed alone, under the shortest distinct names.

    A second run of the same seed is no further seed: it is in another group.

    A run alone has its own name. Several seeds have the name of their folder if it holds no other run of `runs`, else
    that of the first seed and the number of the others.

    Args:
        runs: at least one; a run that is given twice counts once.

    Raises:
        RunError: an experiment cannot be read.
    """
    groups: dict[tuple[str, int], list[Path]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for run in {run.resolve(): run for run in runs}.values():
        settings, seed = _settings(run)
        groups.setdefault((settings, seen[settings, seed]), []).append(run)
        seen[settings, seed] += 1
    members = list(groups.values())
    folders = [_folder(group, runs) for group in members]
    short = names([folder or group[0] for folder, group in zip(folders, members, strict=True)])
    return {
        name if folder or len(group) == 1 else f"{name} and {len(group) - 1} more": group
        for name, folder, group in zip(short, folders, members, strict=True)
    }


def _folder(group: Sequence[Path], runs: Sequence[Path]) -> Path | None:
    """Return the folder of a group of seeds, if they have one of their own."""
    parents = {run.resolve().parent for run in group}
    inside = [run for run in {run.resolve() for run in runs} if run.parent in parents]
    return parents.pop() if len(group) > 1 and len(parents) == 1 and len(inside) == len(group) else None


def _settings(run: Path) -> tuple[str, str]:
    """Return the settings of a run without its seed, and its seed, as texts."""
    experiment = described_to_show(run / EXPERIMENT)
    seed = json.dumps(experiment.pop("seed", None))
    return json.dumps(experiment, sort_keys=True), seed


def natural(path: Path) -> list[tuple[int, str]]:
    """A key that sorts seed-2 before seed-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
