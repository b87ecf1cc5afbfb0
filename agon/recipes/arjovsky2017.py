"""Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN".

| the paper | here |
|---|---|
| algorithm 1: α 5e-5, c 0.01, m 64, n_critic 5 | the same; batch 16 at smoke |
| algorithm 1: RMSProp; its other settings not stated | torch's: α 0.99, ε 1e-8 |
| algorithm 1: w <- clip(w, -c, c) after each critic update, all of w | the same, biases and scales too |
| algorithm 1: new real samples and new z for each update | the same |
| algorithm 1 prints the critic's gradient for ascent | the loss is its negative, for descent |
| section 4.2: both networks are a DCGAN; LSUN bedrooms at 64x64 | the same at any size; CIFAR-10 without --data |
| z not stated; the released code has 100 normal numbers | 100 normal numbers |
| the released code: 100 critic updates in each of the first 25 rounds and in every 500th | 5 in all |
| section 4.3: also without batch normalisation, and with perceptrons for G | --set game.generator.normalise=false |
| length of training: figures up to 625,000 generator updates | 200,000 rounds, a million critic updates, at paper |
"""

from collections.abc import Mapping
from dataclasses import replace

import torch

from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Experiment, part
from agon.latents import Normal
from agon.objectives import Wasserstein
from agon.projections import Clipping
from agon.recipes.radford2015 import PAPER, QUICK, DcganSize, trained
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10

SIZES: Mapping[Scale, DcganSize] = {
    "smoke": DcganSize(width=8, budget=SMOKE),
    "quick": DcganSize(width=32, budget=replace(QUICK, steps=3_000)),
    "paper": DcganSize(width=64, budget=replace(PAPER, steps=200_000)),
}
FIVE_TO_ONE = Turns((*(("critic",),) * 5, ("generator",)))


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN whose critic is clipped to a box after each of its updates, five to each one of the generator."""
    clipped = trained(data, SIZES[scale], objective=Wasserstein(), projections=(Clipping(bound=0.01),))
    return replace(clipped, latent=Normal(), optimisers=part(torch.optim.RMSprop, lr=5e-5), dynamics=FIVE_TO_ONE)


WGAN = Recipe(
    name="arjovsky2017/wgan",
    paper="Arjovsky et al. 2017, algorithm 1",
    claim="the critic's loss estimates the earth mover's distance, and falls as the samples get better",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (WGAN,)
