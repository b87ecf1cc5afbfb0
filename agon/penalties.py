"""Regularisers of input gradients or parameters; each is added to one player's loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.arguments import checks_names
from agon.errors import SettingError
from agon.networks.labels import call
from agon.networks.layers import contents, root
from agon.objectives import Loss

TINY = 1e-12  # added to the squared norm of a code, so that a code of 0 has a gradient of 0


class Scored(NamedTuple):
    """A batch with a critic's logits, computed once and shared by the penalties.

    Attributes:
        real: real samples "n *shape"; require a gradient if a penalty's `inputs` name them.
        fake: generated samples "n *shape", likewise.
        real_logits: logits of real samples, "n".
        fake_logits: logits of generated samples, "n".
        noise: the batch's noise by name.
        label: labels "n" of real and of generated samples, or None.
    """

    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    noise: Mapping[str, Tensor]
    label: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Penalty(ABC):
    """A term weight · (something that should be small) in a player's loss.

    Attributes:
        weight: factor of the term, at least 0.
        inputs: which of "real" and "fake" must require a gradient before the critic scores them.
        second_order: whether the term's gradient differentiates the critic twice.
    """

    weight: float
    inputs: ClassVar[tuple[str, ...]] = ()
    second_order: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise SettingError(f"weight of {type(self).__name__}: expected at least 0, got {self.weight}")

    @property
    def player(self) -> str:
        """The player whose loss gets the term."""
        return "critic"

    @property
    def network(self) -> str:
        """The network that the penalty regularises; by default the player's own."""
        return self.player

    def check(self, network: nn.Module) -> None:  # noqa: B027 - most take any
        """Raise a SettingError if the penalty does not fit this network."""

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> dict[str, Tensor]:
        """Draw the noise that the penalty needs for a batch of `shape` (n, ...)."""
        return {}

    @abstractmethod
    def __call__(self, network: nn.Module, scored: Callable[[], Scored]) -> Loss:
        """Compute the penalty on `network`; `scored` returns the batch with the critic's logits."""


@dataclass(frozen=True, kw_only=True)
class GradientPenalty(Penalty):
    """weight · E[(‖∇D(x̂)‖₂ - 1)²], x̂ = ε x + (1 - ε) G(z), ε ~ U(0, 1) for each sample.

    It evaluates the critic once more, at x̂, which lies between two samples of one label. Not for a critic with batch
    normalisation, whose logit depends on the other samples. Source: Gulrajani et al. 2017, equation 3 (weight 10) and
    Algorithm 1.
    """

    weight: float = 10.0

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> dict[str, Tensor]:
        return {"epsilon": torch.rand((shape[0], *[1] * (len(shape) - 1)), generator=rng, device=rng.device)}

    def __call__(self, network: nn.Module, scored: Callable[[], Scored]) -> Loss:
        batch = scored()
        fake = batch.fake.to(batch.real)  # under autocast the generator's output has a shorter type
        mixed = torch.lerp(fake, batch.real, batch.noise["epsilon"].to(batch.real))
        mixed = mixed if mixed.requires_grad else mixed.requires_grad_()
        norms = root(_squared_norms(call(network, mixed, batch.label), mixed))
        return self.weight * (norms - 1).square().mean()


@dataclass(frozen=True, kw_only=True)
class R1(Penalty):
    """weight/2 · E[‖∇D(x)‖²] on real samples. Source: Mescheder et al. 2018, equation 9."""

    weight: float = 10.0
    inputs: ClassVar[tuple[str, ...]] = ("real",)

    def __call__(self, network: nn.Module, scored: Callable[[], Scored]) -> Loss:
        batch = scored()
        return self.weight / 2 * _squared_norms(batch.real_logits, batch.real).mean()


@dataclass(frozen=True, kw_only=True)
class R2(Penalty):
    """weight/2 · E[‖∇D(G(z))‖²] on generated samples. Source: Mescheder et al. 2018, equation 10."""

    weight: float = 10.0
    inputs: ClassVar[tuple[str, ...]] = ("fake",)

    def __call__(self, network: nn.Module, scored: Callable[[], Scored]) -> Loss:
        batch = scored()
        return self.weight / 2 * _squared_norms(batch.fake_logits, batch.fake).mean()


