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
| section 3: mini-batches sampled anew at each inner step: no numbers | "-fresh" |
| section 2.3: several critic steps before each of the generator, without unrolling: no numbers | "-d10" |
| section 4: "further perturb" as one unrolled step perturbs the gradient: how far is not stated | "-far": K = 1, 10x |
| section 4: the critic looks ahead at the generator, too: no numbers | "-both", K = 10 |
| section 4: "as if G and D had already updated": no numbers | "-recursive", K = 10 |
| section 2.4: the second term goes to 0 with K: no game, no numbers | "-logistic": a critic that has one optimum |

512 and 128 are those of the authors' demonstration (github.com/poolio/unrolled_gan), which says of itself that it
is not the paper's setting: there, other things differ.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch

from agon.data import Ring, Source
from agon.dynamics import ALTERNATING, Dynamics, Turns, Unrolled
from agon.experiment import Budget, Experiment, Part, part
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


def ring(data: Source, scale: Scale, dynamics: Dynamics) -> Experiment:
    """Two perceptrons on points, which move by the given dynamics."""
    weights = {"initialisation": "orthogonal", "gain": 0.8}
    generator = part(mlp.Generator, shape=data.shape, latent=256, widths=(128, 128), **weights)
    critic = part(mlp.Critic, shape=data.shape, widths=(128,), scale=0.25, **weights)
    return Experiment(
        game=part(Adversarial, generator=generator, critic=critic, objective=Minimax()),
        data=data,
        latent=Normal(),
        optimisers=part(torch.optim.Adam, lr=1e-4, betas=(0.5, 0.999)),
        dynamics=dynamics,
        **BUDGETS[scale].settings,
    )


def looking_ahead(steps_ahead: int) -> Dynamics:
    """Alternating turns in which the generator unrolls that many of the critic's steps, or none."""
    turns = Turns(ALTERNATING)
    return Unrolled(turns, looks_ahead={"generator": ("critic",)}, steps=steps_ahead) if steps_ahead else turns


def _recipe(name: str, claim: str, dynamics: Dynamics, paper: str = PAPER) -> Recipe:
    return Recipe(
        name=f"metz2017/ring-{name}",
        paper=paper,
        claim=claim,
        data=lambda scale: Ring(),
        make=partial(ring, dynamics=dynamics),
    )


AHEAD = looking_ahead(10)
assert isinstance(AHEAD, Unrolled)
CRITIC_STEPS = Turns((("critic",),) * 10 + (("generator",),))
DISCUSSION = "Metz et al. 2017, section 4"
RING_K0 = _recipe(
    "k0", "without unrolling, the generator rotates through the modes and never spreads its mass over them", Turns()
)
RING_K10 = _recipe(
    "k10", "with 10 unrolling steps, the generator quickly spreads out and converges to all eight modes", AHEAD
)
RING_FRESH = _recipe(
    "k10-fresh",
    "mini-batches sampled anew at each unrolling step have no significant impact on the result",
    replace(AHEAD, batches="fresh"),
    "Metz et al. 2017, section 3",
)
RING_D10 = _recipe(
    "d10",
    "several critic steps before each of the generator are another approach than unrolling",
    CRITIC_STEPS,
    "Metz et al. 2017, section 2.3",
)
RING_FAR = _recipe(
    "k1-far",
    "it may do to perturb the gradient further in the direction in which a single unrolling step perturbs it",
    replace(AHEAD, steps=1, extrapolation=10.0),
    DISCUSSION,
)
RING_BOTH = _recipe(
    "k10-both",
    "the critic can react to how the generator would move, too",
    replace(AHEAD, looks_ahead={"generator": ("critic",), "critic": ("generator",)}),
    DISCUSSION,
)
RING_RECURSIVE = _recipe(
    "k10-recursive",
    "the generator can act as if both networks had already been updated",
    replace(AHEAD, looks_ahead={"generator": ("critic", "generator")}),
    DISCUSSION,
)


def _logistic(data: Source, scale: Scale) -> Experiment:
    """The ring's generator against a logistic regression, which gradient descent brings to its optimum."""
    whole = ring(data, scale, AHEAD)
    assert isinstance(whole.game, Part)
    assert isinstance(whole.optimisers, Part)
    return replace(
        whole,
        game=whole.game.changed(critic=part(mlp.Critic, shape=data.shape, widths=())),
        optimisers={"generator": whole.optimisers, "critic": part(torch.optim.SGD, lr=0.5)},
        steps=min(whole.steps, 500),
    )


RING_LOGISTIC = Recipe(
    name="metz2017/ring-logistic",
    paper="Metz et al. 2017, section 2.4",
    claim="the more steps the generator looks ahead, the less is left of the second term of its gradient",
    data=lambda scale: Ring(),
    make=_logistic,
)

RECIPES = (RING_K0, RING_K10, RING_FRESH, RING_D10, RING_FAR, RING_BOTH, RING_RECURSIVE, RING_LOGISTIC)
