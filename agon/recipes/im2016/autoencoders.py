"""Im, Kim, Jiang, Memisevic 2016, table 2: the models on MNIST that GRAN is compared with, and a plain VAE.

The paper names a denoising VAE (its reference 8, Im et al. 2015) and DRAW (its reference 5, Gregor et al. 2015), and
gives no setting of either: what follows is from other papers.

| the papers | here |
|---|---|
| im2016: architecture, corruption and training of its DVAE not stated | see below |
| im2016: "mean squared error in their objective" makes samples smooth | cross-entropy, as both references have |
| im2016, supplement: 10,000 of the training images are for validation | the same |
| grey pixels or binary ones: im2016 silent; both references binary | grey, since GRAN's critic judges grey samples |
| VAE: Burda et al. 2015: 2 layers of 200 tanh units each way, z of 50, Xavier's weights | the same, for VAE and DVAE |
| VAE: Kingma and Welling 2014, section 5: batch of 100 | the same; 16 at smoke |
| VAE: number of updates differs between papers | 10,000 at quick, 300,000 (500 epochs) at paper scale |
| DVAE: levels of noise: not in the texts at hand; its authors' later code: Gaussian, std 0.05 | the same |
| DVAE: that code adds the noise to its target too, in place | the target is clean, as the paper's bound says |
| DVAE: one corruption and one latent for an image | the same, new ones at each step |
| DRAW, table 3: 64 glimpses, 256 units, z of 100, read 2x2, write 5x5 | the same at paper scale |
| the same, in minutes: a 2x2 window begins on the corners, where digits are black | 10, 128, 20, 5x5, 5x5 at quick |
| DRAW, section 4: Adam; rate, batch and updates not stated | see below; 100 (50 at quick); 4,800 or 300,000 |
| DRAW: gradients clipped or not: not stated | not clipped |
| DRAW: initial weights not stated | Xavier's: the divergence leaves 0 sooner than from torch's own |
| DRAW, section 2.1: initial canvas and h are learned | the same, and the cells' c; all from zero |
| DRAW: log σ (of z) is linear in h | the same; a VAE's log σ² is |
| Adam's settings: differ between papers, or are not stated | rate 1e-3 (DRAW 3e-3 at quick), β1 0.9, β2 0.999 |

A step is one update of all parameters, here as in the papers.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Budget, Experiment, Part, part
from agon.games import Corruption, GaussianCorruption, Variational
from agon.networks import draw, vae
from agon.recipes.im2016.gran import VALIDATION
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import MNIST, read_as

UNIT = (0.0, 1.0)
BUDGETS: Mapping[Scale, Budget] = {
    "smoke": SMOKE,
    "quick": Budget(batch=100, steps=10_000, checkpoint_every=1_000),
    "paper": Budget(batch=100, steps=300_000, log_every=100, sample_every=5_000, checkpoint_every=5_000),
}


class DrawSize(NamedTuple):
    """The size of DRAW at a scale.

    Attributes:
        glimpses: T, time steps.
        hidden: units of each LSTM.
        latent: coordinates of z.
        read: side of the reading window in pixels.
        write: side of the writing window in pixels.
        rate: Adam's learning rate; at 3e-3 a 2x2 window lost its latents: divergence 0.05.
        budget: budget of the training.
    """

    glimpses: int
    hidden: int
    latent: int
    read: int
    write: int
    rate: float
    budget: Budget


DRAW: Mapping[Scale, DrawSize] = {
    "smoke": DrawSize(glimpses=3, hidden=16, latent=8, read=2, write=5, rate=1e-3, budget=SMOKE),
    "quick": DrawSize(
        glimpses=10,
        hidden=128,
        latent=20,
        read=5,
        write=5,
        rate=3e-3,
        budget=replace(BUDGETS["quick"], batch=50, steps=4_800),
    ),
    "paper": DrawSize(glimpses=64, hidden=256, latent=100, read=2, write=5, rate=1e-3, budget=BUDGETS["paper"]),
}


def variational(
    data: Source, budget: Budget, autoencoder: Part, corruption: Corruption | None = None, rate: float = 1e-3
) -> Experiment:
    """One player, which maximises its evidence lower bound."""
    return Experiment(
        game=part(Variational, autoencoder=autoencoder, corruption=corruption),
        data=data,
        optimisers=part(torch.optim.Adam, lr=rate),
        dynamics=Turns((("autoencoder",),)),
        **budget.settings,
    )


def perceptrons(data: Source, scale: Scale, corruption: Corruption | None = None) -> Experiment:
    """A VAE of fully connected layers, denoising or not."""
    data = read_as(data, range=UNIT, validation=VALIDATION)
    widths = (16, 16) if scale == "smoke" else (200, 200)
    autoencoder = part(vae.Vae, shape=data.shape, latent=50, widths=widths, range=UNIT)
    return variational(data, BUDGETS[scale], autoencoder, corruption)


def attentive(data: Source, scale: Scale) -> Experiment:
    """DRAW with attention."""
    data = read_as(data, range=UNIT, validation=VALIDATION)
    size = DRAW[scale]
    painter = part(
        draw.Draw,
        shape=data.shape,
        range=UNIT,
        initialisation="xavier",
        glimpses=size.glimpses,
        hidden=size.hidden,
        latent=size.latent,
        read=size.read,
        write=size.write,
    )
    return variational(data, size.budget, painter, rate=size.rate)


MNIST_VAE = Recipe(
    name="im2016/mnist-vae",
    paper="Kingma and Welling 2014, beside Im et al. 2016, table 2",
    claim="without a critic: smooth digits of a model that maximises a lower bound of the likelihood",
    data=MNIST,
    make=perceptrons,
)

MNIST_DVAE = Recipe(
    name="im2016/mnist-dvae",
    paper="Im et al. 2016, table 2 (DVAE), after Im et al. 2015",
    claim="the same VAE, whose encoder sees noisy images; GRAN's critics tell its samples from real ones",
    data=MNIST,
    make=partial(perceptrons, corruption=GaussianCorruption(std=0.05)),
)

MNIST_DRAW = Recipe(
    name="im2016/mnist-draw",
    paper="Im et al. 2016, table 2 (DRAW), after Gregor et al. 2015",
    claim="an image painted stroke by stroke; GRAN's critics tell even these samples from real ones",
    data=MNIST,
    make=attentive,
)

RECIPES = (MNIST_VAE, MNIST_DVAE, MNIST_DRAW)
