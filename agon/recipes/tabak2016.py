"""One Gaussian, one digit at a time, a DCGAN: sections 3.1 to 3.3.

| the report | here |
|---|---|
| section 3.1: x ~ N(3, 0.5), N(3, 0.2), N(-2, 0.5): the second number's meaning is not stated | standard deviations |
| figure 2: z ~ U(-8, 8), U(-10, 10), U(-10, 10), of 1 number | the same |
| section 3.1: 120 samples: a batch or a data set is not stated | a batch of 120, new ones for every update |
| section 3.1: 4,000 steps | 4,000 rounds; an update of each network, figure 1 |
| section 3.1: G of 2 layers, D of 3, 11 hidden units at each layer | 1 and 2 hidden layers of 11 |
| section 3.2: digits as vectors; z of 784 uniform numbers, "noise range 1" | z ~ U(-1, 1) of 784; images to [-1, 1] |
| section 3.2: 50 hidden units; D of 3 or 4 layers; G's output tanh or linear | the same; figure 3's three pairs |
| section 3.2: one network for each digit; which digits of the set are not stated | the training split's |
| section 3.2: batch 50, 100 epochs | the same: 12,000 rounds, as 50 times 120 is near a digit's 5,421 to 6,742 |
| section 3.3: somebody else's DCGAN on MNIST; its sizes are not stated | width 64, batch 64, Adam 2e-4 (radford2015) |
| figure 4: 1 epoch, then 2 | 2 epochs of 60,000 digits, a picture after each |
| no activation is given | leaky relu 0.2 in both networks: the best of five pairs tried on the line |
| no optimiser and no rate is given; rates and initial weights were tuned for each Gaussian | Adam with β1 0.5; 5e-4 \
and Xavier's weights on all Gaussians, 2e-4 and torch's own weights on digits |
| equation 4 or equation 2: the loss of G that was used is not stated | equation 2, which the report prefers |
| figure 1: new noise for G's update | the same |

The report says that the Gaussian's runs differ although nothing was changed, and are never smooth: so do ours.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch

from agon.data import Gaussian, Source
from agon.experiment import Budget, Experiment, part
from agon.games import Adversarial
from agon.latents import Uniform
from agon.networks import mlp
from agon.recipes import radford2015
from agon.recipes.recipe import EvaluationSchedule, Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import MNIST, read_as

OF_POINTS = Budget(batch=120, steps=4_000, sample_every=250, checkpoint_every=2_000, grid=4_096)
OF_DIGITS = Budget(batch=50, steps=12_000, log_every=120, sample_every=1_200, checkpoint_every=3_000)
POINTS: Mapping[Scale, Budget] = {
    "smoke": replace(SMOKE, batch=30, grid=120),
    "quick": OF_POINTS,
    "paper": OF_POINTS,
}
DIGITS: Mapping[Scale, Budget] = {"smoke": replace(SMOKE, batch=50), "quick": OF_DIGITS, "paper": OF_DIGITS}
EVALUATIONS: Mapping[str, EvaluationSchedule] = {  # compare the critic with the optimal one whenever points are kept
    scale: EvaluationSchedule(("modes",), every=budget.sample_every, n=min(2_000, budget.grid))
    for scale, budget in POINTS.items()
}
EPOCH = 60_000 // 64
TWO_EPOCHS = Budget(steps=2 * EPOCH, sample_every=EPOCH, checkpoint_every=EPOCH)
CONVOLUTIONAL: Mapping[Scale, radford2015.DcganSize] = {
    "smoke": radford2015.DcganSize(width=8, budget=SMOKE),
    "quick": radford2015.DcganSize(width=64, budget=TWO_EPOCHS),
    "paper": radford2015.DcganSize(width=64, budget=TWO_EPOCHS),
}


def points(data: Source, scale: Scale, noise: float) -> Experiment:
    """Two small perceptrons on points; z ~ U(-noise, noise) of one number."""
    hidden = {"nonlinearity": "leaky-relu", "initialisation": "xavier"}
    return Experiment(
        game=part(
            Adversarial,
            generator=part(mlp.Generator, shape=data.shape, latent=1, widths=(11,), **hidden),
            critic=part(mlp.Critic, shape=data.shape, widths=(11, 11), **hidden),
        ),
        data=data,
        latent=Uniform(low=-noise, high=noise),
        optimisers=part(torch.optim.Adam, lr=5e-4, betas=(0.5, 0.999)),
        **POINTS[scale].settings,
    )


def digit(data: Source, scale: Scale, only: int, linear: bool, depth: int) -> Experiment:
    """Two perceptrons on the images of one class as vectors; a critic of `depth` layers."""
    hidden = {"nonlinearity": "leaky-relu"}
    generator = part(
        mlp.Generator,
        shape=data.shape,
        latent=784,
        widths=(50,),
        range=None if linear else data.range,
        **hidden,
    )
    return Experiment(
        game=part(
            Adversarial,
            generator=generator,
            critic=part(mlp.Critic, shape=data.shape, widths=(50,) * (depth - 1), **hidden),
        ),
        data=read_as(data, only=only),
        latent=Uniform(),
        **DIGITS[scale].settings,
    )


def convolutional(data: Source, scale: Scale) -> Experiment:
    """A DCGAN for two epochs."""
    return radford2015.trained(data, CONVOLUTIONAL[scale])


def _gaussian(letter: str, mean: float, std: float, noise: float) -> Recipe:
    return Recipe(
        name=f"tabak2016/gaussian-{letter}",
        paper=f"Tabak 2016, figure 2 ({letter}) and section 3.1",
        claim="a tiny pair finds a Gaussian's place and about its width, never its smooth shape, and each run another",
        data=lambda scale: Gaussian(mean=mean, std=std),
        make=partial(points, noise=noise),
        evaluations=EVALUATIONS,
    )


def _digit(only: int, ending: str, panel: str, linear: bool, depth: int) -> Recipe:
    return Recipe(
        name=f"tabak2016/mnist-digit-{only}{ending}",
        paper=f"Tabak 2016, figure 3 ({panel}) and section 3.2",
        claim=CLAIMS[ending],
        data=MNIST,
        make=partial(digit, only=only, linear=linear, depth=depth),
    )


CLAIMS = {
    "": "two perceptrons on vectors of pixels make images that are plainly the digit they saw",
    "-linear": "without tanh at its end, the generator makes images of less contrast",
    "-linear-d4": "against a critic of 4 layers instead of 3, the linear generator makes blurred images",
}
PAIRS = (  # suffix of the name, panel of figure 3, whether G's output is linear, layers of D
    ("", "a", False, 3),
    ("-linear", "b", True, 3),
    ("-linear-d4", "c", True, 4),
)

RECIPES = (
    _gaussian("a", mean=3.0, std=0.5, noise=8.0),
    _gaussian("b", mean=3.0, std=0.2, noise=10.0),
    _gaussian("c", mean=-2.0, std=0.5, noise=10.0),
    *(_digit(only, *pair) for pair in PAIRS for only in range(10)),
    Recipe(
        name="tabak2016/mnist-dcgan",
        paper="Tabak 2016, figure 4 and section 3.3",
        claim="after two epochs a DCGAN's digits are less plausible than those of the perceptrons, for far more time",
        data=MNIST,
        make=convolutional,
    ),
)
