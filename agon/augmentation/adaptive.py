"""ADA: an augmentation whose probability p follows the critic's overfitting."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.augmentation.augmentation import Augmentation
from agon.augmentation.pipeline import Pipeline
from agon.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """Adaptive discriminator augmentation: transforms what the critic sees, with a probability p that adapts.

    The critic overfits when it knows the training samples apart from all others. That is measured by

        r_t = E[sign(D(T(x)))],

    over the real samples of the last `interval` moves of the critic: 0 without overfitting, 1 if every real sample is
    on the real side. After these moves p changes by their number of real samples over `images`: it rises if r_t is
    over the target, falls if below, and stays from 0 to 1. The sign is taken about the objective's boundary. An
    objective that fixes none compares pairs, sign(D(T(x)) - D(T(G(z)))), as a relativistic critic is judged.

    Real and generated samples get independent draws. p, and the sums that r_t is a mean of, are buffers of the game,
    so they are in the checkpoint. In a look-ahead they change from step to step as they would in the critic's real
    steps; p has no derivative.

    Attributes:
        of: the augmentation.
        target: the r_t to keep, between -1 and 1.
        interval: moves of the critic between two changes of p.
        images: real samples in which p can rise from 0 to 1, or None to keep p.
        initial: p at the start, from 0 to 1.

    Source: Karras et al. 2020, "Training generative adversarial networks with limited data", section 3 and equation 1
    (target 0.6, four minibatches, 500,000 images).
    """

    of: Augmentation = field(default_factory=Pipeline)
    target: float = 0.6
    interval: int = 4
    images: int | None = 500_000
    initial: float = 0.0

    def __post_init__(self) -> None:
        if not -1 < self.target < 1:
            raise SettingError(f"target of Adaptive: expected a number between -1 and 1, got {self.target}; use 0.6")
        if self.interval < 1:
            raise SettingError(f"interval of Adaptive: expected 1 move or more, got {self.interval}; use 4")
        if self.images is not None and self.images < 1:
            raise SettingError(f"images of Adaptive: expected 1 or more, or null to keep p, got {self.images}")
        if not 0 <= self.initial <= 1:
            raise SettingError(f"initial p of Adaptive: expected a number from 0 to 1, got {self.initial}")

    def check(self, shape: tuple[int, ...], range: tuple[float, float] | None, place: str) -> None:  # noqa: A002
        """As `Augmentation.check`."""
        self.of.check(shape, range, f"{place}.of")


class Adaptation(nn.Module):
    """The state of an adaptive augmentation: buffers of a game.

    Attributes:
        p: the probability of each transformation, ().
        signs: the sum of r over the moves since p changed.
        moves: their number.
        images: the number of their real samples.
    """

    p: Tensor
    signs: Tensor
    moves: Tensor
    images: Tensor

    def __init__(self, rule: Adaptive) -> None:
        super().__init__()
        self.rule = rule
        self.register_buffer("p", torch.tensor(float(rule.initial)))
        for name in ("signs", "moves", "images"):
            self.register_buffer(name, torch.tensor(0.0))

    @torch.no_grad()
    def update(self, overfitting: Float[Tensor, "*s"], images: Float[Tensor, "*s"]) -> None:
        """Count a move of the critic, and change p if it is due.

        Args:
            overfitting: the mean sign of this move's real logits, over all processes.
            images: its number of real samples, over all processes.
        """
        if self.rule.images is None:
            return
        self.signs.add_(overfitting)
        self.moves.add_(1)
        self.images.add_(images)
        due = self.moves >= self.rule.interval
        change = torch.sign(self.signs / self.moves - self.rule.target) * self.images / self.rule.images
        self.p.copy_(torch.where(due, (self.p + change).clamp(0, 1), self.p))
        for total in (self.signs, self.moves, self.images):
            total.copy_(torch.where(due, 0.0, total))


def overfitting(real: Float[Tensor, " n"], fake: Float[Tensor, " n"], boundary: float | None) -> Float[Tensor, ""]:
    """r of one batch: the mean sign of real logits about the boundary, or about the generated ones without a boundary.

    It is 1 if the critic separates the two sides, and 0 if they have one distribution about the boundary.

    >>> overfitting(torch.tensor([2.0, 3.0]), torch.tensor([-1.0, 0.5]), 0.0)
    tensor(1.)
    """
    return torch.sign(real - (fake if boundary is None else boundary)).mean().detach()
