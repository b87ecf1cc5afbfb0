"""The unrolled step with higher 0.2.1: `innerloop_ctx` around the critic and its own torch Adam.

As higher's documentation writes it: the context copies the critic's weights and its optimiser's state,
so that the K steps carry on the live moments and leave them alone. Under simultaneous moves a
`grad_callback` keeps the first inner gradient, which is the critic's ordinary one.

What higher's Adam does otherwise than torch's, and what is done about it here:

* It adds ε to √v, torch adds it to √v/√(1 - β2^t): at t = 1 its ε is 32 times larger. Every step is
  given ε·√(1 - β2^t) by `override`, which makes both the same. Left as it comes, three steps in float64
  (K = 10) end 4e-7 from `plain_torch`; with it, 3e-17.
* torch keeps the number of steps as a float32 tensor, and higher computes 1 - β2^t with it, which is
  wrong by 1e-5 at t = 1 (8e-9 after three steps). The copied numbers are made Python's.
* At v = 0 it masks the derivative to 0 by hooks: finite, and the same definition as `plain_torch`.
"""

import higher
import torch
from higher.optim import DifferentiableOptimizer
from torch import Tensor

from benchmarks.peers.game import BETAS, EPSILON, Weights
from benchmarks.peers.modules import ModulesPeer, adam, critic_loss

Gradients = list[Tensor]


class HigherStep(ModulesPeer):
    """The step as one writes it with higher."""

    def begin(self, weights: Weights) -> None:
        super().begin(weights)
        self.optimiser_d = adam(self.critic)

    def advance(self, real: Tensor, latent: Tensor) -> None:
        fake = self.generator(latent)
        if self.schedule == "alternating":
            self._move_critic(self._ordinary(real, fake))
            gradients, _ = self._unrolled(real, fake)
        else:
            gradients, first = self._unrolled(real, fake)
            self._move_critic(first)
        self.move_generator(gradients)

    def _ordinary(self, real: Tensor, fake: Tensor) -> Gradients:
        of = critic_loss(self.critic, real, fake.detach())
        return list(torch.autograd.grad(of, list(self.critic.parameters())))

    def _unrolled(self, real: Tensor, fake: Tensor) -> tuple[Gradients, Gradients]:
        """The generator's gradient through all inner steps, and the critic's of the first one."""
        kept: list[Gradients] = []

        def keep(gradients: Gradients) -> Gradients:
            kept.append([each.detach() for each in gradients])
            return gradients

        with higher.innerloop_ctx(self.critic, self.optimiser_d) as (critic, inner):
            count = exact_count(inner)
            for k in range(self.steps):
                epsilon = EPSILON * (1 - BETAS[1] ** (count + k + 1)) ** 0.5
                callback = None if k else keep
                inner.step(critic_loss(critic, real, fake), override={"eps": [epsilon]}, grad_callback=callback)
            of = -critic_loss(critic, real, fake)
            return list(torch.autograd.grad(of, list(self.generator.parameters()))), kept[0]

    def _move_critic(self, along: Gradients) -> None:
        for parameter, gradient in zip(self.critic.parameters(), along, strict=True):
            parameter.grad = gradient
        self.optimiser_d.step()


def exact_count(inner: DifferentiableOptimizer) -> int:
    """How many steps were taken before, made an int wherever higher counts them."""
    states = [state for group in inner.state for state in group.values() if state]
    for state in states:
        state["step"] = int(state["step"])
    return states[0]["step"] if states else 0
