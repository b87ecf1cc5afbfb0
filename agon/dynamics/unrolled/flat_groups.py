"""Parameters with the same optimiser settings, as one flat vector: few operations instead of many."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.dynamics.functional import OptimiserMoments, UpdateRule, moments_of, rate_of, rule_of


class FlatGroup(NamedTuple):
    """Parameters of one player with the same settings, number of steps and precision; "p" numbers in total.

    Attributes:
        player: the player that owns the parameters.
        parameters: the live parameters, by their names in the module.
        rule: the functional step of their optimiser.
        moments: the optimiser's moments at the live point.
    """

    player: str
    parameters: Mapping[str, Float[Tensor, "..."]]
    rule: UpdateRule
    moments: OptimiserMoments

    def flatten(self, tensors: Mapping[str, Float[Tensor, "..."] | None]) -> Float[Tensor, " p"]:
        """Concatenate tensors in the parameters' shapes to one vector "p"."""
        return _concatenated([tensors[name] for name in self.parameters])

    def unflatten(self, vector: Float[Tensor, " p"]) -> dict[str, Float[Tensor, "..."]]:
        """Split a vector "p" into tensors in the parameters' shapes and memory formats."""
        parts = torch.split(vector, [p.numel() for p in self.parameters.values()])
        return {n: _formatted(v.view(p.shape), p) for v, (n, p) in zip(parts, self.parameters.items(), strict=True)}


def flat_groups(
    player: str, parameters: Mapping[str, Float[Tensor, "..."]], optimiser: torch.optim.Optimizer
) -> Iterator[FlatGroup]:
    """Sort a player's parameters, given by name, into flat groups.

    Raises:
        SettingError: the optimiser, or one of its options, has no functional version.
    """
    names = {id(parameter): name for name, parameter in parameters.items()}
    for settings in optimiser.param_groups:
        rule = rule_of(optimiser, settings)
        alike: dict[Any, list[tuple[str, Tensor, OptimiserMoments]]] = {}
        for parameter in (p for p in settings["params"] if id(p) in names):
            moments = moments_of(optimiser, parameter)
            key = (parameter.dtype, parameter.device, moments.get("step"), tuple(moments))
            alike.setdefault(key, []).append((names[id(parameter)], parameter, moments))
        for members in alike.values():
            live = {name: parameter for name, parameter, _ in members}
            flat = _flat_moments([moments for *_, moments in members])
            yield FlatGroup(player, live, rule, {**flat, **rate_of(settings)})


def unflatten(groups: Sequence[FlatGroup], vectors: Sequence[Float[Tensor, " _"]]) -> dict[str, Float[Tensor, "..."]]:
    """The parameters of all groups by name, from one vector "p" for each group."""
    parts = [group.unflatten(vector) for group, vector in zip(groups, vectors, strict=True)]
    return {name: tensor for part in parts for name, tensor in part.items()}


def _flat_moments(moments: list[OptimiserMoments]) -> OptimiserMoments:
    """The moments of several parameters as those of one vector; they have the same names and the same step."""
    return {
        name: value if name == "step" else _concatenated([parameter_moments[name] for parameter_moments in moments])
        for name, value in moments[0].items()
    }


def _concatenated(tensors: list[Tensor | None]) -> Tensor:
    return torch.cat([t.flatten() for t in tensors if t is not None])


def _formatted(tensor: Tensor, like: Tensor) -> Tensor:
    """The tensor in channels-last memory format if the live parameter has it."""
    if like.ndim == 4 and not like.is_contiguous() and like.is_contiguous(memory_format=torch.channels_last):
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor
