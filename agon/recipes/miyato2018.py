"""Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral normalization for generative adversarial networks".

| the paper | here |
|---|---|
| table 3: the standard CNN, 32x32 and 48x48, leaky ReLUs of slope 0.1 in D | the same; a quarter as wide at quick |
| table 3: batch normalisation in G, none in D, z ~ N(0, I) of 128 numbers | the same |
| algorithm 1: one power iteration an update, of every layer of D | one a pass in training, so two an update |
| equations 16, 17: hinge; table 2 has it beside the standard loss (7.58 and 7.42 on CIFAR-10) | hinge |
| section 4.1: settings A to F of Adam; C: rate 2e-4, β1 0.5, β2 0.999, one critic update | C at paper scale |
| batch 64, 100,000 generator updates | the same at paper scale, 100,000 rounds |
| initialisation not stated; the released code has N(0, 0.02) | N(0, 0.02), in D divided out by the normalisation |
| CIFAR-10, STL-10 at 48x48 | CIFAR-10 where no --data is given |

Below paper scale β1 is 0 and β2 0.9, as the paper has them for its residual networks: with C, a generator a quarter as
wide made one image of all latents for 600 steps on digits; with these it had begun to tell them apart, but after 2,422
steps on MNIST its samples were four of the ten digits.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch

from agon.data import Source
from agon.experiment import Budget, Experiment, part
from agon.games import Adversarial
from agon.networks import cnn
from agon.objectives import Hinge
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10


class SnganSize(NamedTuple):
    """The size of both networks at a scale.

    Attributes:
        width: channels of the narrowest layer.
        betas: Adam's β1 and β2.
        budget: budget of the training.
    """

    width: int
    betas: tuple[float, float]
    budget: Budget


QUICK = Budget(steps=4_000, sample_every=250)
PAPER = Budget(steps=100_000, log_every=100, sample_every=2_000, checkpoint_every=1_000)
SIZES: Mapping[Scale, SnganSize] = {
    "smoke": SnganSize(width=4, betas=(0.0, 0.9), budget=SMOKE),
    "quick": SnganSize(width=16, betas=(0.0, 0.9), budget=QUICK),
    "paper": SnganSize(width=64, betas=(0.5, 0.999), budget=PAPER),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """The standard CNN of table 3, with widths as multiples of the narrowest."""
    n, betas, budget = SIZES[scale]
    generator = part(
        cnn.Generator,
        shape=data.shape,
        latent=128,
        first=8 * n,
        layers=((4, 2, 4 * n), (4, 2, 2 * n), (4, 2, n)),
        last=(3, 1),
        range=data.range,
    )
    critic = part(
        cnn.Critic,
        shape=data.shape,
        layers=((3, 1, n), (4, 2, n), (3, 1, 2 * n), (4, 2, 2 * n), (3, 1, 4 * n), (4, 2, 4 * n), (3, 1, 8 * n)),
        normalise=False,
        slope=0.1,
        spectral=True,
    )
    return Experiment(
        game=part(Adversarial, generator=generator, critic=critic, objective=Hinge()),
        data=data,
        optimisers=part(torch.optim.Adam, lr=2e-4, betas=betas),
        **budget.settings,
    )


SNGAN = Recipe(
    name="miyato2018/sngan",
    paper="Miyato et al. 2018, table 3 and equations 16-17",
    claim="a critic whose layers have a largest singular value of 1 trains stably without a penalty",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (SNGAN,)
