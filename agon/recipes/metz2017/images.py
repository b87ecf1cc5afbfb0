"""Sections 3.2 and 3.3: digits written by a recurrent network, and convolutional pairs on CIFAR-10 and MNIST.

| the paper | here |
|---|---|
| appendix B: MNIST scaled to [-1, 1]; C: not stated | the same; [-1, 1] as well |
| appendices B and C: z of 256 numbers; C: z ~ N(0, I) | the same; N(0, I) in both |
| appendix B: z through 256 fully connected relu units | the same |
| appendix B: these are fed into the initial state of a 256D LSTM: into h, c or both is not stated | both |
| appendix B: the LSTM's input at each step is not stated; all activations are projected together | no input |
| appendix B: the LSTM runs 28 steps, a column each; 28 outputs, tanh | the same; any other size by its columns |
| appendix B: Xavier for "all weights", said of the generator; forget bias 1 | each gate's matrix by itself; D's too |
| appendix B: D has convolutions of 16, 32, 32, all of stride 2; no kernel size | kernel 3, which appendix C gives |
| appendix B: leaky rectifiers with a 0.3 leak "as in Radford et al." (who have 0.2) | 0.3 |
| appendix B: batch normalisation "after each layer" | before each leaky relu, the first included; not the linear one |
| appendix C: all convolutions 3x3 with batch normalisation and a 0.3 leak | the same; D's first one included |
| appendix C: the same words make no exception of G's last convolution | none there: the samples would be normalised |
| appendix C: G's fully connected layer is no convolution | batch normalisation and the leak as well, as radford2015 |
| appendix C: "convolutions" in G's table, "transposed convolutions" in D's | the other way round, or sizes do not fit |
| appendix C: G's 4x4 doubles to 32x32; how MNIST's 28x28 comes about is not stated | 4, 7, 14, 28: cut to the half |
| appendix C: G's output activation, and all weights' initialisation, are not stated | tanh; N(0, 0.02) (radford2015) |
| appendix C: an encoder is announced, and never described | none: reconstructions optimise z (section 3.3.1) |
| appendices B and C: L_G = log D(G(z)), L_D = log D(x) + log(1 - D(G(z))), "minimised": without their minus | \
L_G = -log D(G(z)), L_D = -log D(x) - log(1 - D(G(z))) |
| appendix B: Adam 1e-4 for both, β1 0.5; C: 1e-4 for G, 2e-4 for D; β1 not stated | the same; 0.5 in both |
| batch not stated | 128 (radford2015) |
| "one step consists of just 1 network update": 150k (B), 100k (C) | 75,000 and 50,000 rounds of D, then G |
| section 3.2: K of the unrolled recurrent run stands in figure 2 alone | 20 |
| section 3.3: 0, 1, 5 or 10 unrolling steps, five seeds each; on MNIST: not stated | the same; 0 or 10 on MNIST |
| samples for an update, moments of the unrolled Adam, one mini-batch in an unrolling | as in `ring` |

At quick scale B keeps its sizes and has 1,500 rounds of 32 images, 1 in 50 of the paper's. C on MNIST has a quarter of
the channels and 2,000 rounds of 32, 1 in 25; on CIFAR-10, where an item is 20 trainings, an eighth of the channels and
1,500 rounds of 16, 1 in 33.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from agon.data import Source
from agon.experiment import Budget, Experiment, Part, part
from agon.games import Adversarial
from agon.latents import Normal
from agon.networks import cnn, columns
from agon.recipes.metz2017.ring import looking_ahead
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10, MNIST, Data

LEAK = 0.3
QUICK = Budget(batch=32, steps=1_500, log_every=20, sample_every=100)
PAPER = Budget(batch=128, steps=75_000, log_every=100, checkpoint_every=2_500)


class Recurrent(NamedTuple):
    """The recurrent pair's size at a scale: units of the LSTM, and the budget of the training."""

    hidden: int
    budget: Budget


class Convolutional(NamedTuple):
    """A convolutional pair's size at a scale.

    Attributes:
        narrower: divisor of the paper's channels.
        budget: budget of the training.
    """

    narrower: int
    budget: Budget


