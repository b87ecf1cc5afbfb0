"""The unrolled step in plain torch: dicts of parameters, and autograd.grad with create_graph.

The reference of the other peers, so it shortens nothing but this: the generated points are made once,
as they do not depend on the critic. Adam is written out, and is torch's own to the last digits. Its
root has no derivative at v = 0, and autograd would answer inf · 0 = nan for units that never fired
(v = 0 exactly, gradient 0 exactly); there the derivative is taken as 0, by the two `where` of `root`.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.peers.game import BETAS, EPSILON, RATE, SCALE, Peer, Weights
from benchmarks.peers.modules import loss, tensors

Parameters = dict[str, Tensor]


class Moments(NamedTuple):
    """Adam's state.

    Attributes:
        steps: how many were taken.
        first, second: m and v of each parameter, without bias correction.
    """

    steps: int
    first: Parameters
    second: Parameters


class PlainTorch(Peer):
    """The step as one writes it without a library."""

    def begin(self, weights: Weights) -> None:
        kind = getattr(torch, self.dtype)
        given = {name: torch.from_numpy(value).to(kind, copy=True) for name, value in weights.items()}
        self.generator = {k: v.requires_grad_() for k, v in given.items() if k.startswith("generator")}
        self.critic = {k: v.requires_grad_() for k, v in given.items() if k.startswith("critic")}
        self.moments_g, self.moments_d = zero(self.generator), zero(self.critic)

    def batch(self, real: np.ndarray, latent: np.ndarray) -> tuple[Tensor, Tensor]:
        return tensors(self, real, latent)

    def weights(self) -> Weights:
        both = {**self.generator, **self.critic}
        return {name: value.detach().numpy().astype(np.float64) for name, value in both.items()}

    def advance(self, real: Tensor, latent: Tensor) -> None:
        fake = generated(self.generator, latent)
        if self.schedule == "alternating":
            self._move_critic(self._ordinary(real, fake))
            self._move_generator(self._unrolled(real, fake))
        else:
            gradient_d, gradient_g = self._ordinary(real, fake), self._unrolled(real, fake)
            self._move_critic(gradient_d)
            self._move_generator(gradient_g)

    def _ordinary(self, real: Tensor, fake: Tensor) -> Parameters:
        return gradient(critic_loss(self.critic, real, fake.detach()), self.critic)

    def _unrolled(self, real: Tensor, fake: Tensor) -> Parameters:
        """∂L_G(θ_G, θ_D^K(θ_G)) / ∂θ_G, through all inner steps."""
        critic, moments = self.critic, self.moments_d
        for _ in range(self.steps):
            inner = gradient(critic_loss(critic, real, fake), critic, create_graph=True)
            critic, moments = adam(critic, inner, moments)
        return gradient(-critic_loss(critic, real, fake), self.generator)

    def _move_critic(self, along: Parameters) -> None:
        with torch.no_grad():
            moved, self.moments_d = adam(self.critic, along, self.moments_d)
        self.critic = {name: value.requires_grad_() for name, value in moved.items()}

    def _move_generator(self, along: Parameters) -> None:
        with torch.no_grad():
            moved, self.moments_g = adam(self.generator, along, self.moments_g)
        self.generator = {name: value.requires_grad_() for name, value in moved.items()}


class Detached(PlainTorch):
    """The first-order look-alike: the same K steps, whose gradients are taken as constants."""

    def _unrolled(self, real: Tensor, fake: Tensor) -> Parameters:
        critic, moments = self.critic, self.moments_d
        for _ in range(self.steps):
            inner = gradient(critic_loss(critic, real, fake.detach()), critic)
            critic, moments = adam(critic, inner, moments)
        return gradient(-critic_loss(critic, real, fake), self.generator)


def generated(p: Parameters, latent: Tensor) -> Tensor:
    """G(z), "n 2"."""
    hidden = F.relu(F.linear(latent, p["generator.0.weight"], p["generator.0.bias"]))
    hidden = F.relu(F.linear(hidden, p["generator.2.weight"], p["generator.2.bias"]))
    return F.linear(hidden, p["generator.4.weight"], p["generator.4.bias"])


def logits(p: Parameters, x: Tensor) -> Tensor:
    """D(x), "n"."""
    hidden = F.relu(F.linear(SCALE * x, p["critic.0.weight"], p["critic.0.bias"]))
    return F.linear(hidden, p["critic.2.weight"], p["critic.2.bias"]).squeeze(1)


def critic_loss(p: Parameters, real: Tensor, fake: Tensor) -> Tensor:
    """L_D, of points; L_G is its negative."""
    return loss(logits(p, real), logits(p, fake))


def gradient(of: Tensor, by: Parameters, create_graph: bool = False) -> Parameters:
    """∂of/∂by, by name."""
    found = torch.autograd.grad(of, list(by.values()), create_graph=create_graph)
    return dict(zip(by, found, strict=True))


def zero(parameters: Parameters) -> Moments:
    """Before the first step."""
    return Moments(
        0,
        {name: torch.zeros_like(value) for name, value in parameters.items()},
        {name: torch.zeros_like(value) for name, value in parameters.items()},
    )


def adam(parameters: Parameters, along: Parameters, moments: Moments) -> tuple[Parameters, Moments]:
    """One step of Adam (kingma2014, Algorithm 1), differentiable."""
    (b1, b2), count = BETAS, moments.steps + 1
    first = {name: b1 * m + (1 - b1) * along[name] for name, m in moments.first.items()}
    second = {name: b2 * v + (1 - b2) * along[name] ** 2 for name, v in moments.second.items()}
    moved = {}
    for name, parameter in parameters.items():
        denominator = root(second[name]) / (1 - b2**count) ** 0.5 + EPSILON
        moved[name] = parameter - RATE / (1 - b1**count) * first[name] / denominator
    return moved, Moments(count, first, second)


def root(v: Tensor) -> Tensor:
    """√v, with the derivative 0 at v = 0."""
    none = v == 0
    return torch.where(none, 0, torch.where(none, 1, v).sqrt())
