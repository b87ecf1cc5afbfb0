"""Games whose scoring players see samples through an augmentation."""

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

from agon.augmentation import Adaptation, Adaptive, Augmentation, overfitting
from agon.data.source import Source
from agon.games.game import COUNT, Batch, Game
from agon.networks.synchronised import total

REAL, FAKE = "augmentation/real", "augmentation/fake"  # names in a batch's noise


class AugmentedGame(Game):
    """A game played with T(x; u) in the place of every sample x, real or generated; without an augmentation, with x.

    Everything that scores samples, penalties included, takes the transformed ones: with an augmentation this is the
    same game between the transformed distributions. `generate` and `realness` are without it.

    Args:
        augmentation: T, or None.

    Attributes:
        scoring_player: the player by whose moves an adaptive augmentation counts.
        adaptation: the state of an adaptive augmentation, or None.
    """

    scoring_player: ClassVar[str] = "critic"

    def __init__(self, augmentation: Augmentation | Adaptive | None) -> None:
        super().__init__()
        self.augmentation = augmentation
        self.adaptation = Adaptation(augmentation) if isinstance(augmentation, Adaptive) else None

    @property
    def has_after_update(self) -> bool:
        return self.adaptation is not None or type(self).after_update is not AugmentedGame.after_update

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> dict[str, Tensor]:
        transformation = self._transformation
        return {} if transformation is None else {side: transformation.noise(shape[0], rng) for side in (REAL, FAKE)}

    def augmented(self, x: Float[Tensor, "n ..."], batch: Batch, side: str) -> Float[Tensor, "n ..."]:
        """Samples as the scoring players see them.

        Args:
            x: real or generated samples "n *shape".
            batch: has the noise.
            side: REAL or FAKE, whose noise to take.
        """
        if self._transformation is None:
            return x
        p = 1.0 if self.adaptation is None else self.adaptation.p
        return self._transformation(x, batch.noise[side], p)

    def overfitting(self, real: Float[Tensor, " n"], fake: Float[Tensor, " n"]) -> dict[str, Float[Tensor, ""]]:
        """Scalars for the log, from which `after_update` adapts p; none if the augmentation does not adapt.

        "augmentation/images" counts the real samples of all processes.
        """
        if self.adaptation is None:
            return {}
        return {
            "augmentation/p": self.adaptation.p.clone(),  # it changes in place after the move
            "augmentation/overfitting": overfitting(real, fake, self.boundary),
            f"augmentation{COUNT}": real.new_tensor(float(len(real) * _processes())),
        }

    def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
        if self.adaptation is not None and player == self.scoring_player:
            r = _mean_over_processes(seen["augmentation/overfitting"])
            self.adaptation.update(r, seen[f"augmentation{COUNT}"])

    def check_source(self, source: Source) -> None:
        if self.augmentation is not None:
            self.augmentation.check(source.shape, source.range, "game.augmentation")

    @property
    def _transformation(self) -> Augmentation | None:
        return self.augmentation.of if isinstance(self.augmentation, Adaptive) else self.augmentation


def _processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _mean_over_processes(value: Tensor) -> Tensor:
    """The mean () over processes, which have equal parts of the batch, so that all have the same p."""
    return value if _processes() == 1 else total(value) / _processes()
