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

from typing import Any

from agon.data import Images, Source
from agon.dynamics import Turns
from agon.experiment import Experiment, Part, part
from agon.games import Adversarial
from agon.latents import Uniform
from agon.networks import dcgan
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale

Row = tuple[int, int, int, int, int, int]
SCALES: dict[Scale, Row] = {  # width, batch, steps, log, sample, checkpoint
    "smoke": (8, 16, 20, 5, 10, 10),
    "quick": (64, 64, 5_000, 50, 250, 500),
    "paper": (128, 128, 100_000, 100, 2_000, 1_000),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN at the data's own resolution."""
    return trained(data, SCALES[scale])


def trained(data: Source, row: Row, critic: Part | None = None, **judged: Any) -> Experiment:
    """A DCGAN of a row of SCALES, with another critic or other judgements (objective, penalties, projections)."""
    width, batch, steps, log_every, sample_every, checkpoint_every = row
    return Experiment(
        game=part(
            Adversarial,
            generator=part(dcgan.Generator, shape=data.shape, width=width, range=data.range),
            critic=part(dcgan.Critic, shape=data.shape, width=width) if critic is None else critic,
            **judged,
        ),
        data=data,
        latent=Uniform(),
        dynamics=Turns(draws="round"),
        batch=batch,
        steps=steps,
        log_every=log_every,
        sample_every=sample_every,
        checkpoint_every=checkpoint_every,
    )


DCGAN = Recipe(
    name="radford2015/dcgan",
    paper="Radford et al. 2015, figure 1 and section 4",
    claim="a convolutional generator and critic with batch normalisation train stably on images",
    data=lambda scale: Images(path="digits"),
    make=experiment,
)
