"""Parameters that take every step alike, as one vector: few operations instead of many."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agon.dynamics.functional import Moments, Rule, moments_of, rule_of


class Block(NamedTuple):
    """Parameters of one player with the same settings, number of steps and precision.

    Attributes:
        player: whose they are.
        live: the parameters, by their names in the module that plays.
        rule: the pure step of their optimiser.
        moments: of the optimiser, at the live point.
    """

    player: str
    live: Mapping[str, Tensor]
    rule: Rule
    moments: Moments

    def join(self, tensors: Mapping[str, Tensor | None]) -> Tensor:
        """One vector out of a tensor for each parameter."""
        return _vector([tensors[name] for name in self.live])

    def cut(self, vector: Tensor) -> dict[str, Tensor]:
        """The vector as the parameters that it holds, each in its own memory format."""
        parts = torch.split(vector, [live.numel() for live in self.live.values()])
        return {n: _formatted(part.view(p.shape), p) for part, (n, p) in zip(parts, self.live.items(), strict=True)}


def blocks_of(player: str, moving: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> Iterator[Block]:
    """The blocks of those of a player's parameters that move.

    Raises:
        SettingError: the optimiser, or one of its options, has no pure twin.
    """
    names = {id(parameter): name for name, parameter in moving.items()}
    for group in optimiser.param_groups:
        rule = rule_of(optimiser, group)
        alike: dict[Any, list[tuple[str, Tensor, Moments]]] = {}
        for parameter in (p for p in group["params"] if id(p) in names):
            state = moments_of(optimiser, parameter)
            kind = (parameter.dtype, parameter.device, state.get("step"), tuple(state))
            alike.setdefault(kind, []).append((names[id(parameter)], parameter, state))
        for members in alike.values():
            live = {name: parameter for name, parameter, _ in members}
            yield Block(player, live, rule, _stacked([state for *_, state in members]))


def _stacked(states: list[Moments]) -> Moments:
    """The parameters' states as those of one vector; they have the same names and the same step."""
    return {
        name: value if name == "step" else _vector([state[name] for state in states])
        for name, value in states[0].items()
    }


def _vector(tensors: list[Tensor | None]) -> Tensor:
    return torch.cat([t.flatten() for t in tensors if t is not None])


def _formatted(tensor: Tensor, like: Tensor) -> Tensor:
    """In channels-last memory where the live parameter is."""
    if like.ndim == 4 and not like.is_contiguous() and like.is_contiguous(memory_format=torch.channels_last):
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor
