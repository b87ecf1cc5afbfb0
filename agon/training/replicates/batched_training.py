"""Batched training: trainings of one experiment under many seeds that make their steps together."""

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
OptimiserState = Mapping[str, Tensor | None]


class BatchedTraining:
    """S trainings whose games are one batched game.

    Each remains a complete training, with its own streams, data, average and position. Its parameters and
    buffers become views of the stacked ones, so it can be read as if it were trained alone.

    Args:
        trainings: trainings of one experiment under different seeds, at the same step; modified.

    Raises:
        SettingError: an optimiser is not known to be elementwise, or its state differs between the seeds
            in more than its tensors.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        first = trainings[0]
        if first.dynamics.parts > 1:
            raise SettingError(f"batched seeds: expected whole batches, got accumulate above 1; use {APART}", APART)
        self.trainings, self.compute, self.dynamics = trainings, first.compute, _compiled(first)
        self.game = batched_game([training.game for training in trainings])
        parts = {player: first.experiment.optimiser(player) for player in self.game.players}
        for player, part in parts.items():
            _refuse(player, part.make)
        self.optimisers = {p: build_optimiser(part, parameters_of(self.game, p)) for p, part in parts.items()}
        self._take_moments()
        self._share_tensors()

    def advance(self) -> Losses:
        """Make one step of every training; `own` separates the losses."""
        with self.compute.autocast():
            losses = self.dynamics.step(self.game, self.optimisers, self.draw)
        for training in self.trainings:
            training.finish_step()
        self._take_settings()
        return losses

    def draw(self) -> Batch:
        """The trainings' next batches, stacked."""
        return stack_batches([training.draw() for training in self.trainings])

    def finite(self, losses: Losses) -> list[bool]:
        """For each training, whether all of its losses are finite."""
        values = torch.stack([player_losses.float() for player_losses in losses_of_each(losses).values()])  # "p s"
        finite: list[bool] = values.isfinite().all(dim=0).tolist()
        return finite

    def own(self, index: int, losses: Losses) -> Losses:
        """The losses of one training in the last step; also gives the training its gradients and moments."""
        training = self.trainings[index]
        for player, optimiser in self.optimisers.items():
            for stacked, *parameters in self._pairs(player):
                parameter = parameters[index]
                parameter.grad = None if stacked.grad is None else stacked.grad[index]
                state = optimiser.state.get(stacked, {})
                moments = {name: _slice(name, value, stacked, index) for name, value in state.items()}
                if moments:
                    training.optimisers[player].state[parameter] = moments
        return of_seed(losses, index)

    def _take_moments(self) -> None:
        """Take the optimisers' states from the trainings, which may have made steps already."""
        self._take_settings()
        for player, optimiser in self.optimisers.items():
            optimisers = [training.optimisers[player] for training in self.trainings]
            for stacked, *parameters in self._pairs(player):
                states: list[OptimiserState] = [
                    one.state.get(p, {}) for one, p in zip(optimisers, parameters, strict=True)
                ]
                for name in states[0]:
                    optimiser.state[stacked][name] = _joined(name, [state[name] for state in states], parameters[0])

    def _take_settings(self) -> None:
        """Take the optimisers' settings, such as scheduled rates, which are the same for all seeds."""
        for player, optimiser in self.optimisers.items():
            groups = self.trainings[0].optimisers[player].param_groups
            for group, settings in zip(optimiser.param_groups, groups, strict=True):
                group.update({name: value for name, value in settings.items() if name != "params"})

    def _pairs(self, player: str) -> Iterator[tuple[torch.nn.Parameter, ...]]:
        """Each stacked parameter of a player, followed by the trainings' parameters."""
        games = [self.game, *(training.game for training in self.trainings)]
        return zip(*(parameters_of(game, player) for game in games), strict=True)

    def _share_tensors(self) -> None:
        """Make the trainings' parameters and buffers views of the stacked ones."""
        stacked = _tensors(self.game.skeleton)
        for index, training in enumerate(self.trainings):
            for name, tensor in _tensors(training.game).items():
                tensor.data = stacked[name].data[index]


def _compiled(training: Training) -> Dynamics:
    """The dynamics, with a compiled look-ahead if a training alone would have one and it is possible."""
    dynamics, choice = training.experiment.dynamics, training.compute.compile
    due = choice == "on" or (choice == "auto" and training.experiment.steps >= WORTH)
    possible = training.device.type != "cpu" or shutil.which("g++") is not None
    return CompiledUnrolled.of(dynamics) if isinstance(dynamics, Unrolled) and due and possible else dynamics


def _tensors(game: Game) -> dict[str, Tensor]:
    return {**dict(game.named_parameters()), **dict(game.named_buffers())}


def _refuse(player: str, optimiser_class: object) -> None:
    if optimiser_class not in {getattr(torch.optim, name) for name in ELEMENTWISE}:
        raise SettingError(
            f"batched seeds: expected an optimiser for {player} out of {', '.join(ELEMENTWISE)}, "
            f"got {getattr(optimiser_class, '__name__', optimiser_class)}; use {APART}",
            APART,
        )


def _is_stacked(name: str, value: object, parameter: Tensor) -> bool:
    """Whether a value of an optimiser's state has its parameter's shape, as all values but counters do."""
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