@dataclass(frozen=True, kw_only=True)
class WeightDecay(Penalty):
    """weight/2 · ‖θ‖² of one player's parameters, biases and normalisation's scales included.

    The L2 term is in the loss, so an adaptive optimiser rescales it; it is not the decoupled decay
    of AdamW. Source: yamazaki2017 (1e-5); im2016's authors' code (5e-6 on D).
    """

    weight: float = 1e-5
    of: str = "critic"
    second_order: ClassVar[bool] = False

    @property
    def player(self) -> str:
        return self.of

    def __call__(self, network: nn.Module, scored: Callable[[], Scored]) -> Loss:
        compiling = torch.compiler.is_compiling()  # torch's compiler knows `parameters`, which takes longer otherwise
        half: Tensor = _HalfSquares.apply(*(network.parameters() if compiling else contents(network).parameters))
        return half * self.weight


class _HalfSquares(torch.autograd.Function):
    """½ Σ ‖θ_i‖², whose gradient is θ itself: two operations for all parameters instead of eight for each."""

    @staticmethod
    def forward(*parameters: Tensor) -> Tensor:
        return torch.stack(torch._foreach_norm(parameters)).square().sum() / 2

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *parameters: Tensor) -> tuple[Tensor, int]:
        """Of many seeds at once, each along a dimension of its own: torch has no such rule for `_foreach_norm`."""
        seeds = zip(parameters, in_dims, strict=True)
        each = [p.expand(info.batch_size, *p.shape) if dim is None else p.movedim(dim, 0) for p, dim in seeds]
        half: Tensor = sum((p.flatten(1).square().sum(1) for p in each), start=each[0].new_zeros(info.batch_size)) / 2
        return half, 0

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, ...]:
        if torch.is_grad_enabled():  # of a look-ahead's inner step, which is differentiated again
            return tuple(parameter * cotangent for parameter in ctx.saved_tensors)
        return tuple(torch._foreach_mul(ctx.saved_tensors, cotangent))


@dataclass(frozen=True, kw_only=True)
class PullingAway(Penalty):
    """weight · 1/(n(n-1)) Σ_i Σ_{j≠i} cos²(S_i, S_j), S = the critic's codes of generated samples, flattened.

    The mean is 0 if all codes are orthogonal and 1 if all are parallel. It is a term of the generator's loss, and
    needs a critic with `encode`, "n *shape" -> "n ..." (`autoencoder.Critic`).

    Raises:
        SettingError: when first called, if the critic has no `encode`.

    Source: Zhao et al. 2016, equation 4 (weight 0.1: section 4.3).
    """

    weight: float = 0.1
    second_order: ClassVar[bool] = False

    @property
    def player(self) -> str:
        return "generator"

    @property
    def network(self) -> str:
        return "critic"

    def check(self, network: nn.Module) -> None:
        if not callable(getattr(network, "encode", None)):
            raise SettingError(
                f"PullingAway: expected a critic with a method encode, got {type(network).__name__}; "
                "use networks.autoencoder.Critic, or give your critic one"
            )

    def __call__(self, network: nn.Module, scored: Callable[[], Scored]) -> Loss:
        self.check(network)
        codes: Tensor = network.encode(scored().fake).flatten(1)  # type: ignore[operator]
        n = len(codes)
        directions = codes * torch.rsqrt(codes.square().sum(1, keepdim=True) + TINY)
        above = torch.triu(directions @ directions.T, diagonal=1)  # each pair once
        return self.weight * above.square().sum() * (2 / max(n * (n - 1), 1))


def _input_gradient(logits: Tensor, x: Tensor) -> Float[Tensor, "n d"]:
    """∇D(x) of each sample, flattened and differentiable."""
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.flatten(1)


def _squared_norms(logits: Tensor, x: Tensor) -> Float[Tensor, " n"]:
    return _input_gradient(logits, x).square().sum(dim=1)


PENALTIES = {
    "gradient-penalty": GradientPenalty,
    "r1": R1,
    "r2": R2,
    "weight-decay": WeightDecay,
    "pulling-away": PullingAway,
}

for _penalty in PENALTIES.values():
    checks_names(_penalty)
