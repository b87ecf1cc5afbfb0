"""Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville 2017, "Improved training of Wasserstein GANs".

| the paper | here |
|---|---|
| algorithm 1: λ 10, n_critic 5, Adam with α 1e-4, β1 0, β2 0.9 | the same |
| algorithm 1: new real samples, z and ε for each critic update | the same |
| section 4: two-sided penalty, on lines between pairs | the same |
| section 4: no batch normalisation in the critic, layer normalisation instead | none at all |
| batch 64 | the same; 16 at smoke |
| section 5.2: architectures on LSUN bedrooms at 64x64, the first of them a DCGAN | the DCGAN, at the data's size |
| table 5: CIFAR-10 by residual networks of 128 channels | not here: the DCGAN without --data on CIFAR-10 too |
| algorithm 1 decays nothing; the experiments on CIFAR-10 decay the rate to 0 over 100,000 updates | constant |
| 200,000 generator updates on LSUN | 200,000 rounds, a million critic updates, at paper scale |
"""

from collections.abc import Mapping
from dataclasses import replace

import torch

from agon.data import Source
from agon.experiment import Experiment, part
from agon.latents import Normal
from agon.networks import dcgan
from agon.objectives import Wasserstein
from agon.penalties import GradientPenalty
from agon.recipes.arjovsky2017 import FIVE_TO_ONE
from agon.recipes.radford2015 import PAPER, QUICK, DcganSize, trained
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10

SIZES: Mapping[Scale, DcganSize] = {
    "smoke": DcganSize(width=8, budget=SMOKE),
    "quick": DcganSize(width=32, budget=replace(QUICK, steps=2_000)),
    "paper": DcganSize(width=64, budget=replace(PAPER, steps=200_000)),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN whose critic is kept at a slope of 1 between real and generated samples, with five updates to one."""
    critic = part(dcgan.Critic, shape=data.shape, width=SIZES[scale].width, normalise=False)
    penalties = (GradientPenalty(weight=10.0),)
    held = trained(data, SIZES[scale], critic, objective=Wasserstein(), penalties=penalties)
    adam = part(torch.optim.Adam, lr=1e-4, betas=(0.0, 0.9))
    return replace(held, latent=Normal(), optimisers=adam, dynamics=FIVE_TO_ONE)


WGAN_GP = Recipe(
    name="gulrajani2017/wgan-gp",
    paper="Gulrajani et al. 2017, algorithm 1",
    claim="a penalty on the critic's slope does what clipping does, without pushing its weights to their bounds",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (WGAN_GP,)
