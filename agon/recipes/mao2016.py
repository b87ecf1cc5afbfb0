"""Mao, Li, Xie, Lau, Wang, Smolley 2016, "Least squares generative adversarial networks".

| the paper | here |
|---|---|
| equation 8 has targets -1, 1, 0, equation 9 has 0, 1, 1; both do as well, the experiments use 9 | equation 9 |
| equations 8, 9: means halved in both losses | the same |
| figure 2: 112x112, two layers of stride 1 behind layers of stride 2, up to 256 channels | a DCGAN of the data's size |
| section 4.1: Adam, β1 0.5; rate 1e-3 on scenes, 2e-4 on characters | 2e-4: the networks are not the scenes' own |
| batch, z, initialisation and number of updates not stated | 64; 100 uniform numbers, N(0, 0.02); 100,000 rounds |
| LSUN (five scenes), HWDB1.0 (characters) | CIFAR-10 where no --data is given |
| section 4.2: without batch normalisation in G, or in G and D, it still trains | --set game.generator.normalise=false |
"""

from collections.abc import Mapping

from agon.data import Source
from agon.experiment import Experiment
from agon.objectives import LeastSquares
from agon.recipes.radford2015 import PAPER, QUICK, DcganSize, trained
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10

SIZES: Mapping[Scale, DcganSize] = {
    "smoke": DcganSize(width=8, budget=SMOKE),
    "quick": DcganSize(width=64, budget=QUICK),
    "paper": DcganSize(width=64, budget=PAPER),
}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN whose critic learns logits of 1 on real and 0 on generated samples."""
    return trained(data, SIZES[scale], objective=LeastSquares())


LSGAN = Recipe(
    name="mao2016/lsgan",
    paper="Mao et al. 2016, equation 9",
    claim="least squares pull at samples on the right side of the boundary too, and far from it do not saturate",
    data=CIFAR10,
    make=experiment,
)

RECIPES = (LSGAN,)
