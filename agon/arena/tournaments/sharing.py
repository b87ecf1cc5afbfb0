"""A tournament's computation shared among processes, which write into the store that the caller then reads."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from signal import Signals as Signal

import torch

from agon.arena.tournaments.admission import Field
from agon.arena.tournaments.entrants import Entrant, Trained
from agon.arena.tournaments.ground import Ground
from agon.arena.tournaments.judging import judged
from agon.arena.tournaments.store import Store
from agon.errors import AgonError, Interrupted, TimeLimitError
from agon.experiment.scripts import values_under
from agon.jobs import PROCESSES, Job, Place, executor_for
from agon.metrics.gam.entrants import Range
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from agon.untrusted import listed


def fill(field: Field, folder: Path, processes: int, show: bool, on: Place = PROCESSES) -> None:
    """Make the samples, then the areas, that a tournament's store lacks, in several processes.

    All compute with as many threads as the caller, so that the numbers are the caller's own to the last bit. What fails
    is left to the caller, who meets the same error and says why.

    Args:
        field: who takes part.
        folder: the store's, which the caller has locked.
        processes: at most so many.
        show: whether to show the progress on standard error.
        on: "processes" of this machine, or a Ray cluster, whose machines share the folder's path.

    Raises:
        TimeLimitError: a job took too long; the others are done and kept.
        Interrupted: SIGINT or SIGTERM came; what is done is kept.
    """
    store, ground, threads = Store(folder), field.ground, torch.get_num_threads()
    keys = _keys(field)
    making = [each for each in field.entrants if each.name in keys and store.samples(keys[each.name]) is None]
    jobs = [_job("samples", each, partial(_make, each, ground, folder, threads)) for each in making]
    _do(jobs, processes, show, on)
    made = [each for each in field.entrants if each.name in keys and store.samples(keys[each.name]) is not None]
    ranges = {keys[each.name]: each.range(ground) for each in made}
    critics = [each for each in field.entrants if isinstance(each, Trained) and _lacks(each, ranges, ground, store)]
    jobs = [_job("critic", each, partial(_judge, each, ranges, ground, folder, threads)) for each in critics]
    _do(jobs, processes, show, on)


def _keys(field: Field) -> dict[str, str]:
    """The keys of the samples of all that can generate; samples that cannot be read have none."""
    keys = {}
    for each in field.entrants:
        if each.may_generate:
            with suppress(AgonError):
                keys[each.name] = each.key(field.ground)
    return keys


def _lacks(critic: Trained, generators: Mapping[str, Range], ground: Ground, store: Store) -> bool:
    """Whether the areas of a critic are not all in the store."""
    return critic.may_judge and not set(generators) <= set(store.areas(critic.critic_key(ground)))


def _job(what: str, each: Entrant, work: "partial[None]") -> Job:
    experiment = getattr(each, "experiment", None)
    imports = () if experiment is None else tuple(values_under(experiment.describe(), "import"))
    return Job(f"{each.name} ({what})", work, imports)


def _do(jobs: Sequence[Job], processes: int, show: bool, on: Place) -> None:
    if not jobs:
        return
    executor = executor_for(jobs, processes, on, threads=torch.get_num_threads())
    with MultiProgress({job.name: 1 for job in jobs}, show, alike=False) as progress:
        outcome = executor.run(progress)
    if outcome.signal:
        name, done = Signal(outcome.signal).name, len(outcome.ended)
        raise Interrupted(
            f"{name}: stopped; {done} of {len(jobs)} are done and kept; the same command goes on", outcome.signal
        )
    late = [f"{name}: {it.sentence}" for name, it in outcome.ended.items() if it.status == TimeLimitError.status]
    if late:  # the caller would do it again, without a limit
        raise TimeLimitError(f"{len(late)} of {len(jobs)} jobs failed ({listed(late)}); the same command goes on")


def _make(each: Entrant, ground: Ground, folder: Path, threads: int, _: ProgressFactory) -> None:
    torch.set_num_threads(threads)
    Store(folder).keep_samples(each.key(ground), each.blocks(ground))


def _judge(
    critic: Trained, generators: Mapping[str, Range], ground: Ground, folder: Path, threads: int, _: ProgressFactory
) -> None:
    torch.set_num_threads(threads)
    judged(critic, generators, ground, Store(folder))
