"""The unrolled step with torchopt 0.7.3: `MetaAdam` on the critic's module, states taken and put back.

As in torchopt's own unrolled examples: `MetaAdam.step` moves the module differentiably,
`extract_state_dict` remembers where it was, `recover_state_dict` returns there. MetaAdam starts from
moments of its own and cannot take over a torch optimiser's; so it is the critic's one optimiser here,
and takes its ordinary steps too. Under simultaneous moves the first inner step *is* the ordinary one:
it is copied out of the graph ("deepcopy"), and the critic returns there after the look ahead.

* Its root has no derivative at v = 0: one unit that never fired makes the whole generator nan in
  one step, as autograd multiplies inf by 0. `eps_root` = 1e-30 makes it finite and, as the gradient is 0
  there, exactly 0; its root, 1e-15, is nothing beside ε = 1e-8. Three steps in float64 (K = 10) end 4e-17
  from `plain_torch` with it, and 2.5e-4, as much as a whole step of Adam or more, with 1e-8.
* `use_accelerated_op=True` is finite at v = 0, but its derivative by v has √v + ε where √v belongs: the
  generator ends 5e-8 off. It is not faster on a CPU either, and is not used.
* β^t is a float32 tensor under torch's default dtype, in float64 too, which is wrong by 1e-5 at t = 1
  (7e-8 after three steps). For "float64" this peer sets the default dtype of the whole process to
  float64; "float32" is left as it comes.
* `moment_requires_grad` is True by default and is of no use here.
"""

import torch
import torchopt
from torch import Tensor

from benchmarks.peers.game import BETAS, EPSILON, RATE, Weights
from benchmarks.peers.modules import ModulesPeer, critic_loss

EPSILON_ROOT = 1e-30


class TorchoptStep(ModulesPeer):
    """The step as one writes it with torchopt."""

    def begin(self, weights: Weights) -> None:
        if self.dtype == "float64":
            torch.set_default_dtype(torch.float64)
        super().begin(weights)
        self.optimiser_d = torchopt.MetaAdam(
            self.critic, RATE, BETAS, EPSILON, eps_root=EPSILON_ROOT, moment_requires_grad=False
        )

    def advance(self, real: Tensor, latent: Tensor) -> None:
        fake = self.generator(latent)
        if self.schedule == "alternating":
            self._move_critic(real, fake.detach(), 1)
            torchopt.stop_gradient(self.critic)
            torchopt.stop_gradient(self.optimiser_d)
            live = [torchopt.extract_state_dict(each) for each in (self.critic, self.optimiser_d)]
            self._move_critic(real, fake, self.steps)
        else:
            self._move_critic(real, fake, 1)
            live = [torchopt.extract_state_dict(each, by="deepcopy") for each in (self.critic, self.optimiser_d)]
            self._move_critic(real, fake, self.steps - 1)
        of = -critic_loss(self.critic, real, fake)
        self.move_generator(torch.autograd.grad(of, list(self.generator.parameters())))
        torchopt.recover_state_dict(self.critic, live[0])
        torchopt.recover_state_dict(self.optimiser_d, live[1])

    def _move_critic(self, real: Tensor, fake: Tensor, steps: int) -> None:
        for _ in range(steps):
            self.optimiser_d.step(critic_loss(self.critic, real, fake))
