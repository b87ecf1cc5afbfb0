"""Admit entrants to a tournament: who has the same data and whole weights; who has not is left out, with a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agon.arena.tournaments.entrants import Entrant, Foreign, Real, Trained, Untrained
from agon.arena.tournaments.ground import (
    Fingerprints,
    Ground,
    TournamentSettings,
    common,
    ground_of,
    most_common,
)
from agon.arena.tournaments.naming import Named, named
from agon.errors import AgonError, DataError, RunError, command
from agon.experiment import Experiment
from agon.runs import Run, checkpoints
from agon.runs.entered import Entry
from agon.terminal.waiting import stage, tracked
from agon.training.training import OTHER_DATA
from agon.untrusted import listed

REAL, UNTRAINED = "real", "untrained"  # names of the reference contestants


@dataclass
class Field:
    """Who takes part.

    Attributes:
        ground: what they have in common.
        entrants: in the order of the matrix: by contestant, then the references.
        left_out: name -> why it does not take part.
        references: names of the entrants that are rated without a say in the ratings of others.
    """

    ground: Ground
    entrants: list[Entrant]
    left_out: dict[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()


def admitted(
    entries: Sequence[Entry],
    settings: TournamentSettings,
    *,
    references: bool,
    values: tuple[float, float] | None,
    trust: bool,
) -> Field:
    """Admit runs on the data that most of them have, samples of that shape, and the references.

    Raises:
        DataError: no run can take part.
    """
    everyone, left_out = named(entries, (REAL, UNTRAINED) if references else ())
    runs: list[Trained | Untrained] = []
    begun: dict[str, str] = {}
    for each in tracked(everyone, "looking at runs", len(everyone)):
        if each.entry.is_run:
            try:
                run, begun[each.name] = _opened(each, trust)
                runs.append(run)
            except AgonError as error:
                left_out[each.name] = str(error)
    with stage("held-out real samples"):
        ground = _ground(runs, begun, settings, left_out)
    runs = [run for run in runs if run.name not in left_out]
    entrants: dict[str, Entrant] = {run.name: run for run in runs}
    for each in everyone:
        if not each.entry.is_run:
            place = {"name": each.name, "contestant": each.contestant, "place": str(each.entry.path.resolve())}
            entrants[each.name] = Foreign(**place, path=each.entry.path, values=values)
    ordered = [entrants[each.name] for each in everyone if each.name in entrants]
    if not references:
        return Field(ground, ordered, left_out)
    return Field(ground, ordered + _references(runs[0]), left_out, (UNTRAINED, REAL))


def _references(run: Trained | Untrained) -> list[Entrant]:
    """The floor, which is the first run before its training, and the ceiling."""
    floor = Untrained(
        name=UNTRAINED, contestant=UNTRAINED, place=run.place, run=run.run, experiment=run.experiment, trust=run.trust
    )
    return [floor, Real(name=REAL, contestant=REAL, place="")]


def _opened(each: Named, trust: bool) -> tuple[Trained | Untrained, str]:
    """Open a run at the checkpoint that is meant, and tell the checksum of the data that it was begun with.

    Raises:
        AgonError: it cannot be read, or is not finished.
    """
    run = Run.open(each.entry.path)
    experiment = Experiment.from_json(run.experiment, trust)
    shared = {"name": each.name, "contestant": each.contestant, "place": str(run.path.resolve())}
    if each.entry.step == 0:
        return Untrained(**shared, run=run, experiment=experiment, trust=trust), ""
    step = _step(run, each.entry, experiment)
    weights, state = checkpoints.verified(run.place(step))
    entrant = Trained(**shared, run=run, step=step, weights=weights, experiment=experiment, trust=trust)
    return entrant, str(state.get("fingerprint", ""))


def _step(run: Run, entry: Entry, experiment: Experiment) -> int:
    """The step of the checkpoint that is meant.

    Raises:
        RunError: there is none, or the run is not finished.
    """
    kept, every = run.kept, sorted({*run.kept, *run.past})
    if not kept:
        raise RunError(f"{run.path} has no checkpoint yet; {command('resume', run.path)} makes one")
    if entry.step is not None:
        if entry.step not in every:
            raise RunError(f"{run.path}: expected the step of a checkpoint, got {entry.step}; it has {listed(every)}")
        return entry.step
    if kept[-1] < experiment.steps:
        raise RunError(
            f"{run.path} is not finished, or has diverged: its last checkpoint is of step {kept[-1]} of "
            f"{experiment.steps}; {command('resume', run.path)} goes on, and {run.path}@{kept[-1]} enters as it is"
        )
    return kept[-1]


def _ground(
    runs: Sequence[Trained | Untrained], begun: dict[str, str], settings: TournamentSettings, left_out: dict[str, str]
) -> Ground:
    """Find the data that most runs have, and leave out the others.

    Raises:
        DataError: no run is left.
    """
    read, test = Fingerprints(), {}
    for run in runs:
        source = run.experiment.data
        try:
            if begun[run.name] not in ("", read(source, "train")):
                raise DataError(OTHER_DATA)
            test[run.name] = read(common(source), "test")
        except AgonError as error:
            left_out[run.name] = str(error)
    if not test:
        raise nobody(left_out)
    chosen = most_common(list(test.values()))
    host = next(run for run in runs if test.get(run.name) == chosen)
    for run in runs:
        if test.get(run.name, chosen) != chosen:
            left_out[run.name] = _other_data(run, host)
    return ground_of(common(host.experiment.data), chosen, settings)


def _other_data(run: Trained | Untrained, host: Trained | Untrained) -> str:
    shapes = [each.experiment.data.shape for each in (run, host)]
    what = f"samples of shape {shapes[0]}, not {shapes[1]}" if shapes[0] != shapes[1] else "other test samples"
    return f"it was trained on {what} as {host.name} and most others were; train it on their data"


def nobody(left_out: dict[str, str]) -> DataError:
    """The error for a tournament in which nobody is left."""
    reasons = listed([f"{name}: {reason}" for name, reason in left_out.items()]) if left_out else "got samples alone"
    return DataError(f"a tournament: expected at least one run with a critic; {reasons}")
