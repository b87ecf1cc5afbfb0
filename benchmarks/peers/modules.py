"""The players as torch modules, for the peers whose libraries start from modules."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.game import BETAS, EPSILON, HIDDEN, LATENT, RATE, SCALE, Peer, Weights


class ModulesPeer(Peer):
    """A peer whose players are torch modules, and whose generator is moved by torch's Adam."""

    def begin(self, weights: Weights) -> None:
        kind = getattr(torch, self.dtype)
        self.generator = nn.Sequential(
            nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)
        ).to(kind)
        self.critic = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1), nn.Flatten(0)).to(kind)
        for name, module in self._players():
            module.load_state_dict(_part(weights, name))
        self.optimiser_g = adam(self.generator)

    def batch(self, real: np.ndarray, latent: np.ndarray) -> tuple[Tensor, Tensor]:
        return tensors(self, real, latent)

    def weights(self) -> Weights:
        return {
            f"{name}.{key}": value.detach().numpy().astype(np.float64)
            for name, module in self._players()
            for key, value in module.state_dict().items()
        }

    def move_generator(self, gradients: Sequence[Tensor]) -> None:
        """One step of the generator's Adam along these."""
        for parameter, gradient in zip(self.generator.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.optimiser_g.step()

    def _players(self) -> tuple[tuple[str, nn.Module], ...]:
        return ("generator", self.generator), ("critic", self.critic)


def adam(module: nn.Module) -> torch.optim.Adam:
    """The game's optimiser; fused, which is torch's fastest on a CPU too."""
    return torch.optim.Adam(module.parameters(), lr=RATE, betas=BETAS, eps=EPSILON, fused=True)


def critic_loss(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """L_D, of points; L_G is its negative."""
    return loss(critic(SCALE * real), critic(SCALE * fake))


def loss(real: Tensor, fake: Tensor) -> Tensor:
    """L_D, of logits (n,)."""
    return (F.softplus(-real) + F.softplus(fake)).mean()


def tensors(peer: Peer, real: np.ndarray, latent: np.ndarray) -> tuple[Tensor, Tensor]:
    """Points and latents for a peer in torch."""
    peer.check(real, latent)
    kind = getattr(torch, peer.dtype)
    return torch.from_numpy(real).to(kind), torch.from_numpy(latent).to(kind)


def _part(weights: Weights, player: str) -> OrderedDict[str, Tensor]:
    prefix = f"{player}."
    return OrderedDict(
        (name.removeprefix(prefix), torch.from_numpy(value))
        for name, value in weights.items()
        if name.startswith(prefix)
    )
