"""Parameters that take every step alike, as one flat vector: few operations instead of many."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agon.dynamics.functional import Moments, Rule, moments_of, rule_of


class FlatGroup(NamedTuple):
    """Parameters of one player with the same settings, number of steps and precision: "p" numbers in all.

    Attributes:
        player: whose they are.
        parameters: the live ones, by their names in the module that plays.
        rule: the pure step of their optimiser.
        moments: of the optimiser, at the live point.
    """

    player: str
    parameters: Mapping[str, Tensor]
    rule: Rule
    moments: Moments

    def flatten(self, tensors: Mapping[str, Tensor | None]) -> Tensor:
        """One vector "p" out of a tensor for each parameter, in its shape."""
        return _concatenated([tensors[name] for name in self.parameters])

    def unflatten(self, vector: Tensor) -> dict[str, Tensor]:
        """The vector "p" as the parameters that it holds, each in its own shape and memory format."""
        parts = torch.split(vector, [p.numel() for p in self.parameters.values()])
        return {n: _formatted(v.view(p.shape), p) for v, (n, p) in zip(parts, self.parameters.items(), strict=True)}


def flat_groups(player: str, parameters: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> Iterator[FlatGroup]:
    """The groups of some of a player's parameters, which are given by name.

    Raises:
        SettingError: the optimiser, or one of its options, has no pure twin.
    """
    names = {id(parameter): name for name, parameter in parameters.items()}
    for settings in optimiser.param_groups:
        rule = rule_of(optimiser, settings)
        alike: dict[Any, list[tuple[str, Tensor, Moments]]] = {}
        for parameter in (p for p in settings["params"] if id(p) in names):
            moments = moments_of(optimiser, parameter)
            kind = (parameter.dtype, parameter.device, moments.get("step"), tuple(moments))
            alike.setdefault(kind, []).append((names[id(parameter)], parameter, moments))
        for members in alike.values():
            live = {name: parameter for name, parameter, _ in members}
            yield FlatGroup(player, live, rule, _flat_moments([moments for *_, moments in members]))


def unflatten(groups: Sequence[FlatGroup], vectors: Sequence[Tensor]) -> dict[str, Tensor]:
    """The parameters of all groups by name, out of one vector "p" a group."""
    parts = [group.unflatten(vector) for group, vector in zip(groups, vectors, strict=True)]
    return {name: tensor for part in parts for name, tensor in part.items()}


def _flat_moments(moments: list[Moments]) -> Moments:
    """The parameters' moments as those of one vector; they have the same names and the same step."""
    return {
        name: value if name == "step" else _concatenated([own[name] for own in moments])
        for name, value in moments[0].items()
    }


def _concatenated(tensors: list[Tensor | None]) -> Tensor:
    return torch.cat([t.flatten() for t in tensors if t is not None])


def _formatted(tensor: Tensor, like: Tensor) -> Tensor:
    """In channels-last memory where the live parameter is."""
    if like.ndim == 4 and not like.is_contiguous() and like.is_contiguous(memory_format=torch.channels_last):
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor
