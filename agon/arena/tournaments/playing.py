"""Play a tournament: make each generator's samples once, let each critic judge each of them once, and rate all."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agon import __version__
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import rate
from agon.arena.tournaments.admission import Field, admitted, nobody
from agon.arena.tournaments.entrants import Entrant, Trained
from agon.arena.tournaments.grids import KEPT, keep_grid
from agon.arena.tournaments.ground import TournamentSettings
from agon.arena.tournaments.judging import judged
from agon.arena.tournaments.sharing import fill
from agon.arena.tournaments.standings import TournamentResult
from agon.arena.tournaments.store import StorageError, Store
from agon.errors import AgonError, as_agon_error
from agon.figures.pictures import pictured, to_uint8
from agon.jobs import PROCESSES, Place, needs_jobs
from agon.metrics.auroc import PROTOCOL, Area
from agon.metrics.gam.entrants import Range
from agon.runs import Run
from agon.runs.entered import entries
from agon.terminal.waiting import tracked, waiting


def tournament(
    runs: Sequence[Run | Path | str],
    out: Path | str | None = None,
    *,
    settings: TournamentSettings = TournamentSettings(),  # noqa: B008 - frozen
    references: bool = True,
    values: tuple[float, float] | None = None,
    trust: bool = False,
    processes: int = 1,
    on: Place = PROCESSES,
    show: bool = True,
) -> TournamentResult:
    """Let everyone meet everyone: each critic judges each generator's samples, and ratings explain the areas.

    N generators and M critics take N generations and N·M passes of n samples through critics, beside one pass of the
    held-out real samples through each critic. What was computed is kept in the folder by the checksum of the weights
    and of all settings that it follows from, so that a tournament that was interrupted goes on, and one more run
    costs one generation and its own meetings. Samples are on the disk, not in memory. Neither the order of the runs
    nor what was kept changes the result.

    Who cannot take part is left out, with a sentence: unfinished, diverged and damaged runs, runs on other data than
    most, and samples of another shape.

    Args:
        runs: runs, their checkpoints as "RUN@STEP" ("RUN@0" is the run before its training), folders of runs, and
            folders or files of samples, which have no critic. Runs that differ in their seed alone are one contestant.
        out: folder of the result, tournament.json, and of what is kept; None keeps nothing.
        settings: settings of the tournament.
        references: whether held-out real samples ("real") and an untrained generator ("untrained") take part, as the
            ceiling and the floor.
        values: (low, high) of pixels of samples that are not bytes.
        trust: whether classes from outside agon may be imported.
        processes: number of processes that make samples and judge; it changes no digit.
        on: "processes" of this machine, "ray", "ray://HOST:PORT", or with time limits an `agon.jobs.OnProcesses` or
            `OnRay`.
        show: whether to print the progress.

    Returns:
        The matrix of areas, the ratings, and who was left out.

    Raises:
        DataError: nobody can take part, or nothing is at a path.
        RunError: the folder holds other files, cannot be written, or is in use.
        TimeLimitError: some work took too long, and is named; what is done is kept.
        Interrupted: SIGINT or SIGTERM came to several processes; what is done is kept.
    """
    found = [entry for run in runs for entry in entries(run.path if isinstance(run, Run) else run)]
    with _folder(out) as folder, waiting(show):
        store = Store(folder)
        with store.locked():
            field = admitted(found, settings, references=references, values=values, trust=trust)
            if processes > 1 or needs_jobs(on):
                fill(field, folder.resolve(), processes, show, on)
            result = _played(field, store)
            if out is not None:
                result.write(folder)
    return result


@contextmanager
def _folder(out: Path | str | None) -> Iterator[Path]:
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="agon-tournament-") as folder:
        yield Path(folder)


def _played(field: Field, store: Store) -> TournamentResult:
    keys, counts = _sampled(field, store)
    ranges = {keys[each.name]: each.range(field.ground) for each in field.entrants if each.name in keys}
    if pictured(field.ground.source.shape):
        _keep_grids(keys, ranges, store)
    areas: dict[str, Mapping[str, Area]] = {}
    for critic in [each for each in field.entrants if isinstance(each, Trained) and each.may_judge]:
        if critic.name in field.left_out:
            continue
        try:
            areas[critic.name], failed = judged(critic, ranges, field.ground, store)
        except StorageError:
            raise
        except AgonError as error:
            field.left_out[f"{critic.name} (critic)"] = str(error)
        else:
            names = {key: name for name, key in keys.items()}
            reasons = {f"{names[key]} before {critic.name}'s critic": reason for key, reason in failed.items()}
            field.left_out |= reasons
    if not areas or not keys:
        raise nobody(field.left_out)
    matrix = _matrix(field, keys, counts, areas)
    return TournamentResult(
        matrix=matrix,
        ratings=rate(matrix, references=[name for name in field.references if name in keys]),
        left_out=dict(sorted(field.left_out.items())),
        protocol=_protocol(field, counts),
        places={each.name: each.place for each in field.entrants if each.name not in field.left_out},
        steps={each.name: each.step for each in field.entrants if isinstance(each, Trained) and each.finished},
    )


def _sampled(field: Field, store: Store) -> tuple[dict[str, str], dict[str, int]]:
    """Make the samples that the store lacks; return the key and the number of the samples of each generator."""
    keys: dict[str, str] = {}
    counts: dict[str, int] = {}
    generators = [each for each in field.entrants if each.may_generate]
    for each in tracked(generators, "samples", len(generators)):
        try:
            key, counts[each.name] = _kept(each, field, store)
        except StorageError:
            raise
        except (AgonError, RuntimeError, MemoryError) as error:
            known = error if isinstance(error, AgonError) else as_agon_error(error)
            if known is None:
                raise
            field.left_out[each.name] = str(known)
        else:
            keys[each.name] = key
    return keys, counts


def _kept(each: Entrant, field: Field, store: Store) -> tuple[str, int]:
    """Make an entrant's samples, unless the store has them; return their key and their number."""
    key = each.key(field.ground)
    samples = store.samples(key)
    if samples is not None:
        return key, len(samples)
    return key, store.keep_samples(key, each.blocks(field.ground))


