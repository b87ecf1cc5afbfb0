"""Boundary equilibrium: a two-player game that is balanced by a slow variable."""

from collections.abc import Collection, Mapping, Sequence

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from agon.augmentation import Adaptive, Augmentation
from agon.errors import SettingError
from agon.games.adversarial import Adversarial
from agon.games.game import Batch, Losses
from agon.networks.layers import positive
from agon.networks.synchronised import total
from agon.objectives import Wasserstein
from agon.penalties import Penalty
from agon.projections import Projection


class BoundaryEquilibrium(Adversarial):
    """L_D = L(x) - k L(G(z)), L_G = L(G(z)), with the energy L, minus the critic's logit, and k a buffer of the game.

    After each move of the critic, k <- min(max(k + rate · (gamma · L(x) - L(G(z))), 0), 1), with the energies of that
    move: if generated samples have less than the share `gamma` of the real samples' energy, the critic gives more
    weight to raising it. In a look-ahead k changes from step to step in the same way, and is a constant in each step's
    derivative. The log has "equilibrium/k", the k of the losses, and "equilibrium/measure", the measure of
    convergence L(x) + |gamma · L(x) - L(G(z))|.

    Args:
        generator: as in `Adversarial`.
        critic: as in `Adversarial`; its logits are minus an energy, at most 0 (`autoencoder.Critic`).
        gamma: E[L(G(z))] / E[L(x)] at equilibrium, over 0 and at most 1; lower values give less diverse samples.
        rate: learning rate of k, over 0, for energies in the units of the critic's logits.
        initial: k before the first move, from 0 to 1.
        penalties: each is added to the loss of its player.
        projections: each is applied to its player's network after that player's move.
        augmentation: as in `Adversarial`.

    Raises:
        SettingError: a number out of its range.

    Source: Berthelot et al. 2017, sections 3.3 and 3.4.1.
    """

    k: Tensor

    def __init__(
        self,
        *,
        generator: nn.Module,
        critic: nn.Module,
        gamma: float = 0.5,
        rate: float = 0.001,
        initial: float = 0.0,
        penalties: Sequence[Penalty] = (),
        projections: Sequence[Projection] = (),
        augmentation: Augmentation | Adaptive | None = None,
    ) -> None:
        super().__init__(
            generator=generator,
            critic=critic,
            objective=Wasserstein(),  # at k = 1: it fixes no boundary either
            penalties=penalties,
            projections=projections,
            augmentation=augmentation,
        )
        positive(gamma=gamma, rate=rate)
        if gamma > 1:
            raise SettingError(f"gamma: expected a number over 0 and at most 1, got {gamma}")
        if not 0 <= initial <= 1:
            raise SettingError(f"initial k: expected a number from 0 to 1, got {initial}; the source begins with 0")
        self.gamma, self.rate = gamma, rate
        self.register_buffer("k", torch.tensor(float(initial)))

    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        losses = super().losses(batch, fake, of=of)
        losses.seen["equilibrium/k"] = self.k.clone()  # it changes in place after the move
        if "logit/real" in losses.seen:
            real, generated = -losses.seen["logit/real"], -losses.seen["logit/fake"]
            losses.seen["equilibrium/measure"] = real + (self.gamma * real - generated).abs()
        return losses

    def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
        super().after_update(player, seen)
        if player == "critic":
            surplus = self._mean_over_processes(seen["logit/fake"] - self.gamma * seen["logit/real"])
            self.k.add_(self.rate * surplus).clamp_(0, 1)

    def _objective(self, player: str, real: Tensor | None, fake: Tensor) -> Tensor:
        if player == "generator" or real is None:
            return super()._objective(player, real, fake)
        return self.objective.critic(real, self.k.clone() * fake)  # a look-ahead updates k while the graph is in use

    def _mean_over_processes(self, value: Tensor) -> Tensor:
        """The mean () over processes, which have equal parts of the batch, so that all have the same k."""
        alone = not (dist.is_available() and dist.is_initialized())
        return value if alone else total(value) / dist.get_world_size()