RECURRENT: Mapping[Scale, Recurrent] = {
    "smoke": Recurrent(hidden=16, budget=SMOKE),
    "quick": Recurrent(hidden=256, budget=QUICK),
    "paper": Recurrent(hidden=256, budget=PAPER),
}
ON_MNIST: Mapping[Scale, Convolutional] = {
    "smoke": Convolutional(narrower=32, budget=replace(SMOKE, batch=8)),
    "quick": Convolutional(narrower=4, budget=replace(QUICK, steps=2_000)),
    "paper": Convolutional(narrower=1, budget=replace(PAPER, steps=50_000)),
}
ON_CIFAR10: Mapping[Scale, Convolutional] = {
    **ON_MNIST,
    "quick": Convolutional(narrower=8, budget=replace(QUICK, batch=16)),  # 20 trainings in one item
}


def recurrent(data: Source, scale: Scale, steps_ahead: int) -> Experiment:
    """Appendix B: a generator that writes columns, and a convolutional critic."""
    hidden, budget = RECURRENT[scale]
    weights = {"initialisation": "xavier", "gain": 1.0}
    generator = part(columns.Generator, shape=data.shape, latent=256, hidden=hidden, range=data.range, **weights)
    layers = ((3, 2, 16), (3, 2, 32), (3, 2, 32))
    critic = part(cnn.Critic, shape=data.shape, layers=layers, slope=LEAK, normalise_first=True, **weights)
    return _experiment(data, generator, critic, (1e-4, 1e-4), steps_ahead, budget)


def convolutional(data: Source, scale: Scale, steps_ahead: int, sizes: Mapping[Scale, Convolutional]) -> Experiment:
    """Appendix C: the networks of its tables, at the data's own resolution."""
    narrower, budget = sizes[scale]
    generator = part(
        cnn.Generator,
        shape=data.shape,
        latent=256,
        first=512 // narrower,
        layers=tuple((3, 2, width // narrower) for width in (256, 128, 64)),
        last=(3, 1),
        slope=LEAK,
        range=data.range,
    )
    layers = tuple((3, 2, width // narrower) for width in (64, 128, 256))
    critic = part(cnn.Critic, shape=data.shape, layers=layers, slope=LEAK, normalise_first=True)
    return _experiment(data, generator, critic, (1e-4, 2e-4), steps_ahead, budget)


def _experiment(
    data: Source,
    generator: Part,
    critic: Part,
    rates: tuple[float, float],
    steps_ahead: int,
    budget: Budget,
) -> Experiment:
    players = zip(("generator", "critic"), rates, strict=True)
    return Experiment(
        game=part(Adversarial, generator=generator, critic=critic),
        data=data,
        latent=Normal(),
        optimisers={player: part(torch.optim.Adam, lr=rate, betas=(0.5, 0.999)) for player, rate in players},
        dynamics=looking_ahead(steps_ahead),
        **budget.settings,
    )


MAKERS: Mapping[str, Callable[..., Experiment]] = {
    "rnn-mnist": recurrent,
    "mnist": partial(convolutional, sizes=ON_MNIST),
    "cifar10": partial(convolutional, sizes=ON_CIFAR10),
}


def _recipe(name: str, steps_ahead: int, paper: str, claim: str, data: Data) -> Recipe:
    return Recipe(
        name=f"metz2017/{name}-k{steps_ahead}",
        paper=f"Metz et al. 2017, {paper}",
        claim=claim,
        data=data,
        make=partial(MAKERS[name], steps_ahead=steps_ahead),
    )


COLLAPSES = "without unrolling, a recurrent generator collapses, and cycles through blobs that are nearly digits"
DISPERSES = "with 20 unrolling steps, a recurrent generator disperses, and appears to cover all digits"
STANDARD = "a standard convolutional pair drops modes: it reconstructs training images worse than any unrolled one"
UNROLLED = "samples look alike at any number of unrolling steps, and reconstruct training images better than at none"
IN_CIFAR10 = "table 1, figures 3 to 10, section 3.3 and appendix C"

RECIPES = (
    _recipe("rnn-mnist", 0, "figure 2, section 3.2 and appendix B", COLLAPSES, MNIST),
    _recipe("rnn-mnist", 20, "figure 2, section 3.2 and appendix B", DISPERSES, MNIST),
    _recipe("cifar10", 0, IN_CIFAR10, STANDARD, CIFAR10),
    *(_recipe("cifar10", k, IN_CIFAR10, UNROLLED, CIFAR10) for k in (1, 5, 10)),
    _recipe("mnist", 0, "appendix C", STANDARD, MNIST),
    _recipe("mnist", 10, "appendix C", UNROLLED, MNIST),
)
