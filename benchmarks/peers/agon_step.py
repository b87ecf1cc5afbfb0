"""The unrolled step by agon: eager, and compiled."""

import numpy as np
import torch
from torch import Tensor

from agon import Adversarial, Batch, Turns, Unrolled
from agon.dynamics.unrolled import CompiledUnrolled
from agon.games import parameters_of
from agon.networks import mlp
from agon.objectives import Minimax
from agon.training.allocation import keep_freed_memory
from benchmarks.peers.game import BETAS, EPSILON, HIDDEN, LATENT, RATE, SCALE, Peer, Weights

ORDERS = {"simultaneous": (("generator", "critic"),), "alternating": (("critic",), ("generator",))}
LAYERS = {  # theirs -> ours
    **{f"generator.{i}": f"generator.layers.{i}" for i in (0, 2, 4)},
    **{f"critic.{i}": f"critic.layers.{i + 2}" for i in (0, 2)},
}


class AgonStep(Peer):
    """`Unrolled.step` on the library's own ring networks."""

    def begin(self, weights: Weights) -> None:
        keep_freed_memory()  # as every training does
        generator = mlp.Generator(shape=(2,), latent=LATENT, widths=(HIDDEN, HIDDEN))
        critic = mlp.Critic(shape=(2,), widths=(HIDDEN,), scale=SCALE)
        self.game = Adversarial(generator=generator, critic=critic, objective=Minimax()).to(getattr(torch, self.dtype))
        self.game.load_state_dict({_ours(name): torch.from_numpy(value) for name, value in weights.items()})
        self.optimisers = {
            player: torch.optim.Adam(parameters_of(self.game, player), RATE, BETAS, EPSILON, fused=True)
            for player in self.game.players
        }
        self.dynamics = self.rule()

    def rule(self) -> Unrolled:
        """The dynamics of the step."""
        return Unrolled(Turns(ORDERS[self.schedule], draws="round"), steps=self.steps)

    def batch(self, real: np.ndarray, latent: np.ndarray) -> tuple[Tensor, Tensor]:
        self.check(real, latent)
        dtype = getattr(torch, self.dtype)
        return torch.from_numpy(real).to(dtype), torch.from_numpy(latent).to(dtype)

    def advance(self, real: Tensor, latent: Tensor) -> None:
        self.dynamics.step(self.game, self.optimisers, lambda: Batch(real, latent, {}))

    def weights(self) -> Weights:
        state = self.game.state_dict()
        names = [f"{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias")]
        return {name: state[_ours(name)].double().numpy().copy() for name in names}


class AgonCompiled(AgonStep):
    """The same, compiled."""

    def rule(self) -> Unrolled:
        return CompiledUnrolled.of(super().rule())


def _ours(name: str) -> str:
    layer, _, kind = name.rpartition(".")
    return f"{LAYERS[layer]}.{kind}"
