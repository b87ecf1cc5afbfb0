"""The players of one run at many steps, every generator before every critic, whose samples are made once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from agon.arena.battles.contenders import Contender
from agon.arena.ratings.matrix import AreaMatrix
from agon.data.order import generator
from agon.errors import CheckpointError, DataError, command
from agon.metrics.auroc import Area, auroc
from agon.metrics.gam.critic import Judge, Statistics, judge_of, judges, needs_held, reestimates
from agon.metrics.gam.entrants import RealSamples, set_apart
from agon.runs import Run
from agon.terminal.waiting import tracked
from agon.training import Training

Load = Callable[[int], Training]


class PastCritic(NamedTuple):
    """A critic of an earlier or later step, and what it thinks of the real samples."""

    judge: Judge
    real: Float64[np.ndarray, " n_real"]

    def area(self, samples: Float[Tensor, "n ..."]) -> Area:
        """How often it finds a sample at least as real as a real one."""
        return auroc(self.judge.realness(samples), self.real)


@dataclass
class Field:
    """What all meetings of one run have in common: the real samples, the latents, and how critics normalise.

    Attributes:
        real: held-out real samples.
        n: number of generated samples at each step.
        seed: seed of the latents, the same at every step.
        statistics: statistics of a critic's batch normalisation, as in a battle.
    """

    real: RealSamples
    n: int
    seed: int
    statistics: Statistics

    def samples(self, training: Training) -> Float[Tensor, "n ..."]:
        """The samples of a step that are judged."""
        return self._drawn(training, self.n, "skill")

    def critic(self, training: Training) -> PastCritic:
        """The critic of a step, with its statistics found on held-out real samples and on own ones."""
        held = self.real.held
        own = None if held is None else self._drawn(training, len(held), "skill, held out")
        judge = judge_of(training.game, held, own, self.statistics)
        return PastCritic(judge, judge.realness(self.real.tested))

    def _drawn(self, training: Training, n: int, purpose: str) -> Tensor:
        latent, shape = training.experiment.latent, training.game.latent_shape
        samples = training.samples(latent.sample(n, shape, generator(purpose, self.seed)))
        broken = int((~samples.isfinite().flatten(1).all(1)).sum())
        if broken:
            raise DataError(f"step {training.step}: expected finite samples, got {broken} of {n} that are not")
        return samples


def field_of(run: Run, training: Training, n: int, seed: int, statistics: Statistics) -> Field:
    """Return the field of a run's meetings, with at most n real test samples.

    Raises:
        DataError: the run has no critic, or one that judges by labels; or it has too few test samples, or other data
            than it was trained on.
        SettingError: the critic has no such statistics.
    """
    if not judges(training.game) or not training.game.generating_players:
        kind = type(training.game).__name__.lower()
        raise DataError(
            f"skill: expected a run with a generator and a critic, got a {kind}; see {command('evaluate', run.path)}"
        )
    needs_held(training.game, statistics, calibrate=False)
    training.refuse_other_data()
    test = Contender(run, training, "").test_samples(n)
    return Field(set_apart(test, None, reestimates(training.game, statistics), seed), n, seed, statistics)


def name_of(step: int) -> str:
    """The name of a step's players in a matrix of areas.

    >>> name_of(1500)
    'step 1500'
    """
    return f"step {step}"


def meet(steps: Sequence[int], load: Load, field: Field) -> tuple[AreaMatrix, dict[int, str]]:
    """Let every generator of a run meet every critic.

    Each step's samples are made once, and every critic scores each set of them and the real samples once. The critics
    are kept in memory, the samples of one step at a time.

    Args:
        steps: steps of the run, in order.
        load: returns the run's training at a step, whose generator has averaged weights where the run averages.
        field: what the meetings have in common.

    Returns:
        The matrix of areas, and for each step that was left out the sentence that says why.
    """
    critics: dict[int, PastCritic] = {}
    left_out: dict[int, str] = {}
    for step in tracked(list(steps), "critics", len(steps)):
        try:
            critics[step] = field.critic(load(step))
        except (CheckpointError, DataError) as error:
            left_out[step] = str(error)
    areas: dict[int, dict[int, Area]] = {}
    for step in tracked(list(critics), "generators", len(critics)):
        try:
            samples = field.samples(load(step))
        except (CheckpointError, DataError) as error:
            left_out[step] = str(error)
        else:
            areas[step] = {other: critic.area(samples) for other, critic in critics.items()}
    return matrix_of(areas, list(areas), field), left_out


def matrix_of(areas: Mapping[int, Mapping[int, Area]], critics: Sequence[int], field: Field) -> AreaMatrix:
    """The matrix of the areas: step of the generator -> step of the critic -> area; NaN where the two did not meet."""
    values, errors = (
        np.array([[getattr(row[step], name) if step in row else np.nan for step in critics] for row in areas.values()])
        for name in ("value", "error")
    )
    names = [name_of(step) for step in dict.fromkeys((*areas, *critics))]
    return AreaMatrix(
        generators=tuple(map(name_of, areas)),
        critics=tuple(map(name_of, critics)),
        contestants={name: name for name in names},
        areas=values,
        errors=errors,
        n=field.n,
        n_real=len(field.real.tested),
    )
