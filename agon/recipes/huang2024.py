"""Huang, Gokaslan, Kuleshov, Tompkin 2024, "The GAN is dead; long live the GAN! A modern GAN baseline": R3GAN.

The networks are read in `networks.resnext`.

| the paper | here |
|---|---|
| equation 2: relativistic pairing loss | the same |
| equations 3, 4: R1 and R2 with one weight γ/2, at every step | the same |
| CIFAR-10: 768 channels at each of 4 sizes, two blocks each, z of 64 normal numbers | the same at paper scale |
| class-conditional on CIFAR-10 | unconditional |
| batch 512, Adam with β1 0 | the same at paper scale; 32 at quick |
| first 20 million images: γ 0.05 to 0.005, rate 2e-4 to 5e-5, β2 0.9 to 0.99 by a cosine | constant: see below |
| in the same time: augmentation 0 to 0.55, half-life of the average 0 to 5 million images | no augmentation; constant |
| figures: CIFAR-10 until about 200 million images | 400,000 rounds at paper scale |
| alternating, new samples for each | the same |
| CIFAR-10, FFHQ, ImageNet at 32 and 64, StackedMNIST | CIFAR-10 where no --data is given |

Nothing follows a schedule here: what does in the paper has its last value at paper scale and its first below, but for
two. γ is 1 there: with 0.05 the critic was far ahead on digits after 200 steps. The average's decay is 0.995 there.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch

from agon.averaging import Averaging
from agon.data import Source
from agon.experiment import Budget, Experiment, part
from agon.games import Adversarial
from agon.networks import resnext
from agon.objectives import Relativistic
from agon.penalties import R1, R2
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10


class Schedule(NamedTuple):
    """The paper's scheduled settings, at the start or the end of the schedule.

    Attributes:
        gamma: γ, weight of both penalties.
        rate: Adam's learning rate.
        betas: Adam's β1 and β2.
        decay: decay of the average of weights.
    """

    gamma: float
    rate: float
    betas: tuple[float, float]
    decay: float


class R3ganSize(NamedTuple):
    """The size of both networks at a scale.

    Attributes:
        widths: channels at each size, from the smallest on; the last holds for all larger sizes.
        blocks: blocks at each size.
        schedule: the paper's schedule, at one end.
        budget: budget of the training.
    """

    widths: tuple[int, ...]
    blocks: int
    schedule: Schedule
    budget: Budget


FIRST = Schedule(gamma=1.0, rate=2e-4, betas=(0.0, 0.9), decay=0.995)
LAST = Schedule(gamma=0.005, rate=5e-5, betas=(0.0, 0.99), decay=0.5 ** (512 / 5e6))
QUICK = Budget(batch=32, steps=2_500, log_every=20, sample_every=100, checkpoint_every=500)
PAPER = Budget(batch=512, steps=400_000, log_every=100, sample_every=2_000, checkpoint_every=1_000)
SIZES: Mapping[Scale, R3ganSize] = {
    "smoke": R3ganSize(widths=(8,), blocks=1, schedule=FIRST, budget=SMOKE),
    "quick": R3ganSize(widths=(64, 64, 32, 16), blocks=1, schedule=FIRST, budget=QUICK),
    "paper": R3ganSize(widths=(768,), blocks=2, schedule=LAST, budget=PAPER),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """Residual networks without normalisation, relativistic pairs, and both zero-centred penalties."""
    widths, blocks, schedule, budget = SIZES[scale]
    network = {"shape": data.shape, "widths": widths, "blocks": blocks}
    return Experiment(
        game=part(
            Adversarial,
            generator=part(resnext.Generator, latent=64, range=None, **network),
            critic=part(resnext.Critic, **network),
            objective=Relativistic(),
            penalties=(R1(weight=schedule.gamma), R2(weight=schedule.gamma)),
        ),
        data=data,
        optimisers=part(torch.optim.Adam, lr=schedule.rate, betas=schedule.betas),
        averaging=Averaging(decay=schedule.decay),
        **budget.settings,
    )


R3GAN = Recipe(
    name="huang2024/r3gan",
    paper="Huang et al. 2024, equations 2-4 and section 4",
    claim="a relativistic loss with both gradient penalties needs none of the usual tricks, nor normalisation",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (R3GAN,)
