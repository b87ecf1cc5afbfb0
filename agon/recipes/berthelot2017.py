"""Berthelot, Schumm, Metz 2017, "BEGAN: boundary equilibrium generative adversarial networks".

| the paper | here |
|---|---|
| equation 1: L(v) = |v - D(v)|^η, η 1 or 2; the experiments use 1 | 1, the mean over all numbers of a sample |
| section 3.4: L_D = L(x) - k L(G(z_D)), L_G = L(G(z_G)), k's rule; k from 0, λ_k 0.001 | the same; below, see there |
| z_D and z_G are two draws from one distribution | one draw |
| "train simultaneously or alternately" | simultaneously; k is settled once a round |
| k in [0, 1] | clamped |
| γ 0.3, 0.5, 0.7 in figure 4 | 0.5 at paper scale, 0.7 below |
| section 3.5: 3x3 convolutions, ELU, n·i filters at the i-th size, subsampling by stride 2 | the same |
| section 3.5: decoder of n filters, nearest neighbours; G has its architecture, but not its weights | the same |
| section 3.5: N_h = N_z 64 (faces at 64x64, n 64 to 128), z uniform in (-1, 1) | the same; n 16 at quick |
| vanishing residuals, skips from h to each size of the decoder: "trains without" | neither |
| output activations not stated | none |
| section 4.1: Adam, rate 1e-4 halved when the measure stalls; batch 16 | for good; batch 16 |
| initialisation and number of updates not stated | torch's; 200,000 rounds at paper scale |
| 360,000 faces of celebrities; CIFAR-10 for the Inception score | CIFAR-10 where no --data is given |

With few steps and narrow networks k must answer sooner than the generator collapses: below paper scale λ_k is 0.05
and the rate 5e-4. With the paper's rate all samples were one digit after 1,200 steps.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch

from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Budget, Experiment, part
from agon.games import BoundaryEquilibrium
from agon.latents import Uniform
from agon.networks import autoencoder
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10


class Balance(NamedTuple):
    """The control of the ratio of reconstruction errors.

    Attributes:
        gamma: the ratio, γ.
        step: of k, λ_k.
        rate: of Adam.
    """

    gamma: float
    step: float
    rate: float


class BeganSize(NamedTuple):
    """The size of both networks at a scale.

    Attributes:
        width: n, filters of the first layer.
        code: N_h, length of the autoencoder's code and of z.
        balance: control of the two losses' ratio.
        budget: budget of the training.
    """

    width: int
    code: int
    balance: Balance
    budget: Budget


EARLY = Balance(gamma=0.7, step=0.05, rate=5e-4)
LATE = Balance(gamma=0.5, step=0.001, rate=1e-4)
QUICK = Budget(batch=16, steps=10_000, log_every=100, sample_every=500, checkpoint_every=1_000)
PAPER = Budget(batch=16, steps=200_000, log_every=100, sample_every=2_000, checkpoint_every=1_000)
SIZES: Mapping[Scale, BeganSize] = {
    "smoke": BeganSize(width=4, code=8, balance=EARLY, budget=SMOKE),
    "quick": BeganSize(width=16, code=32, balance=EARLY, budget=QUICK),
    "paper": BeganSize(width=128, code=64, balance=LATE, budget=PAPER),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """An autoencoder and a generator like its decoder, balanced by the ratio of their reconstruction errors."""
    width, code, balance, budget = SIZES[scale]
    decoder = part(autoencoder.Decoder, shape=data.shape, latent=code, width=width)
    encoder = part(autoencoder.Encoder, shape=data.shape, code=code, width=width)
    return Experiment(
        game=part(
            BoundaryEquilibrium,
            generator=decoder,
            critic=part(autoencoder.Critic, encoder=encoder, decoder=decoder, error="absolute"),
            gamma=balance.gamma,
            rate=balance.step,
        ),
        data=data,
        latent=Uniform(),
        optimisers=part(torch.optim.Adam, lr=balance.rate),
        dynamics=Turns((("generator", "critic"),)),
        **budget.settings,
    )


BEGAN = Recipe(
    name="berthelot2017/began",
    paper="Berthelot et al. 2017, section 3.4",
    claim="a balance of reconstruction errors holds both players level, and gives a measure of convergence",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (BEGAN,)
