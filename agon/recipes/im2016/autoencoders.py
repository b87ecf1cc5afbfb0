"""Im, Kim, Jiang, Memisevic 2016, table 2: the models on MNIST that GRAN is compared with, and a plain VAE.

The paper names a denoising VAE (its reference 8, Im et al. 2015) and DRAW (its reference 5, Gregor et al. 2015), and
gives no setting of either: what follows is from other papers.

| the papers | here |
|---|---|
| im2016: architecture, corruption and training of its DVAE not stated | see below |
| im2016: "mean squared error in their objective" makes samples smooth | cross-entropy, as both references have |
| im2016, supplement: 10,000 of the training images are for validation | all 60,000 train |
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

from dataclasses import replace
from functools import partial

import torch

from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Experiment, Part, part
from agon.games import Corruption, GaussianCorruption, Variational
from agon.networks import draw, vae
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale
from agon.recipes.sets import MNIST, read_as

UNIT = (0.0, 1.0)
SCALES = {  # batch, steps, log, sample, checkpoint
    "smoke": (16, 20, 5, 10, 10),
    "quick": (100, 10_000, 50, 500, 1_000),
    "paper": (100, 300_000, 100, 5_000, 5_000),
}
DRAW = {  # batch, steps, rate, glimpses, units, z, read, write; at 3e-3 a 2x2 window lost its latents: divergence 0.05
    "smoke": (16, 20, 1e-3, 3, 16, 8, 2, 5),
    "quick": (50, 4_800, 3e-3, 10, 128, 20, 5, 5),
    "paper": (100, 300_000, 1e-3, 64, 256, 100, 2, 5),
}


def variational(data: Source, scale: Scale, autoencoder: Part, corruption: Corruption | None = None) -> Experiment:
    """One player, who raises its evidence lower bound."""
    batch, steps, log_every, sample_every, checkpoint_every = SCALES[scale]
    return Experiment(
        game=part(Variational, autoencoder=autoencoder, corruption=corruption),
        data=data,
        optimisers=part(torch.optim.Adam, lr=1e-3),
        dynamics=Turns((("autoencoder",),)),
        batch=batch,
        steps=steps,
        log_every=log_every,
        sample_every=sample_every,
        checkpoint_every=checkpoint_every,
    )


def perceptrons(data: Source, scale: Scale, corruption: Corruption | None = None) -> Experiment:
    """A VAE of fully connected layers, denoising or not."""
    data = read_as(data, range=UNIT)
    widths = (16, 16) if scale == "smoke" else (200, 200)
    return variational(data, scale, part(vae.Vae, shape=data.shape, latent=50, widths=widths, range=UNIT), corruption)


def attentive(data: Source, scale: Scale) -> Experiment:
    """DRAW with attention."""
    data = read_as(data, range=UNIT)
    batch, steps, rate, glimpses, hidden, latent, read, write = DRAW[scale]
    sizes = {"glimpses": glimpses, "hidden": hidden, "latent": latent, "read": read, "write": write}
    painter = part(draw.Draw, shape=data.shape, range=UNIT, initialisation="xavier", **sizes)
    optimiser = part(torch.optim.Adam, lr=rate)
    return replace(variational(data, scale, painter), batch=batch, steps=steps, optimisers=optimiser)


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
