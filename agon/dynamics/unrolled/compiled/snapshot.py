"""What a compiled round takes for granted of a game and its optimisers, and whether it still holds."""

from collections.abc import Iterable
from itertools import chain
from operator import is_, itemgetter
from typing import Any

import torch
from torch import Tensor

from agon.dynamics.functional import RATE
from agon.dynamics.moves import Optimisers
from agon.dynamics.unrolled.functional_module import slots_of
from agon.games.game import Game


class Snapshot:
    """A game's and its optimisers' tensors, flags and settings, to be compared with what they are at each round.

    The comparison is few loops over flat lists: after large kernels Python's own memory is no longer in the cache.

    Args:
        game: all of its tensors and flags.
        optimisers: all of their settings.
        players: those whose optimisers' moments count as well.

    Attributes:
        training: the training flags of the game's modules.
        free: whether each of the game's tensors requires gradients.
    """

    def __init__(self, game: Game, optimisers: Optimisers, players: Iterable[str]) -> None:
        self._game, self._optimisers = game, dict(optimisers)
        self._slots = [place for holders in slots_of(game).values() for place in holders]
        self._tensors = [holder[key] for holder, key in self._slots]
        self._layouts = _layouts(self._tensors)
        self._modules = list(game.modules())
        self.training = [module.training for module in self._modules]
        self.free = [tensor.requires_grad for tensor in self._tensors]
        self._settings = [_Settings(group) for o in optimisers.values() for group in o.param_groups]
        self._states = [_States(optimisers[player]) for player in dict.fromkeys(players)]

    def holds(self, game: Game, optimisers: Optimisers) -> bool:
        """Whether these are the game and the optimisers, with the same tensors, flags and settings as before."""
        groups = [group for optimiser in self._optimisers.values() for group in optimiser.param_groups]
        return (
            game is self._game
            and all(optimisers.get(player) is optimiser for player, optimiser in self._optimisers.items())
            and all(map(is_, [holder.get(key) for holder, key in self._slots], self._tensors))
            and _layouts(self._tensors) == self._layouts
            and [module.training for module in self._modules] == self.training
            and _are(groups, [settings.group for settings in self._settings])
            and all(settings.hold() for settings in self._settings)
            and not has_hooks(self._optimisers)
            and all(states.hold() for states in self._states)
        )


class _Settings:
    """The settings of one group of parameters, without a scheduled rate, which each round reads."""

    def __init__(self, group: dict[str, Any]) -> None:
        left_out = ("params", RATE) if "initial_lr" in group else ("params",)
        self.group, self._size = group, len(group)
        self._get = itemgetter(*(name for name in group if name not in left_out))
        self._values = self._get(group)

    def hold(self) -> bool:
        return len(self.group) == self._size and bool(self._get(self.group) == self._values)


class _States:
    """The tensors that an optimiser keeps."""

    def __init__(self, optimiser: torch.optim.Optimizer) -> None:
        self._optimiser = optimiser
        self._parameters, self._entries = list(optimiser.state), list(optimiser.state.values())
        self._names = [list(entry) for entry in self._entries]
        self._tensors = [tensor for entry in self._entries for tensor in entry.values()]

    def hold(self) -> bool:
        state = self._optimiser.state
        return (
            _are(state, self._parameters)
            and _are(state.values(), self._entries)
            and list(map(list, self._entries)) == self._names
            and _are(chain.from_iterable(map(dict.values, self._entries)), self._tensors)
        )


def _are(now: Iterable[Any], before: list[Any]) -> bool:
    """Whether these are the same objects in the same order."""
    found = list(now)
    return len(found) == len(before) and all(map(is_, found, before))


def _layouts(tensors: list[Tensor]) -> list[Any]:
    return [(t.dtype, t.stride(), t.data_ptr(), t.requires_grad) for t in tensors]


def has_hooks(optimisers: Optimisers) -> bool:
    """Whether anything is to be called at an optimiser's own step, which a compiled round does not make."""
    return any(o._optimizer_step_pre_hooks or o._optimizer_step_post_hooks for o in optimisers.values())
