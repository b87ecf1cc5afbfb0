"""The surrogate loss by real steps of torch.optim on copies, and its finite differences: nothing of the look-ahead."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.nn.utils.parametrizations import _SpectralNorm

from agon.dynamics import Turns
from agon.dynamics.unrolled import inner_step, unroll
from agon.games import Batch, Game, parameters_of

Optimisers = Mapping[str, torch.optim.Optimizer]
WIDTH = 1e-6


def surrogate(
    game: Game, optimisers: Optimisers, player: str, others: Sequence[str], batches: Sequence[Batch], last: Batch
) -> float:
    """L_player after the others' real steps on `batches`, all from where the game stands."""
    game, optimisers = copy.deepcopy((game, dict(optimisers)))
    for batch in batches:
        Turns((tuple(others),)).step(game, optimisers, lambda batch=batch: batch)
    with torch.no_grad():
        return float(game(last, of=(player,)).players[player])


def by_differences(game: Game, player: str, value: Callable[[], float]) -> list[Tensor]:
    """The whole gradient of `value` in a player's parameters, by central differences."""
    return [torch.stack([slope(p, i, value) for i in range(p.numel())]).view_as(p) for p in parameters_of(game, player)]


@torch.no_grad()
def slope(parameter: Tensor, index: int, value: Callable[[], float]) -> Tensor:
    flat = parameter.view(-1)
    before, ends = flat[index].clone(), []
    for sign in (1, -1):
        flat[index] = before + sign * WIDTH
        with torch.enable_grad():
            ends.append(value())
    flat[index] = before
    return torch.tensor((ends[0] - ends[1]) / (2 * WIDTH), dtype=parameter.dtype)


def without_inner_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """For negative controls: inner gradients without history, as most ports have them."""
    for module in (inner_step, unroll):  # the later steps, and the first
        monkeypatch.setattr(module, "averaged", lambda gradients: tuple(g.detach() for g in gradients))


@contextmanager
def constant_directions() -> Iterator[Callable[[], None]]:
    """Within it, spectral normalisation replays its singular vectors, call by call, after the first evaluation.

    They are constants to its derivative (Miyato et al. 2018), so they must be to the differences too. The
    function it gives begins a new evaluation.
    """
    own, told, place = _SpectralNorm._power_method, [], [0, False]

    @torch.no_grad()
    def replayed(layer: _SpectralNorm, weight: Tensor, iterations: int) -> None:
        if place[1]:
            for buffer, value in zip((layer._u, layer._v), told[place[0]], strict=True):
                buffer.copy_(value)
        else:
            layer._u = normalize(weight @ layer._v, dim=0, eps=layer.eps, out=layer._u)
            layer._v = normalize(weight.H @ layer._u, dim=0, eps=layer.eps, out=layer._v)
            told.append((layer._u.clone(), layer._v.clone()))
        place[0] += 1

    def again() -> None:
        place[1] = place[1] or bool(told)
        place[0] = 0

    _SpectralNorm._power_method = replayed
    try:
        yield again
    finally:
        _SpectralNorm._power_method = own
