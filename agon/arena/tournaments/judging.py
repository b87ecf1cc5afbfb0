"""One critic of a tournament: its statistics, its realness of real samples, and its areas of every generator."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from agon.arena.tournaments.entrants import Trained
from agon.arena.tournaments.ground import Ground
from agon.arena.tournaments.store import Store, blocks_of
from agon.errors import AgonError, RunError
from agon.metrics.auroc import Area, auroc
from agon.metrics.gam.critic import BLOCK, OWN, Judge, judge_of, needs_held, normalisations, reestimates
from agon.metrics.gam.entrants import Range, generated_samples, mapped
from agon.terminal.waiting import tracked
from agon.training import Training

Statistics = Mapping[str, np.ndarray]


def judged(
    critic: Trained, generators: Mapping[str, Range], ground: Ground, store: Store
) -> tuple[dict[str, Area], dict[str, str]]:
    """Return a critic's area of each generator, computed where the store has none yet, and kept there at once.

    Args:
        critic: an entrant that may judge.
        generators: key of each generator -> the range of its samples, which the store has.
        ground: of the tournament.
        store: of the tournament.

    Returns:
        Generator's key -> area, and generator's key -> why the critic could not judge it.

    Raises:
        AgonError: the critic cannot judge.
    """
    key = critic.critic_key(ground)
    areas = store.areas(key)
    missing = [generator for generator in generators if generator not in areas]
    failed: dict[str, str] = {}
    if missing:
        judge = _prepared(critic, ground, store)
        target = critic.range(ground)
        real = _real_scores(judge, critic, ground, store)
        for generator in tracked(missing, f"{critic.name}'s critic", len(missing)):
            try:
                areas[generator] = auroc(scored(judge, _samples(store, generator), generators[generator], target), real)
            except AgonError as error:
                failed[generator] = str(error)
            else:
                store.keep_areas(key, areas)
    return {generator: areas[generator] for generator in generators if generator in areas}, failed


def scored(
    judge: Judge, samples: Float[np.ndarray, "n ..."], source: Range, target: Range
) -> Float64[np.ndarray, " n"]:
    """A critic's realness of samples on the disk, of which one block at a time is in memory."""
    blocks = blocks_of(samples, OWN if judge.block is None else BLOCK)
    return np.concatenate([judge.realness(mapped(block, source, target)) for block in blocks])


def _samples(store: Store, generator: str) -> Float[np.ndarray, "n ..."]:
    samples = store.samples(generator)
    if samples is None:
        raise RunError(f"{store.folder}: samples disappeared while critics judged them; begin again")
    return samples


def _real_scores(judge: Judge, critic: Trained, ground: Ground, store: Store) -> Float64[np.ndarray, " m"]:
    """The critic's realness of the held-out real samples, from the store if it is there."""
    key = critic.critic_key(ground)
    scores = store.real(key)
    if scores is None:
        real = ground.real.compared.numpy()
        scores = scored(judge, real, ground.range, critic.range(ground))
        store.keep_real(key, scores)
    return scores


def _prepared(critic: Trained, ground: Ground, store: Store) -> Judge:
    """Load a critic with its statistics, from the store if they are there.

    Raises:
        AgonError: it cannot be loaded, or judges by labels.
    """
    training, statistics = critic.load(), ground.settings.statistics
    needs_held(training.game, statistics, False)
    if not reestimates(training.game, statistics):
        return judge_of(training.game, None, None, statistics)
    key = critic.critic_key(ground)
    known = store.statistics(key)
    if known is not None:
        judge = judge_of(training.game, None, None, "running")
        _set_statistics(judge, known)
        return judge
    real = mapped(ground.real.statistics.float(), ground.range, critic.range(ground))
    judge = judge_of(training.game, real, _own(training, len(real), ground.settings.seed), statistics)
    store.keep_statistics(key, _statistics_of(judge))
    return judge


def _own(training: Training, n: int, seed: int) -> Tensor:
    """Samples of a critic's own generator, for its statistics alone."""
    with training.painting() as paint:
        return generated_samples(training.game, training.experiment.latent, paint, n, 0, seed)


def _layers(judge: Judge) -> Iterable[tuple[str, torch.nn.Module]]:
    names = {id(module): name for name, module in judge.game.named_modules()}
    return [(names[id(layer)], layer) for layer in normalisations(judge.game)]


def _statistics_of(judge: Judge) -> Statistics:
    return {
        f"{name}.{buffer}": values.detach().cpu().numpy()
        for name, layer in _layers(judge)
        for buffer, values in layer.named_buffers(recurse=False)
    }


@torch.no_grad()
def _set_statistics(judge: Judge, statistics: Statistics) -> None:
    for name, layer in _layers(judge):
        for buffer, values in layer.named_buffers(recurse=False):
            values.copy_(torch.from_numpy(statistics[f"{name}.{buffer}"]))
