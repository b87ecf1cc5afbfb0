"""Batched training: trainings of one experiment that make their steps together, as one program."""

import shutil
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from agon.dynamics import Dynamics, Unrolled
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import Change, SettingError
from agon.games import Batch, Game, Losses, parameters_of
from agon.training.compilation import WORTH
from agon.training.optimisers import build_optimiser
from agon.training.replicates.batched_game import batched_game, losses_of_each, of_seed, stack_batches
from agon.training.training import Training

APART = Change("strategy", "processes", "--strategy processes")
ELEMENTWISE = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "RAdam", "Rprop")
State = Mapping[str, Tensor | None]


class BatchedTraining:
    """S trainings whose games are one batched game.

    Each stays a whole training, with its own streams, data, average and position: its parameters and
    buffers become views of the stacked ones, so whatever looks at it finds it where it would be alone.

    Args:
        trainings: of one experiment under different seeds, at the same step; taken over.

    Raises:
        SettingError: an optimiser that is not known to treat every number by itself, or whose state
            differs between the seeds in more than its tensors.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        first = trainings[0]
        self.trainings, self.compute, self.dynamics = trainings, first.compute, _compiled(first)
        self.game = batched_game([training.game for training in trainings])
        parts = {player: first.experiment.optimiser(player) for player in self.game.players}
        for player, part in parts.items():
            _refuse(player, part.make)
        self.optimisers = {p: build_optimiser(part, parameters_of(self.game, p)) for p, part in parts.items()}
        self._take_moments()
        self._lend()

    def advance(self) -> Losses:
        """One step of every training; `own` tells them apart."""
        with self.compute.autocast():
            losses = self.dynamics.step(self.game, self.optimisers, self.draw)
        for training in self.trainings:
            if training.average is not None:
                training.average.update(training.game, training.step)
            training.step += 1
        return losses

    def draw(self) -> Batch:
        """Each training's own next batch, stacked."""
        return stack_batches([training.draw() for training in self.trainings])

    def finite(self, losses: Losses) -> list[bool]:
        """Whether all losses of a training are finite numbers."""
        each = torch.stack([own.float() for own in losses_of_each(losses).values()])  # "p s"
        finite: list[bool] = each.isfinite().all(dim=0).tolist()
        return finite

    def own(self, index: int, losses: Losses) -> Losses:
        """What one training saw in the step just done; it has its gradients and moments from here on."""
        training = self.trainings[index]
        for player, optimiser in self.optimisers.items():
            for all_, *mine in self._pairs(player):
                one = mine[index]
                one.grad = None if all_.grad is None else all_.grad[index]
                moments = {name: _slice(name, v, all_, index) for name, v in optimiser.state.get(all_, {}).items()}
                if moments:
                    training.optimisers[player].state[one] = moments
        return of_seed(losses, index)

    def _take_moments(self) -> None:
        """Carry on from the optimisers of the trainings, which may have made steps already."""
        for player, optimiser in self.optimisers.items():
            theirs = [training.optimisers[player] for training in self.trainings]
            for group, own in zip(optimiser.param_groups, theirs[0].param_groups, strict=True):
                group.update({name: value for name, value in own.items() if name != "params"})
            for all_, *mine in self._pairs(player):
                states: list[State] = [each.state.get(p, {}) for each, p in zip(theirs, mine, strict=True)]
                for name in states[0]:
                    optimiser.state[all_][name] = _joined(name, [state[name] for state in states], mine[0])

    def _pairs(self, player: str) -> Iterator[tuple[torch.nn.Parameter, ...]]:
        """Every stacked parameter of a player, followed by those of the trainings."""
        games = [self.game, *(training.game for training in self.trainings)]
        return zip(*(parameters_of(game, player) for game in games), strict=True)

    def _lend(self) -> None:
        """Make the trainings' parameters and buffers views of the stacked ones."""
        together = _tensors(self.game.skeleton)
        for index, training in enumerate(self.trainings):
            for name, mine in _tensors(training.game).items():
                mine.data = together[name].data[index]


def _compiled(training: Training) -> Dynamics:
    """The dynamics, their look-ahead compiled where it is for a training alone, and where it can be."""
    dynamics, how = training.experiment.dynamics, training.compute.compile
    due = how == "on" or (how == "auto" and training.experiment.steps >= WORTH)
    possible = training.device.type != "cpu" or shutil.which("g++") is not None
    return CompiledUnrolled.of(dynamics) if isinstance(dynamics, Unrolled) and due and possible else dynamics


def _tensors(game: Game) -> dict[str, Tensor]:
    return {**dict(game.named_parameters()), **dict(game.named_buffers())}


def _refuse(player: str, kind: object) -> None:
    if kind not in {getattr(torch.optim, name) for name in ELEMENTWISE}:
        raise SettingError(
            f"batched seeds: expected an optimiser for {player} out of {', '.join(ELEMENTWISE)}, "
            f"got {getattr(kind, '__name__', kind)}; use {APART}",
            APART,
        )


def _is_stacked(name: str, value: object, parameter: Tensor) -> bool:
    """Whether a value of an optimiser's state has the shape of its parameter: all but counters have."""
    return isinstance(value, Tensor) and name != "step" and value.shape == parameter.shape


def _slice(name: str, value: Tensor | None, parameter: Tensor, index: int) -> Tensor | None:
    if value is None:
        return None
    return value[index] if _is_stacked(name, value, parameter) else torch.as_tensor(value).clone()


def _joined(name: str, values: Sequence[Tensor | None], parameter: Tensor) -> Tensor | None:
    present = [value for value in values if value is not None]
    if present and _is_stacked(name, present[0], parameter):
        return torch.stack(present)
    if len({None if value is None else float(value) for value in values}) > 1:
        raise SettingError(f"batched seeds: expected optimisers with the same {name}, got {values}")
    return present[0].clone() if present else None
