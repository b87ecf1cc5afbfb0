"""Metz, Poole, Pfau, Sohl-Dickstein 2017, "Unrolled generative adversarial networks": figure 1, the ring.

| the paper | here |
|---|---|
| appendix A: 8 Gaussians of standard deviation 0.02 around a circle of radius 2 | the same |
| appendix A: z ~ N(0, I) of 256 numbers | the same |
| appendix A: generator with 2 hidden layers of 128, relu, linear to 2 | the same |
| appendix A: discriminator scales its input by 1/4, has 1 hidden layer, relu; width not stated | 128 units |
| appendix A: weights orthogonal with scaling 0.8; biases not stated | the same in both; zero |
| appendix A: L_G = -log D(x) - log(1 - D(G(z))), L_D its negative: without their minus | L_G = f, L_D = -f |
| appendix A: Adam 1e-4, β1 0.5 | the same; β2 0.999, epsilon 1e-8 |
| batch not stated | 512; 64 at smoke |
| appendix A: alternating, generator and discriminator; samples for an update not stated | new ones each turn |
| section 3: one fixed mini-batch for all steps of an unrolling | the same |
| section 2.2: Adam is unrolled; from which moments is not stated | the critic's own optimiser, from its present ones |
| appendix A: a step is one update of either network | a step is a round of both: 2 of the paper's |
| figure 1: the number of steps is in no text | 12,500 rounds, 25,000 of the paper's, at quick; twice that at paper |

512 and 128 are those of the authors' demonstration (github.com/poolio/unrolled_gan), which says of itself that it
is not the paper's setting: there, other things differ.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch

from agon.data import Ring, Source
from agon.dynamics import ALTERNATING, Dynamics, Turns, Unrolled
from agon.experiment import Budget, Experiment, part
from agon.games import Adversarial
from agon.latents import Normal
from agon.networks import mlp
from agon.objectives import Minimax
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale

QUICK = Budget(batch=512, steps=12_500, log_every=100, sample_every=250, checkpoint_every=2_500, grid=4_096)
BUDGETS: Mapping[Scale, Budget] = {
    "smoke": replace(SMOKE, batch=64, sample_every=4, grid=256),
    "quick": QUICK,
    "paper": replace(QUICK, steps=25_000),
}
PAPER = "Metz et al. 2017, figure 1, section 3.1 and appendix A"


def ring(data: Source, scale: Scale, steps_ahead: int) -> Experiment:
    """Two perceptrons on points; the generator unrolls `steps_ahead` of the critic's steps, or none."""
    weights = {"initialisation": "orthogonal", "gain": 0.8}
    generator = part(mlp.Generator, shape=data.shape, latent=256, widths=(128, 128), **weights)
    critic = part(mlp.Critic, shape=data.shape, widths=(128,), scale=0.25, **weights)
    return Experiment(
        game=part(Adversarial, generator=generator, critic=critic, objective=Minimax()),
        data=data,
        latent=Normal(),
        optimisers=part(torch.optim.Adam, lr=1e-4, betas=(0.5, 0.999)),
        dynamics=looking_ahead(steps_ahead),
        **BUDGETS[scale].settings,
    )


def looking_ahead(steps_ahead: int) -> Dynamics:
    """Alternating turns in which the generator unrolls that many of the critic's steps, or none."""
    turns = Turns(ALTERNATING)
    return Unrolled(turns, looks_ahead={"generator": ("critic",)}, steps=steps_ahead) if steps_ahead else turns


RING_K0 = Recipe(
    name="metz2017/ring-k0",
    paper=PAPER,
    claim="without unrolling, the generator rotates through the modes and never spreads its mass over them",
    data=lambda scale: Ring(),
    make=partial(ring, steps_ahead=0),
)

RING_K10 = Recipe(
    name="metz2017/ring-k10",
    paper=PAPER,
    claim="with 10 unrolling steps, the generator quickly spreads out and converges to all eight modes",
    data=lambda scale: Ring(),
    make=partial(ring, steps_ahead=10),
)

RECIPES = (RING_K0, RING_K10)
