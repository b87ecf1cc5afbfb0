"""The script that one would write by hand for the first step of `first/digits`: DCGAN on the bundled digits."""

import os
import sys

import numpy as np
import torch
from torch import nn

digits = torch.from_numpy(np.loadtxt(sys.argv[1], delimiter=",", dtype=np.float32)[:, :64]).reshape(-1, 1, 8, 8)
digits = digits / 8 - 1
torch.manual_seed(0)
critic = nn.Sequential(
    *(nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)),
    *(nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, inplace=True)),
    *(nn.Flatten(), nn.Linear(512, 1), nn.Flatten(0)),
)
generator = nn.Sequential(
    *(nn.ConvTranspose2d(100, 128, 2, 1, 0, bias=False), nn.BatchNorm2d(128), nn.ReLU(inplace=True)),
    *(nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)),
    *(nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh()),
)
optimisers = [torch.optim.Adam(player.parameters(), lr=2e-4, betas=(0.5, 0.999)) for player in (critic, generator)]


def update(player: nn.Module, optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> float:
    """One player's move."""
    optimiser.zero_grad()
    loss.backward(inputs=list(player.parameters()))
    optimiser.step()
    return loss.item()


real = digits[torch.randint(0, len(digits), (64,))]
fake = generator(torch.randn(64, 100, 1, 1))
judged = nn.functional.softplus(-critic(real)).mean() + nn.functional.softplus(critic(fake.detach())).mean()
print(update(critic, optimisers[0], judged))
print(update(generator, optimisers[1], nn.functional.softplus(-critic(fake)).mean()), flush=True)
os._exit(0)  # at the first step, as the other side
