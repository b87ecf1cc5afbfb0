"""Miyato and Koyama 2018, "cGANs with projection discriminator".

| the paper | here |
|---|---|
| section 3: the critic is ψ(φ(x)) + ⟨e(y), φ(x)⟩ | the same |
| section 5: conditional batch normalisation in G, spectral normalisation in D | the same, e(y) included |
| section 5: hinge loss, Adam with rate 2e-4, β1 0 and β2 0.9 | the same |
| appendix: residual networks for ImageNet at 128x128, whose φ is summed over positions | DCGANs; φ keeps positions |
| section 5: five critic updates to one of the generator | one |
| section 5: 450,000 generator updates, with a rate that decays to 0 at the end | 100,000 at paper scale, constant |
| ImageNet | CIFAR-10 where no --data is given |
| which labels the generated samples get is not stated | those of the batch's real samples |
| samples from the last weights | from averaged ones, decay 0.999 |
"""

from collections.abc import Mapping
from dataclasses import replace

import torch

from agon.averaging import Averaging
from agon.data import Source
from agon.experiment import Experiment, part
from agon.games import Adversarial
from agon.latents import Normal
from agon.networks import conditional, dcgan
from agon.objectives import Hinge
from agon.recipes.radford2015 import PAPER, QUICK, DcganSize
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10, classes_of

SIZES: Mapping[Scale, DcganSize] = {
    "smoke": DcganSize(width=8, budget=SMOKE),
    "quick": DcganSize(width=32, budget=replace(QUICK, steps=4_000)),
    "paper": DcganSize(width=64, budget=PAPER),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN with a scale and a shift for each class in the generator, and a projection in the critic."""
    (width, budget), classes = SIZES[scale], classes_of(data)
    generator = part(dcgan.Generator, shape=data.shape, width=width, latent=128, range=data.range)
    critic = part(dcgan.Critic, shape=data.shape, width=width, normalise=False, spectral=True)
    return Experiment(
        game=part(
            Adversarial,
            generator=part(conditional.NormalisedGenerator, generator=generator, classes=classes),
            critic=part(conditional.ProjectionCritic, critic=critic, classes=classes, spectral=True),
            objective=Hinge(),
        ),
        data=data,
        latent=Normal(),
        optimisers=part(torch.optim.Adam, lr=2e-4, betas=(0.0, 0.9)),
        averaging=Averaging(decay=0.999),
        **budget.settings,
    )


PROJECTION = Recipe(
    name="miyato2018b/projection",
    paper="Miyato and Koyama 2018, section 3",
    claim="a critic that projects its features on the class makes the generator draw the class that is asked for",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (PROJECTION,)
