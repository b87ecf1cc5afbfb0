"""The first training of every user: a DCGAN on the bundled real digits, in minutes."""

import math
from collections.abc import Mapping
from dataclasses import replace

from agon.averaging import Averaging
from agon.data import Images, Ring, Source
from agon.experiment import Budget, Experiment, changed, part
from agon.games import Adversarial
from agon.networks import mlp
from agon.networks.dcgan import stages
from agon.recipes import radford2015
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale

DEEPEST = 128  # channels of the smallest stage, so that images larger than the digits do not make millions of weights
STEPS = {"smoke": 20, "quick": 6_500, "paper": 20_000}
OF_POINTS = Budget(batch=256, steps=STEPS["quick"], log_every=100, grid=1_000)
POINTS: Mapping[Scale, Budget] = {
    "smoke": replace(OF_POINTS, steps=STEPS["smoke"], log_every=5, sample_every=10),
    "quick": OF_POINTS,
    "paper": replace(OF_POINTS, steps=STEPS["paper"]),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN with one stage more than its resolution needs, which samples from averaged weights."""
    size = radford2015.SIZES["smoke" if scale == "smoke" else "quick"]
    width = min(size.width, max(16, DEEPEST >> len(list(stages(data.shape, 2))[2:])))
    trained = radford2015.trained(data, size._replace(width=width))
    for network in ("generator", "critic"):  # with one stage only, the critic never leaves logits near 0
        trained = changed(trained, f"game.{network}.smallest", "2")
    return replace(trained, steps=STEPS[scale], averaging=Averaging(decay=0.999))


def points(data: Source, scale: Scale) -> Experiment:
    """Two perceptrons on points of any dimension, or on series; no fewer latents than dimensions, up to 128."""
    width = 8 if scale == "smoke" else 128
    latent = min(128, max(16, math.prod(data.shape)))
    generator = part(mlp.Generator, shape=data.shape, latent=latent, widths=(width, width))
    return Experiment(
        game=part(Adversarial, generator=generator, critic=part(mlp.Critic, shape=data.shape, widths=(width, width))),
        data=data,
        **POINTS[scale].settings,
    )


RING = Recipe(
    name="first/ring",
    paper="Goodfellow et al. 2014, on eight Gaussians",
    claim="a small GAN on points, to see in seconds which of the modes it finds",
    data=lambda scale: Ring(),
    make=points,
    also=(2,),
)

DIGITS = Recipe(
    name="first/digits",
    paper="Radford et al. 2015, on 8x8 digits",
    claim="all ten digits from 1,797 bundled images, without a download",
    data=lambda scale: Images(path="digits"),
    make=experiment,
)
