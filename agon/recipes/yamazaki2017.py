"""Yamazaki 2017, "On depth and complexity of generative adversarial networks": deeper networks by residual blocks.

| the paper | here |
|---|---|
| 4.4.1: 10,000 points of a Swiss roll of noise 0.2, not preprocessed; its scale is absent | finite; scikit-learn's |
| 4.4.1: 10,000 points of 8 Gaussians around the origin; radius and deviation not stated | 2 and 0.02, metz2017's |
| 4.5.1: images in [-1, 1] | the same |
| chapter 4: z ~ U(-1, 1); table A.1: 32 numbers; A.2, CIFAR-10: 100; MNIST is illegible | the same; 100 for MNIST |
| table A.1: M0 is a perceptron of 3 layers; M1 has 7 blocks of 2 layers as its middle | the same: 3 and 16 layers |
| table A.2: sizes and widths; "Repetitions c > 0" of a pair whose first layer strides by 2 | only the first pair can: \
the first layers of the others are 3x3 of stride 1 |
| equation 3.2: H(x) = F(x) + x, summed "at the end", with F = 0 the identity | no activation after the sum, unlike \
He et al. 2015, on whom the choices are "based" |
| the shortcut past a change of size or width is absent | nearest pixels or means of 2x2, a bare 1x1 convolution |
| 4.1: batch normalisation but for G's output and D's first layer; "G" in table 5.1: none in D | the same; `-nobn` |
| 4.1: leaky ReLU; its slope is not stated | 0.2, radford2015's |
| 4.1: both networks use the same number of layers; appendix C: unbalanced pairs of points' networks | the same |
| 4.2: the non-saturating loss | the same; D's two halves are added, which is not stated |
| A.2, table A.3: batch 64, Adam 1e-4 (points), 2e-4 (images), β 0.5 and 0.999 | the same |
| A.3: "L2 regularization term with a rate of 0.00001" in each loss | rate/2 · ‖θ‖², all parameters, as Chainer's hook |
| A.4, table A.4: all weights N(0, 0.1) (points), N(0, 0.02) (images), zero biases | the same; γ of batch \
normalisation is no weight and begins at 1 |
| 5.1, 5.2: 20,000, 30,000, 80,000 iterations; A.2: ten times as many | the former at paper scale: figure 5.1 ends at \
20,000; `--steps` takes the latter |
| which samples D and G are updated on, and who moves first, is not stated | D first; both on one batch |
| what an iteration is, is not stated | one update of each |
| table B.1: the classifier; its training is stopped when the test set's accuracy reaches 0.9809 | a fixed number of \
steps, so that the test set decides nothing; Adam 1e-3, batch 64, torch's initialisation: not stated |
| 4.4.3, 5.2: 10,000 points, 5,000 images from latents fixed beforehand | grids of as many points; 100 images |
"""

from dataclasses import replace
from functools import partial
from typing import Any

import torch

from agon import classifiers
from agon.data import Ring, Source, SwissRoll
from agon.dynamics import Turns
from agon.experiment import Experiment, part
from agon.games import Adversarial
from agon.latents import Uniform
from agon.networks import mlp, residual_mlp, resnet
from agon.penalties import WeightDecay
from agon.recipes.recipe import Recipe, Scale
from agon.recipes.sets import CIFAR10, MNIST

POINTS, HIDDEN, BLOCKS = 10_000, 32, 7
ROUNDS = {  # what divides the widths; steps of points, MNIST, CIFAR-10; points and images kept
    "smoke": (16, {"points": 20, "mnist": 20, "cifar10": 20}, 256, 16),
    "quick": (2, {"points": 20_000, "mnist": 4_000, "cifar10": 3_000}, 2_500, 64),
    "paper": (1, {"points": 20_000, "mnist": 30_000, "cifar10": 80_000}, POINTS, 100),
}
MARKS = {"smoke": (5, 10, 10), "quick": (50, 500, 1_000), "paper": (100, 1_000, 5_000)}  # log, sample, checkpoint
EARLY = 100  # the first step at which figures 5.1 and 5.2 show points
ADAM = {"betas": (0.5, 0.999)}
DECAY = (WeightDecay(weight=1e-5, of="generator"), WeightDecay(weight=1e-5, of="critic"))

PAIRS = {  # whether the generator and the critic are deep, and what that shows
    "m0": (False, False, "shallow networks are stable, and their samples leave the data"),
    "m1": (
        True,
        True,
        "residual networks come closer to the data, and oscillate while the critic is batch-normalised",
    ),
    "g0d1": (False, True, "against a deep critic, a shallow generator's loss only grows"),
    "g1d0": (True, False, "against a shallow critic, a deep generator is stable and stops improving"),
}
SETS = {  # source, widths of generator and critic, what the paper scored with BN in both and in the generator alone
    "mnist": (MNIST, (128, 64), (64, 128), ("9.14 9.50 9.72 9.73 9.68 9.70", "9.05 9.22 9.26 9.14 9.07 9.11")),
    "cifar10": (CIFAR10, (256, 128, 64), (64, 128, 256), ("6.71 7.15 5.59 6.41", "5.58 6.65 7.60 7.46")),
}


