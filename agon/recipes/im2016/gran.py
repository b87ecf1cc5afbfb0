"""Im, Kim, Jiang, Memisevic 2016, "Generating images with recurrent adversarial networks": GRAN on five sets.

| the paper | here |
|---|---|
| figure 29: [80, 40, 1] kernels for MNIST, the last one the image's channels | two transposed convolutions, 7 to 28 |
| figure 29: 216 kernels between 512 and 128: a slip for 256? | 216 |
| figure 29: 5x5 filters; z of 60 for MNIST, of 100 elsewhere | the same |
| supplement: ImageNet, three times LSUN's kernels; its z is not in figure 29 | the same, in both networks; 100 |
| size of h_z and of h_c: not stated | that of z, as in the authors' code |
| section 3.1: W, b of h_z = tanh(Wz + b) have no batch normalisation; the authors' code has | none |
| equation 6: ΔC_0 not defined | h_{c,1} = 0; see `networks.gran` |
| section 3.1, footnote 2: z drawn once, or at every step | once; every step is "-noises" |
| supplement: "one can tie the weights"; whether they did is not stated | they are not; tied is "-tied" |
| supplement: tied, GRAN has as many parameters as DCGAN: it cannot, f has weights for h_c | tied, g adds no weights |
| trick 2: batch normalisation in both networks, after radford2015 | not at G's end and D's start, as there |
| g's last layer: batch normalisation before its tanh not stated; the authors' code has it | yes; see `networks.gran` |
| trick 3: ReLU in G; LeakyReLU in D, its slope not stated | 0.2, as radford2015 |
| trick 1: no hidden fully connected layers in D; the authors' code has one of 100 units | none |
| "convolutional layers of discriminator and generator are shared": as weights, or as shapes? | shapes: D mirrors f |
| equation 2 prints one sum | two losses, each player's own |
| section 2: a player is updated if D is right, or wrong: read literally, only on those samples | on all |
| section 2: z ~ N(0, I); supplement: pixels in [0, 1]; batch 100 | the same; batch 32 at quick, 16 at smoke |
| supplement: Adam; different rates, chosen on a validation set: the values, and β, are not stated | see below |
| initial weights not stated | G: Xavier's, as the authors' fully connected layers; D: N(0, 0.02), as radford2015 |
| number of updates not stated | 20 epochs for MNIST, 25 for CIFAR-10, 18 for LSUN, 6 for ImageNet: C7 on the page |
| supplement: 10,000 of MNIST's training images are for validation | the same; as many of CIFAR-10, a sixth elsewhere |
| which latents the generator's update sees is not stated | the critic's own: one pass of all time steps serves both |
| section 5: "collapse when training for a long time": how long is not stated | "-long": see below |

Adam's rates for G and D at paper scale are those of the authors' code (github.com/jiwoongim/GRAN): 1e-4 and 4e-5 for
CIFAR-10, 2e-4 and 1e-4 for LSUN, and here for ImageNet too. There are none for MNIST, which has 5e-4 and 2.5e-4, as all
sets have at quick scale, where kernels are fewer and steps are few. β1 is 0.5, as in radford2015; with that code's 0.9,
400 steps on MNIST made blots, where 0.5 made strokes (one seed, 32 and 16 kernels, 2e-4 and 1e-4). That code also
decays D's weights and lowers the rates, of which the paper does not speak. A step is one update of each network.

"mnist-gran1-600" is GRAN1 on 600 of MNIST's images, for battles of a critic that has seen each image 200 times.

"-long" is MNIST's GRAN3 for three times the quick number of steps, with a quarter of the paper's kernels and a batch of
16 to be done in minutes; at paper scale five times the paper's steps, which is 100 epochs.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Budget, Experiment, part
from agon.games import Adversarial
from agon.networks import cnn, gran
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10, IMAGENET, LSUN_CHURCH, LSUN_ROOMS, MNIST, ImageSet, read_as

UNIT = (0.0, 1.0)
KERNEL = 5
VALIDATION = 1 / 6  # 10,000 of MNIST's 60,000


class GranSetting(NamedTuple):
    """One row of figure 29.

    Attributes:
        images: the set.
        kernels: kernels of the generator, deepest first, without the image's channels.
        latent: coordinates of z.
        rates: Adam's learning rates of generator and critic at paper scale.
        quick_steps: steps at quick scale.
        paper_steps: steps at paper scale.
        narrower: divisor of the kernels at quick scale.
        validation: share of the training images for validation.
    """

    images: ImageSet
    kernels: tuple[int, ...]
    latent: int
    rates: tuple[float, float]
    quick_steps: int
    paper_steps: int
    narrower: int
    validation: float = VALIDATION

    def width(self, scale: Scale) -> tuple[int, ...]:
        """The kernels at a scale."""
        divisor = {"smoke": 16 * self.narrower, "quick": self.narrower, "paper": 1}[scale]
        return tuple(max(2, kernel // divisor) for kernel in self.kernels)

    def budget(self, scale: Scale) -> Budget:
        """The training's budget at a scale, with ten grids of samples."""
        quick, paper = self.quick_steps, self.paper_steps
        budgets: Mapping[Scale, Budget] = {
            "smoke": SMOKE,
            "quick": Budget(batch=32, steps=quick, sample_every=quick // 10),
            "paper": Budget(batch=100, steps=paper, log_every=100, sample_every=paper // 10, checkpoint_every=1_000),
        }
        return budgets[scale]


FAST, SLOW = (5e-4, 2.5e-4), (2e-4, 1e-4)
LSUN = (1024, 512, 216, 128)
SETTINGS = {
    "mnist": GranSetting(
        MNIST,
        kernels=(80, 40),
        latent=60,
        rates=FAST,
        quick_steps=4_000,
        paper_steps=10_000,
        narrower=2,
    ),
    "cifar10": GranSetting(
        CIFAR10,
        kernels=(1024, 512, 216),
        latent=100,
        rates=(1e-4, 4e-5),
        quick_steps=4_000,
        paper_steps=10_000,
        narrower=16,
        validation=1 / 5,
    ),
    "lsun-church": GranSetting(
        LSUN_CHURCH,
        kernels=LSUN,
        latent=100,
        rates=SLOW,
        quick_steps=2_300,
        paper_steps=19_000,
        narrower=16,
    ),
    "lsun-rooms": GranSetting(
        LSUN_ROOMS,
        kernels=LSUN,
        latent=100,
        rates=SLOW,
        quick_steps=2_000,
        paper_steps=18_000,
        narrower=16,
    ),
    "imagenet": GranSetting(
        IMAGENET,
        kernels=tuple(3 * kernel for kernel in LSUN),
        latent=100,
        rates=SLOW,
        quick_steps=1_600,
        paper_steps=64_000,
        narrower=24,
    ),
}
CLAIMS = {
    1: "one step is a DCGAN after one more fully connected layer: whom the others battle",
    3: "three steps of painting make samples that fool GRAN1's critic, and a critic that GRAN1 does not fool",
    5: "five steps win against one, and on CIFAR-10 and LSUN against three",
}
VARIANTS: dict[str, dict[str, object]] = {"": {}, "-noises": {"noise": "every"}, "-tied": {"tied": True}}
ALSO = {
    "": "",
    "-noises": "; new noise at every step: larger changes from step to step, harder training",
    "-tied": "; g with the weights of f: as many weights as GRAN1, but for those that read h_c",
}


def painting(data: Source, scale: Scale, setting: GranSetting, steps: int, variant: str) -> Experiment:
    """A GRAN of `steps` time steps against a critic that mirrors it."""
    data, kernels = read_as(data, range=UNIT, validation=setting.validation), setting.width(scale)
    sizes = {"latent": setting.latent, "hidden": setting.latent, "kernels": kernels, "kernel": KERNEL}
    rates = setting.rates if scale == "paper" else FAST
    layers = tuple((KERNEL, 2, width) for width in kernels[::-1])
    return Experiment(
        game=part(
            Adversarial,
            generator=part(gran.Generator, shape=data.shape, steps=steps, range=UNIT, **sizes, **VARIANTS[variant]),
            critic=part(cnn.Critic, shape=data.shape, layers=layers),
        ),
        data=data,
        optimisers={
            player: part(torch.optim.Adam, lr=rate, betas=(0.5, 0.999))
            for player, rate in zip(("generator", "critic"), rates, strict=True)
        },
        dynamics=Turns(draws="round"),
        **setting.budget(scale).settings,
    )


LONG = SETTINGS["mnist"]._replace(narrower=4, quick_steps=12_000, paper_steps=50_000)
LOOKS, SEEN = 24, 256  # looks at the samples over a long training, and samples at each


def lasting(data: Source, scale: Scale, variant: str) -> Experiment:
    """GRAN3 on MNIST for longer than the other trainings, with many looks at its samples."""
    made = painting(data, scale, LONG, 3, variant)
    if scale == "smoke":
        return made
    return replace(made, batch=16 if scale == "quick" else made.batch, grid=SEEN, sample_every=made.steps // LOOKS)


LASTING = tuple(
    Recipe(
        name=f"im2016/mnist-gran3{variant}-long",
        paper="Im et al. 2016, section 5, on different noises",
        claim=f"a long training{ALSO[variant]}",
        data=LONG.images,
        make=partial(lasting, variant=variant),
    )
    for variant in ("", "-noises")
)
FEW = SETTINGS["mnist"]._replace(validation=0.99)  # 600 images of MNIST's 60,000
MNIST_FEW = Recipe(
    name="im2016/mnist-gran1-600",
    paper="Im et al. 2016, section 4",
    claim="GRAN1 on 600 images, which its critic can learn by heart",
    data=FEW.images,
    make=partial(painting, setting=FEW, steps=1, variant=""),
)
PAINTING = tuple(
    Recipe(
        name=f"im2016/{name}-gran{steps}{variant}",
        paper="Im et al. 2016, table 1, section 3.1 and figure 29",
        claim=CLAIMS[steps] + ALSO[variant],
        data=setting.images,
        make=partial(painting, setting=setting, steps=steps, variant=variant),
    )
    for name, setting in SETTINGS.items()
    for steps in CLAIMS
    for variant in VARIANTS
)
RECIPES = (*PAINTING, *LASTING, MNIST_FEW)
