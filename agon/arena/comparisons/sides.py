"""The two sides of a comparison: the finished runs of one experiment each, with their recorded scores."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agon.errors import AgonError, DataError, RunError, SettingError, command
from agon.experiment.codec import completed
from agon.runs import Run, names
from agon.runs.description import described_to_show
from agon.runs.groups import runs_in
from agon.runs.layout import ARITHMETIC, EXPERIMENT
from agon.runs.named import local
from agon.runs.records import read as read_records
from agon.runs.scores import ScoreRecord, read_scores
from agon.runs.taken import refuse_no_run
from agon.untrusted import is_number, listed

Runs = Run | Path | str | Sequence[Run | Path | str]


class Replicate(NamedTuple):
    """A finished run of one seed.

    Attributes:
        name: shortest end of its path that differs from the other runs'.
        path: of its directory.
        seed: of its training.
        settings: everything else in its experiment, as plain values.
        fingerprint: of its data; empty if it is not recorded.
        scores: of its last step, in the order in which they were recorded.
    """

    name: str
    path: Path
    seed: int
    settings: Mapping[str, Any]
    fingerprint: str
    scores: Sequence[ScoreRecord]


class Side(NamedTuple):
    """The replicates of one experiment, by their seeds, and its name."""

    name: str
    replicates: Sequence[Replicate]

    @property
    def run_names(self) -> dict[int, str]:
        """Seed -> name of its run."""
        return {replicate.seed: replicate.name for replicate in self.replicates}

    @property
    def steps(self) -> list[int]:
        """For how many steps its runs were trained."""
        return [int(replicate.settings["steps"]) for replicate in self.replicates]

    @property
    def places(self) -> list[Path]:
        """Where its runs are: their folder, if there are several in one."""
        paths = [replicate.path for replicate in self.replicates]
        parents = {path.parent for path in paths}
        return paths if len(parents) > 1 or len(paths) == 1 else list(parents)


def paths_of(runs: Runs) -> list[Path]:
    """Return the directories of runs; a folder of runs stands for those in it.

    Raises:
        RunError: a path holds no run.
    """
    given = [runs] if isinstance(runs, Run | Path | str) else list(runs)
    found = [run for each in given for run in runs_in(local(each.path if isinstance(each, Run) else each))]
    for path in found:
        refuse_no_run(path)
    return list({path.resolve(): path for path in found}.values())


def sides(first: Sequence[Path], second: Sequence[Path]) -> tuple[tuple[Side, Side], dict[str, str]]:
    """Read both sides.

    Args:
        first: directories of runs.
        second: others.

    Returns:
        Both sides, and run's name -> the sentence that says why it is left out.

    Raises:
        RunError: a run is on both sides, or a side has no run that can be compared.
        SettingError: the runs of a side differ in more than their seed.
        DataError: the sides have other data.
    """
    _refuse_common(first, second)
    named = dict(zip([*first, *second], names([*first, *second]), strict=True))
    left_out: dict[str, str] = {}
    both = [_side(paths, named, left_out) for paths in (first, second)]
    titles = names([_place(first, second), _place(second, first)])
    titles = [
        title if len(side) == 1 or _folder(paths, other) else f"{title} and {len(side) - 1} more"
        for title, side, paths, other in zip(titles, both, (first, second), (second, first), strict=True)
    ]
    one, two = (Side(title, side) for title, side in zip(titles, both, strict=True))
    _refuse_other_data(one, two)
    return (one, two), left_out


def _refuse_common(first: Sequence[Path], second: Sequence[Path]) -> None:
    if not first or not second:
        raise RunError("a comparison: expected runs on both sides, got none on one; give runs, or folders of them")
    common = {path.resolve() for path in first} & {path.resolve() for path in second}
    if common:
        raise RunError(
            f"a comparison: expected different runs on the two sides, got {min(common)} on both; leave it out of one"
        )


def _side(paths: Sequence[Path], named: Mapping[Path, str], left_out: dict[str, str]) -> list[Replicate]:
    """Read the runs of a side by their seeds; what cannot be compared goes to `left_out`."""
    finished: list[Replicate] = []
    for path in paths:
        try:
            finished.append(_replicate(path, named[path]))
        except AgonError as error:
            left_out[named[path]] = str(error)
    if not finished:
        reasons = [f"{named[path]}: {left_out[named[path]]}" for path in paths]
        raise RunError(f"a comparison: expected a finished run on both sides, got {listed(reasons)}")
    _refuse_mixed(finished)
    by_seed: dict[int, Replicate] = {}
    for replicate in finished:
        first = by_seed.setdefault(replicate.seed, replicate)
        if first is not replicate:
            left_out[replicate.name] = f"it has seed {replicate.seed}, as {first.name} has"
    return [by_seed[seed] for seed in sorted(by_seed)]


def _replicate(path: Path, name: str) -> Replicate:
    """Read one run.

    Raises:
        RunError: it is unfinished or cannot be read.
    """
    run = Run(path)
    settings = completed(described_to_show(path / EXPERIMENT))
    seed, steps = settings.pop("seed", None), settings.get("steps")
    if type(seed) is not int or type(steps) is not int:
        raise RunError(f"{path / EXPERIMENT}: expected a seed and steps, got {seed!r:.40} and {steps!r:.40}")
    reached = _reached(run)
    if reached < steps:
        raise RunError(
            f"it stopped at step {reached} of {steps}, unfinished or diverged; "
            f"{command('resume', path)} goes on with it"
        )
    compute = described_to_show(path / ARITHMETIC) if run.files.holds(ARITHMETIC) else {}
    scores = [score for score in read_scores(run.metrics) if score.step in (None, steps)]
    return Replicate(name, path, seed, settings, str(compute.get("data") or ""), scores)


def _reached(run: Run) -> int:
    """The step that a run has reached, by its log and its checkpoints."""
    logged = (record.get("step") for record in read_records(run.log))
    return max([0, *run.kept, *(int(step) for step in logged if is_number(step))])


def _refuse_mixed(replicates: Sequence[Replicate]) -> None:
    first = replicates[0]
    for other in replicates[1:]:
        if other.settings != first.settings:
            differing = _differing(first.settings, other.settings)
            raise SettingError(
                f"a comparison: expected runs on a side that differ in their seed alone, got {first.name} and "
                f"{other.name}, which differ in {', '.join(differing)}; give one experiment on each side"
            )
        if first.fingerprint and other.fingerprint not in ("", first.fingerprint) and not _seeded(first):
            raise DataError(
                f"a comparison: expected runs on a side that were trained on the same data, got {first.name} and "
                f"{other.name} on other ones; train both on the same data"
            )


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """The settings in which two experiments differ."""
    return [name for name in dict.fromkeys([*first, *second]) if first.get(name) != second.get(name)]


def _refuse_other_data(first: Side, second: Side) -> None:
    """Refuse other data: by their content where it is known, and by their description."""
    one, two = first.replicates[0], second.replicates[0]
    if one.fingerprint and one.fingerprint == two.fingerprint:
        return
    described = [dict(each.settings.get("data") or {}) for each in (one, two)]
    ranges = [data.pop("range", None) for data in described]
    unknown = not (one.fingerprint and two.fingerprint) or _seeded(one)
    if described[0] != described[1] or (ranges[0] == ranges[1] and not unknown):
        raise DataError(
            f"a comparison: expected experiments on the same data, got {first.name} and {second.name} on other ones; "
            "scores of different data say nothing of each other: train both on the same data"
        )


def _seeded(replicate: Replicate) -> bool:
    """Whether the data come from the seed, as a toy's points do."""
    return dict(replicate.settings.get("data") or {}).get("points") is not None


def _place(paths: Sequence[Path], others: Iterable[Path]) -> Path:
    """The folder of a side's runs if it holds no run of the other side, else the first run."""
    return _folder(paths, others) or paths[0]


def _folder(paths: Sequence[Path], others: Iterable[Path]) -> Path | None:
    parents = {path.resolve().parent for path in paths}
    apart = len(paths) > 1 and len(parents) == 1 and not any(path.resolve().parent in parents for path in others)
    return parents.pop() if apart else None