def points(data: Source, scale: Scale, *, deep: tuple[bool, bool], normalise: bool) -> Experiment:
    """Perceptrons of 3 or 16 layers on points, the generator's depth and the critic's by themselves."""
    common: dict[str, Any] = {"shape": data.shape, "initialisation": "gaussian", "gain": 0.1}
    shallow = {**common, "widths": (HIDDEN, HIDDEN)}
    residual = {**common, "width": HIDDEN, "blocks": BLOCKS}
    of_critic = {"nonlinearity": "leaky-relu", "normalise": normalise}
    generators = {
        False: part(mlp.Generator, latent=32, normalise=True, **shallow),
        True: part(residual_mlp.Generator, latent=32, **residual),
    }
    critics = {
        False: part(mlp.Critic, normalise_first=False, **shallow, **of_critic),
        True: part(residual_mlp.Critic, **residual, **of_critic),
    }
    game = part(Adversarial, generator=generators[deep[0]], critic=critics[deep[1]], penalties=DECAY)
    return _experiment(game, data, scale, "points", 1e-4)


def images(data: Source, scale: Scale, *, name: str, blocks: int, normalise: bool) -> Experiment:
    """The baseline DCGAN, or `blocks` residual blocks in each of its hidden stages."""
    _, of_generator, of_critic, _ = SETS[name]
    first, *widths = (width // ROUNDS[scale][0] for width in of_generator)
    generator = part(resnet.Generator, shape=data.shape, first=first, widths=widths, blocks=blocks, range=data.range)
    slim = tuple(width // ROUNDS[scale][0] for width in of_critic)
    critic = part(resnet.Critic, shape=data.shape, widths=slim, blocks=blocks, normalise=normalise)
    game = part(Adversarial, generator=generator, critic=critic, penalties=DECAY)
    return _experiment(game, data, scale, name, 2e-4)


def classifier(data: Source, scale: Scale) -> Experiment:
    """The network that judges samples of the data."""
    if scale == "smoke":
        return replace(classifiers.experiment(data, steps=20), batch=16, log_every=5, checkpoint_every=10)
    return classifiers.experiment(data)


def _experiment(game: Any, data: Source, scale: Scale, name: str, rate: float) -> Experiment:
    _, steps, some_points, some_images = ROUNDS[scale]
    log_every, sample_every, checkpoint_every = MARKS[scale]
    return Experiment(
        game=game,
        data=data,
        latent=Uniform(),
        optimisers=part(torch.optim.Adam, lr=rate, **ADAM),
        dynamics=Turns(draws="round"),
        batch=16 if scale == "smoke" else 64,
        steps=steps[name],
        log_every=log_every,
        sample_every=min(EARLY, sample_every) if name == "points" else sample_every,
        checkpoint_every=checkpoint_every,
        grid=some_points if name == "points" else some_images,
    )


def _of_points(name: str, source: Source, pair: str, normalise: bool) -> Recipe:
    deep_generator, deep_critic, claim = PAIRS[pair]
    return Recipe(
        name=f"yamazaki2017/{name}-{pair}{_suffix(normalise)}",
        paper="Yamazaki 2017, " + ("figures 5.1 to 5.6" if pair in ("m0", "m1") else "appendix C"),
        claim=claim if normalise else f"{claim}; here without batch normalisation in the critic, which weakens it",
        data=lambda scale: source,
        make=partial(points, deep=(deep_generator, deep_critic), normalise=normalise),
        minutes={"smoke": 0.1, "quick": None, "paper": None},
    )


def _of_images(name: str, blocks: int, normalise: bool) -> Recipe:
    data, _, _, scores = SETS[name]
    where = "both networks" if normalise else "the generator alone"
    score = scores[not normalise].split()[blocks]
    return Recipe(
        name=f"yamazaki2017/{name}-m{blocks}{_suffix(normalise)}",
        paper="Yamazaki 2017, table 5.1",
        claim=f"{blocks} residual blocks a hidden stage, batch normalisation in {where}: an Inception score of {score}",
        data=data,
        make=partial(images, name=name, blocks=blocks, normalise=normalise),
        minutes={"smoke": 0.1, "quick": None, "paper": None},
    )


def _suffix(normalise: bool) -> str:
    return "" if normalise else "-nobn"


CLASSIFIERS = (
    Recipe(
        name="yamazaki2017/mnist-classifier",
        paper="Yamazaki 2017, appendix B",
        claim="a convolutional network tells MNIST's digits apart with an accuracy of 0.98, and judges samples of them",
        data=MNIST,
        make=classifier,
        minutes={"smoke": 0.1, "quick": 1.7, "paper": 1.7},
    ),
    Recipe(
        name="yamazaki2017/cifar10-classifier",
        paper="no paper's: our own network; Yamazaki 2017, section 5.2, judges CIFAR-10 by Inception-v3",
        claim="a small residual network tells CIFAR-10's classes apart with an accuracy of 0.82, and judges samples",
        data=CIFAR10,
        make=classifier,
        minutes={"smoke": 0.1, "quick": 14, "paper": None},
    ),
)

PLANE = {"swiss-roll": SwissRoll(points=POINTS, noise=0.2), "ring": Ring(points=POINTS)}
RECIPES = (
    *(_of_points(name, data, pair, bn) for name, data in PLANE.items() for pair in PAIRS for bn in (True, False)),
    *(_of_images("mnist", blocks, bn) for blocks in range(6) for bn in (True, False)),
    *(_of_images("cifar10", blocks, bn) for blocks in range(4) for bn in (True, False)),
    *CLASSIFIERS,
)
