"""Objectives: named pairs of losses on logits, one for the generator and one for the critic.

A critic gives unbounded logits a = D(x), "n"; higher is more real. a_r are logits of real and a_f of
generated samples; σ(a) is the probability that x is real. Means over the batch are taken in one place,
`Objective.generator` and `Objective.critic`. -log σ(a) = softplus(-a) and -log(1 - σ(a)) = softplus(a)
are finite, with finite gradients, at any finite logit.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

from agon.arguments import checks_names
from agon.errors import SettingError

Logits = Float[Tensor, " n"]
Loss = Float[Tensor, ""]


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """A pair of losses, both minimised.

    Attributes:
        boundary: the logit that separates generated from real; None if the loss fixes none and a battle
            must calibrate one.
        generator_sees_real: whether the generator's loss has a term in the real logits.
    """

    boundary: ClassVar[float | None] = 0.0
    generator_sees_real: ClassVar[bool] = False

    def critic(self, real: Logits, fake: Logits) -> Loss:
        """The critic's loss, a scalar."""
        _check(real, fake)
        return self.critic_terms(real, fake).mean()

    def generator(self, real: Logits | None, fake: Logits) -> Loss:
        """The generator's loss, a scalar; `real` may be None unless `generator_sees_real`."""
        if real is not None:
            _check(real, fake)
        elif self.generator_sees_real:
            raise SettingError(f"{type(self).__name__}: the generator's loss needs the real logits, got None")
        return self.generator_terms(real, fake).mean()

    @abstractmethod
    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        """The critic's loss for each sample."""

    @abstractmethod
    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        """The generator's loss for each sample."""


@dataclass(frozen=True, kw_only=True)
class Minimax(Objective):
    """L_G = f, L_D = -f, with f = E[log σ(a_r)] + E[log(1 - σ(a_f))].

    The generator's loss keeps the real term: it is constant in an ordinary step, but not if the
    generator unrolls the critic's steps. Source: metz2017, equations 1-5.
    """

    generator_sees_real: ClassVar[bool] = True

    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        return softplus(-real) + softplus(fake)

    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        assert real is not None  # `generator` has checked
        return -softplus(-real) - softplus(fake)


@dataclass(frozen=True, kw_only=True)
class NonSaturating(Objective):
    """L_G = -E[log σ(a_f)], L_D = -E[log σ(a_r)] - E[log(1 - σ(a_f))].

    Source: Goodfellow et al. 2014, section 3; tabak2016, equation 2.
    """

    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        return softplus(-real) + softplus(fake)

    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        return softplus(-fake)


@dataclass(frozen=True, kw_only=True)
class LeastSquares(Objective):
    """L_D = ½E[(a_r - 1)²] + ½E[a_f²], L_G = ½E[(a_f - 1)²]; the boundary is halfway, at 0.5.

    Source: Mao et al. 2016, equation 9 (0-1 coding).
    """

    boundary: ClassVar[float | None] = 0.5

    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        return ((real - 1).square() + fake.square()) / 2

    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        return (fake - 1).square() / 2


@dataclass(frozen=True, kw_only=True)
class Hinge(Objective):
    """L_D = E[max(0, 1 - a_r)] + E[max(0, 1 + a_f)], L_G = -E[a_f].

    Source: Lim and Ye 2017, "Geometric GAN"; Miyato et al. 2018, equations 16-17.
    """

    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        return relu(1 - real) + relu(1 + fake)

    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        return -fake


@dataclass(frozen=True, kw_only=True)
class Wasserstein(Objective):
    """L_D = E[a_f] - E[a_r], L_G = -E[a_f]; needs a Lipschitz critic, and fixes no boundary.

    Source: Arjovsky et al. 2017, equations 2-3.
    """

    boundary: ClassVar[float | None] = None

    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        return fake - real

    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        return -fake


@dataclass(frozen=True, kw_only=True)
class Relativistic(Objective):
    """L_D = E[softplus(a_f - a_r)], L_G = E[softplus(a_r - a_f)] over pairs; only differences matter.

    Source: Jolicoeur-Martineau 2018 (relativistic pairing); Huang et al. 2024 (R3GAN), equation 2.
    """

    boundary: ClassVar[float | None] = None
    generator_sees_real: ClassVar[bool] = True

    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        return softplus(fake - real)

    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        assert real is not None  # `generator` has checked
        return softplus(real - fake)


@dataclass(frozen=True, kw_only=True)
class MarginEnergy(Objective):
    """L_D = E[e_r] + E[max(0, margin - e_f)], L_G = E[e_f] of energies e = -a, at least 0.

    For critics whose logit is minus an energy (`autoencoder.Critic`). The critic raises the energy of generated
    samples up to the margin and no further. With unbounded logits the best critic jumps from -margin to infinity, and
    any number in between separates, so the loss fixes no boundary.

    Attributes:
        margin: margin in the units of the energy, above 0.

    Source: Zhao et al. 2016, equations 1-2.
    """

    boundary: ClassVar[float | None] = None
    margin: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.margin) and self.margin > 0):
            raise SettingError(f"margin of MarginEnergy: expected a number over 0, got {self.margin}")

    def critic_terms(self, real: Logits, fake: Logits) -> Logits:
        return relu(self.margin + fake) - real

    def generator_terms(self, real: Logits | None, fake: Logits) -> Logits:
        return -fake


def _check(real: Tensor, fake: Tensor) -> None:
    """Refuse (n,) against (n, 1), because broadcasting would silently average n² pairs."""
    if real.ndim != 1 or real.shape != fake.shape:
        raise SettingError(
            f"an objective takes real and fake logits of one shape (n,), got {tuple(real.shape)} and "
            f"{tuple(fake.shape)}; let the critic end in .flatten()"
        )


OBJECTIVES = {
    "minimax": Minimax,
    "non-saturating": NonSaturating,
    "least-squares": LeastSquares,
    "hinge": Hinge,
    "wasserstein": Wasserstein,
    "relativistic": Relativistic,
    "margin-energy": MarginEnergy,
}

for _objective in OBJECTIVES.values():
    checks_names(_objective)
