"""Radford, Metz, Chintala 2015, "Unsupervised representation learning with deep convolutional GANs".

| the paper | here |
|---|---|
| section 4: mini-batch of 128 | the same at paper scale; 64 below |
| section 4: N(0, 0.02), leaky ReLU 0.2, Adam 2e-4 with β1 0.5 | the same |
| section 4: no pre-processing besides tanh's range | the same |
| figure 1: z of 100 uniform numbers | the same |
| figure 1: 128 to 1024 feature maps | width 128 at paper scale; 64 at quick; 8 at smoke |
| number of updates not stated (section 4.1: five epochs of LSUN) | 100,000 steps at paper scale |
| which latents the generator's update sees is not stated | the critic's own, as in the released code |
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from agon.data import Images, Source
from agon.dynamics import Turns
from agon.experiment import Budget, Experiment, Part, part
from agon.games import Adversarial
from agon.latents import Uniform
from agon.networks import dcgan
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale


class DcganSize(NamedTuple):
    """The size of a DCGAN at a scale.

    Attributes:
        width: channels of the layers next to the image, doubled at each smaller size.
        budget: budget of the training.
    """

    width: int
    budget: Budget


QUICK = Budget(steps=5_000, sample_every=250)
PAPER = Budget(steps=100_000, log_every=100, sample_every=2_000, checkpoint_every=1_000)
SIZES: Mapping[Scale, DcganSize] = {
    "smoke": DcganSize(width=8, budget=SMOKE),
    "quick": DcganSize(width=64, budget=QUICK),
    "paper": DcganSize(width=128, budget=replace(PAPER, batch=128)),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN at the data's own resolution."""
    return trained(data, SIZES[scale])


def trained(data: Source, size: DcganSize, critic: Part | None = None, **settings: Any) -> Experiment:
    """A DCGAN of a size, with another critic or other settings of the game (objective, penalties, projections)."""
    return Experiment(
        game=part(
            Adversarial,
            generator=part(dcgan.Generator, shape=data.shape, width=size.width, range=data.range),
            critic=part(dcgan.Critic, shape=data.shape, width=size.width) if critic is None else critic,
            **settings,
        ),
        data=data,
        latent=Uniform(),
        dynamics=Turns(draws="round"),
        **size.budget.settings,
    )


DCGAN = Recipe(
    name="radford2015/dcgan",
    paper="Radford et al. 2015, figure 1 and section 4",
    claim="a convolutional generator and critic with batch normalisation train stably on images",
    data=lambda scale: Images(path="digits"),
    make=experiment,
)
