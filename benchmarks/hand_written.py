"""What one would write without agon: PyTorch's own DCGAN example, its data in memory, nothing slow left in.

As in pytorch/examples/dcgan and the DCGAN tutorial: the critic on real, then on detached samples, one
step; the critic on the same samples again, one step of the generator. The same networks as agon's
side (agon.networks.dcgan), torch's Adam as it comes, and no DataLoader: a permutation indexes one
uint8 tensor. The example's `.item()` calls, which wait for a GPU at every step, are left out.
"""

import torch
from torch import Tensor, nn

from agon.networks import dcgan

LATENT = 100


class HandWritten:
    """The loop as an object, so that it can be stepped in turns with agon's.

    Args:
        images: uint8 "n c h w", on the CPU.
        batch: samples a step.
        width: of both networks.
        device: where it trains.
        bf16: whether the networks run under autocast to bfloat16.
    """

    def __init__(
        self, images: Tensor, batch: int, width: int, device: torch.device | str = "cpu", bf16: bool = False
    ) -> None:
        torch.manual_seed(0)
        shape = tuple(images.shape[1:])
        self.images, self.batch, self.device, self.bf16 = images.to(device), batch, torch.device(device), bf16
        self.generator = dcgan.Generator(shape=shape, latent=LATENT, width=width).to(device)
        self.critic = dcgan.Critic(shape=shape, width=width).to(device)
        self.loss = nn.BCEWithLogitsLoss()
        self.ones, self.zeros = torch.ones(batch, device=device), torch.zeros(batch, device=device)
        self.optimiser_d = torch.optim.Adam(self.critic.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.optimiser_g = torch.optim.Adam(self.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.order, self.place = torch.randperm(len(images), device=device), 0

    def draw(self) -> Tensor:
        """The next batch, in [-1, 1]; the remainder of an epoch is dropped."""
        if self.place + self.batch > len(self.order):
            self.order, self.place = torch.randperm(len(self.images), device=self.device), 0
        rows = self.order[self.place : self.place + self.batch]
        self.place += self.batch
        return self.images[rows].float().div_(127.5).sub_(1)

    def advance(self) -> None:
        """One step of the critic and one of the generator."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            self.critic.zero_grad()
            self.loss(self.critic(self.draw()), self.ones).backward()
            fake = self.generator(torch.randn(self.batch, LATENT, device=self.device))
            self.loss(self.critic(fake.detach()), self.zeros).backward()
            self.optimiser_d.step()

            self.generator.zero_grad()
            self.loss(self.critic(fake), self.ones).backward()
            self.optimiser_g.step()
