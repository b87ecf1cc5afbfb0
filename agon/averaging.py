"""Exponential average of a player's weights: samples from it are steadier than from the last weights."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from agon.errors import SettingError
from agon.games import Game, modules_of


@dataclass(frozen=True, kw_only=True)
class Averaging:
    """θ̄ <- β θ̄ + (1 - β) θ after each step.

    Attributes:
        decay: β, at least 0 and under 1; 0.999 remembers about the last 1,000 steps.
        player: whose weights are averaged.
    """

    decay: float = 0.999
    player: str = "generator"

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise SettingError(f"decay of an average: expected 0 <= decay < 1, got {self.decay}; use 0.999")


class Average:
    """The running average of a player's parameters. Buffers are not averaged: see `restate`."""

    def __init__(self, averaging: Averaging, game: Game) -> None:
        self.decay, self.player = averaging.decay, averaging.player
        self.modules = {
            name: copy.deepcopy(module).requires_grad_(False) for name, module in modules_of(game, self.player)
        }

    @torch.no_grad()
    def update(self, game: Game) -> None:
        """Take in the player's present parameters."""
        for name, module in modules_of(game, self.player):
            mine: list[Tensor] = list(self.modules[name].parameters())
            theirs: list[Tensor] = list(module.parameters())
            torch._foreach_lerp_(mine, theirs, 1 - self.decay)

    @contextmanager
    def playing(self, game: Game) -> Iterator[Sequence[nn.Module]]:
        """Within it, the averaged modules stand in the place of the player's own."""
        own = dict(modules_of(game, self.player))
        for name, module in self.modules.items():
            game.set_submodule(name, module)
        try:
            yield list(self.modules.values())
        finally:
            for name, module in own.items():
                game.set_submodule(name, module)

    def state(self) -> dict[str, Tensor]:
        """All averaged parameters by name."""
        return {f"{name}.{k}": v for name, m in self.modules.items() for k, v in m.state_dict().items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for name, module in self.modules.items():
            start = f"{name}."
            module.load_state_dict({k.removeprefix(start): v for k, v in state.items() if k.startswith(start)})


@torch.no_grad()
def restate(modules: Sequence[nn.Module], forward: Callable[[], object], batches: int = 16) -> None:
    """Re-estimate the running statistics of batch normalisation: the plain mean over `batches` passes.

    An average of weights never saw the activations that its statistics should describe. Nothing
    happens to modules without batch normalisation. Source: Izmailov et al. 2018 (SWA), section 3.2.
    """
    layers = [m for module in modules for m in module.modules() if isinstance(m, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the cumulative mean
        layer.train()
    for _ in range(batches):
        forward()
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