def _keep_grids(keys: Mapping[str, str], ranges: Mapping[str, Range], store: Store) -> None:
    """Keep the first samples of each as a picture, for the page of the tournament."""
    for name, key in keys.items():
        samples = store.samples(key)
        if samples is not None:
            first = torch.from_numpy(np.array(samples[:KEPT]))
            keep_grid(store.folder, name, to_uint8(first, *ranges[key]).numpy())


def _matrix(
    field: Field, keys: Mapping[str, str], counts: Mapping[str, int], areas: Mapping[str, Mapping[str, Area]]
) -> AreaMatrix:
    generators = [each.name for each in field.entrants if each.name in keys]
    critics = [each.name for each in field.entrants if each.name in areas]
    missing = Area(float("nan"), float("nan"), 0, 0)
    table = [[areas[critic].get(keys[generator], missing) for critic in critics] for generator in generators]
    present = {*generators, *critics}
    return AreaMatrix(
        generators=tuple(generators),
        critics=tuple(critics),
        contestants={each.name: each.contestant for each in field.entrants if each.name in present},
        areas=np.array([[area.value for area in row] for row in table]),
        errors=np.array([[area.error for area in row] for row in table]),
        n=field.ground.settings.n,
        n_real=len(field.ground.real.compared),
        samples={name: count for name, count in counts.items() if count != field.ground.settings.n},
    )


def _protocol(field: Field, counts: Mapping[str, int]) -> dict[str, Any]:
    """How the areas were measured, as JSON values."""
    settings, real = field.ground.settings, field.ground.real
    return {
        "area": PROTOCOL,
        "n": settings.n,
        "seed": settings.seed,
        "statistics": settings.statistics,
        "weights": "generators: averaged where the run averages any; critics: of the checkpoint's step",
        "real": {name: len(samples) for name, samples in real._asdict().items()},
        "data": field.ground.fingerprint,
        "samples": dict(counts),
        "steps": {each.name: each.step for each in field.entrants if isinstance(each, Trained)},
        "version": __version__,
        "torch": torch.__version__,
    }
