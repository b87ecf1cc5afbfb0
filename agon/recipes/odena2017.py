"""Odena, Olah, Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs": AC-GAN.

| the paper | here |
|---|---|
| equations 2, 3: D also minimises L_C on real and generated samples, G as well on its own | on real ones: see below |
| the classifier is a second output of D's network | a network and a player of its own, which moves with the critic |
| table 2 (CIFAR-10): G from 110 numbers, the class among them | a DCGAN; 100 numbers, and 32 learned for each class |
| table 2: D of six convolutions with dropout 0.5 | a DCGAN; no dropout in the critic |
| Adam, rate 2e-4 (one of those tried), β1 0.5, batch 100 | the same rate and β1; batch 100 at paper scale, 64 below |
| noise of 0 to 0.2 on the activations of D | none |
| samples from the last weights | from averaged ones, decay 0.999 |

With generated samples in the classifier's loss (`--set game.generated=1`), 2,000 steps on MNIST gave one image for each
label, most of another digit, all of which the classifier recognised: it and the generator had agreed on a code.
"""

from collections.abc import Mapping
from dataclasses import replace

from agon.averaging import Averaging
from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Experiment, Part, part
from agon.games import AuxiliaryClassifier
from agon.latents import Normal
from agon.networks import conditional, dcgan
from agon.networks.classifier import Classifier, ResidualClassifier
from agon.recipes.radford2015 import PAPER, QUICK, DcganSize
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10, classes_of

VECTOR = 32  # numbers of the latent that are the class's
SIZES: Mapping[Scale, DcganSize] = {
    "smoke": DcganSize(width=8, budget=SMOKE),
    "quick": DcganSize(width=32, budget=replace(QUICK, steps=2_500)),
    "paper": DcganSize(width=64, budget=replace(PAPER, batch=100)),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN with a learned vector for each class beside its latent, and a classifier as third player."""
    (width, budget), classes = SIZES[scale], classes_of(data)
    inner = part(dcgan.Generator, shape=data.shape, width=width, latent=100 + VECTOR, range=data.range)
    return Experiment(
        game=part(
            AuxiliaryClassifier,
            generator=part(conditional.ConcatenatedGenerator, generator=inner, classes=classes, size=VECTOR),
            critic=part(dcgan.Critic, shape=data.shape, width=width),
            classifier=_classifier(data, width, classes),
            generated=0.0,
        ),
        data=data,
        latent=Normal(),
        dynamics=Turns((("critic", "classifier"), ("generator",)), draws="round"),
        averaging=Averaging(decay=0.999),
        **budget.settings,
    )


def _classifier(data: Source, width: int, classes: int) -> Part:
    """A convolutional classifier for grey images, a residual one for colour, in proportion to the other networks."""
    if data.shape[0] == 1:
        return part(
            Classifier, shape=data.shape, classes=classes, widths=(width // 2, width), hidden=4 * width, dropout=0.0
        )
    return part(ResidualClassifier, shape=data.shape, classes=classes, widths=(width // 2, width, 2 * width))


ACGAN = Recipe(
    name="odena2017/acgan",
    paper="Odena et al. 2017, equations 2 and 3",
    claim="a generator that must please a classifier draws the class that is asked for, with any critic",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (ACGAN,)
