"""Exponential average of a player's weights; it gives more stable samples than the last weights."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import ParametrizationList

from agon.arguments import checks_names
from agon.errors import SettingError
from agon.games import Game, modules_of


@checks_names
@dataclass(frozen=True, kw_only=True)
class Averaging:
    """The rule θ̄ <- β_t θ̄ + (1 - β_t) θ after step t = 0, 1, ..., with β_t = min(β, (1 + t) / (10 + t)).

    Without the ramp, β_t = β, and the first weights stay in the average for about 5 / (1 - β) steps, so in a
    short run it generates grey noise. With the ramp, the average covers about the last tenth of the steps
    until β_t reaches β.

    Attributes:
        decay: β, at least 0 and less than 1; 0.999 averages over about the last 1,000 steps.
        player: the player whose weights are averaged.
        ramp: whether β_t grows towards β.
    """

    decay: float = 0.999
    player: str = "generator"
    ramp: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise SettingError(f"decay of an average: expected 0 <= decay < 1, got {self.decay}; use 0.999")


class Average:
    """The running average of a player's parameters. Buffers are not averaged; see `restate`."""

    def __init__(self, averaging: Averaging, game: Game) -> None:
        self.averaging, self.player = averaging, averaging.player
        self.modules = {
            name: copy.deepcopy(module).requires_grad_(False) for name, module in modules_of(game, self.player)
        }

    @torch.no_grad()
    def update(self, game: Game, step: int) -> None:
        """Update the average by the player's parameters after a step; steps count from 0."""
        decay = self.averaging.decay
        if self.averaging.ramp:
            decay = min(decay, (1 + step) / (10 + step))
        for name, module in modules_of(game, self.player):
            averaged: list[Tensor] = list(self.modules[name].parameters())
            live: list[Tensor] = list(module.parameters())
            torch._foreach_lerp_(averaged, live, 1 - decay)

    @contextmanager
    def playing(self, game: Game) -> Iterator[Sequence[nn.Module]]:
        """Within the context, the averaged modules replace the player's live ones."""
        live = dict(modules_of(game, self.player))
        self._follow(live)
        for name, module in self.modules.items():
            game.set_submodule(name, module)
        try:
            yield list(self.modules.values())
        finally:
            for name, module in live.items():
                game.set_submodule(name, module)

    def take_over(self, game: Game) -> Sequence[nn.Module]:
        """Put the averaged modules into the game permanently, and return them."""
        self._follow(dict(modules_of(game, self.player)))
        for name, module in self.modules.items():
            game.set_submodule(name, module.requires_grad_(True))
        return list(self.modules.values())

    @torch.no_grad()
    def _follow(self, live: Mapping[str, nn.Module]) -> None:
        """Take over the live modules' buffers; spectral norms then find the averaged weights' own singular vectors."""
        for name, module in self.modules.items():
            for buffer, of_live in zip(module.buffers(), live[name].buffers(), strict=True):
                buffer.copy_(of_live)
            _iterate_spectral_norms(module)

    def state(self) -> dict[str, Shaped[Tensor, "..."]]:
        """All averaged parameters by name."""
        return {f"{name}.{k}": v for name, m in self.modules.items() for k, v in m.state_dict().items()}

    def load(self, state: dict[str, Shaped[Tensor, "..."]]) -> None:
        """Load what `state` returned."""
        for name, module in self.modules.items():
            start = f"{name}."
            module.load_state_dict({k.removeprefix(start): v for k, v in state.items() if k.startswith(start)})


@torch.no_grad()
def restate(modules: Sequence[nn.Module], forward: Callable[[], object], batches: int = 16) -> None:
    """Re-estimate the running statistics of batch normalisation as the mean over `batches` passes.

    An average of weights never saw the activations that its statistics should describe. Modules without batch
    normalisation, and layers through which nothing passes, such as those of a critic, are not changed. Source:
    Izmailov et al. 2018 (SWA), section 3.2.
    """
    layers = [m for module in modules for m in module.modules() if isinstance(m, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    before = [{name: buffer.clone() for name, buffer in layer.named_buffers()} for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the cumulative mean
        layer.train()
    for _ in range(batches):
        forward()
    for layer, momentum, known in zip(layers, momenta, before, strict=True):
        layer.momentum = momentum
        if layer.num_batches_tracked is not None and not layer.num_batches_tracked:
            for name, buffer in layer.named_buffers():
                buffer.copy_(known[name])


def _iterate_spectral_norms(module: nn.Module, times: int = 16) -> None:
    """Let the power iteration of each spectral norm, which only moves in training, follow the present weights."""
    for norms in (m for m in module.modules() if isinstance(m, ParametrizationList)):
        spectral = [norm for norm in norms if isinstance(norm, _SpectralNorm)]
        modes = [norm.training for norm in spectral]
        for norm in spectral:
            norm.train()
        for _ in range(times if spectral else 0):
            norms()
        for norm, mode in zip(spectral, modes, strict=True):
            norm.train(mode)
