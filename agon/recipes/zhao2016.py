"""Zhao, Mathieu, LeCun 2016, "Energy-based generative adversarial network": EBGAN-PT, an autoencoder as critic.

| the paper | here |
|---|---|
| equations 1, 2: L_D = D(x) + max(0, m - D(G(z))), L_G = D(G(z)) | the same, of logits that are -D |
| equation 3: D(x) = ‖Dec(Enc(x)) - x‖, the Euclidean norm | the mean square, as is common; "euclidean" by choice |
| margins 10 (MNIST), 20 (CelebA), 80 (LSUN), 40 and 80 (ImageNet); their units not stated | 0.1: see below |
| equation 4: pulling-away, on the encoder's output, weight 0.1 | the same |
| appendix D: encoder (64)4c2s-(128)4c2s-(256)4c2s, decoder its mirror | the same; a quarter as wide at quick |
| appendix D: generator (1024)4c-(512)4c2s-(256)4c2s-(128)4c2s-(3)4c2s at 64x64 | a DCGAN, which is that one at 64x64 |
| batch normalisation in both | the same: not at G's output, D's input and output |
| weights N(0, 0.02) in G, N(0, 0.002) in D, zero biases | the same in G; 0.02 in D as well |
| Adam as radford2015 (rate 2e-4, β1 0.5); batch and updates not stated | the same; 64; 100,000 rounds at paper |
| z of 100 numbers, not said from what distribution | uniform |
| MNIST, LSUN, CelebA, ImageNet | CIFAR-10 where no --data is given |

A mean of squares in (-1, 1) depends on no resolution. On digits the critic's own error soon is 0.05 to 0.1. With a
margin of 0.5 it held all samples there and the generator found no way down, in 1,000 steps; with 0.1 there were digits.
"""

from collections.abc import Mapping

from agon.data import Source
from agon.experiment import Experiment, part
from agon.networks import autoencoder, cnn
from agon.objectives import MarginEnergy
from agon.penalties import PullingAway
from agon.recipes.radford2015 import PAPER, QUICK, DcganSize, trained
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10

SIZES: Mapping[Scale, DcganSize] = {  # of the generator
    "smoke": DcganSize(width=8, budget=SMOKE),
    "quick": DcganSize(width=32, budget=QUICK),
    "paper": DcganSize(width=128, budget=PAPER),
}
CRITIC_WIDTHS: Mapping[Scale, int] = {"smoke": 4, "quick": 16, "paper": 64}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN's generator against an autoencoder that learns to reconstruct real samples well and others badly."""
    width = CRITIC_WIDTHS[scale]
    layers = ((4, 2, width), (4, 2, 2 * width), (4, 2, 4 * width))
    critic = part(
        autoencoder.Critic,
        encoder=part(cnn.Encoder, shape=data.shape, layers=layers),
        decoder=part(autoencoder.Mirror, shape=data.shape, layers=layers, range=data.range),
    )
    penalties = (PullingAway(weight=0.1),)
    return trained(data, SIZES[scale], critic, objective=MarginEnergy(margin=0.1), penalties=penalties)


EBGAN = Recipe(
    name="zhao2016/ebgan",
    paper="Zhao et al. 2016, equations 1-4 and appendix D",
    claim="a critic that gives low energies to real samples, as an autoencoder, trains a generator stably",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (EBGAN,)
