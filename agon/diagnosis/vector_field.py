"""The vector field of a game at one point: the gradients of all players, and products with its Jacobian.

v(w) = (∂L_1/∂θ_1, ..., ∂L_P/∂θ_P) for the parameters w = (θ_1, ..., θ_P) of all players, each with the gradient of its
own loss, which it minimises. Its Jacobian J = ∂v/∂w is symmetric for one player, where it is the Hessian; between
players it is not, and has complex eigenvalues. uᵀJ is one pass backwards through the gradients' own graph, so that
penalties with derivatives in them are exact as well; and Jᵀ has the eigenvalues of J.

Source: Mescheder et al. 2017 ("The numerics of GANs"), section 2; Pearlmutter 1994 for the products.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from agon.games import Batch, Game, parameters_of

Vector = Float64[np.ndarray, " n"]
Matrix = Float64[np.ndarray, "n n"]
Product = Callable[[Vector], Vector]


class VectorField:
    """v and uᵀJ on one batch, in float64, on a copy of the game in training mode.

    Args:
        game: is copied, and not changed.
        batch: one batch; its numbers are converted to float64.

    Attributes:
        players: for each of the n coordinates of w, the number of its player in `game.players`, "n".
        value: v, "n".
    """

    def __init__(self, game: Game, batch: Batch) -> None:
        game = copy.deepcopy(game).cpu().double().train()
        owned = {player: [p for p in parameters_of(game, player) if p.requires_grad] for player in game.players}
        losses = game.losses(_double(batch), of=tuple(game.players)).players
        self._parameters = [parameter for player in owned.values() for parameter in player]
        self._gradients = [g for player, own in owned.items() for g in _gradients(losses[player], own)]
        counts = [sum(parameter.numel() for parameter in own) for own in owned.values()]
        self.players = np.repeat(np.arange(len(counts)), counts)
        self.value = _flat(self._gradients)

    def __len__(self) -> int:
        return len(self.players)

    def vjp(self, u: Vector) -> Vector:
        """uᵀJ, "n"."""
        parts = torch.split(torch.from_numpy(np.ascontiguousarray(u)), [p.numel() for p in self._parameters])
        pairs = [(g, part.view_as(g)) for g, part in zip(self._gradients, parts, strict=True) if g.requires_grad]
        if not pairs:
            return np.zeros(len(self))
        outputs, cotangents = zip(*pairs, strict=True)
        found = torch.autograd.grad(outputs, self._parameters, cotangents, retain_graph=True, allow_unused=True)
        return _flat(_filled(found, self._parameters))

    def jacobian(self) -> Matrix:
        """J, "n n": row i is the gradient of v_i."""
        return np.stack([self.vjp(unit) for unit in np.eye(len(self))])


def _double(batch: Batch) -> Batch:
    noise = {name: tensor.cpu().double() for name, tensor in batch.noise.items()}
    label = None if batch.label is None else batch.label.cpu()
    return Batch(batch.real.cpu().double(), batch.latent.cpu().double(), noise, label)


def _gradients(loss: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """The gradients of a loss with their history; zero where it does not depend on a parameter."""
    if not loss.requires_grad or not parameters:
        return [torch.zeros_like(parameter) for parameter in parameters]
    found = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
    return _filled(found, parameters)


def _filled(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> list[Tensor]:
    pairs = zip(gradients, parameters, strict=True)
    return [torch.zeros_like(parameter) if g is None else g for g, parameter in pairs]


def _flat(tensors: Sequence[Tensor]) -> Vector:
    if not tensors:
        return np.zeros(0)
    flat: Vector = torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).numpy()
    return flat
