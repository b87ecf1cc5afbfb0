"""Residual DCGANs on MNIST and CIFAR-10, and the classifiers that score them: section 4.5, tables A.2 and B.1."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from agon.data import Source
from agon.experiment import Budget, Experiment, part
from agon.games import Adversarial
from agon.networks import resnet
from agon.recipes import classifier
from agon.recipes.recipe import EvaluationSchedule, Recipe, by_name
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CIFAR10, MNIST, ImageSet
from agon.recipes.yamazaki2017.settings import DECAY, suffix, titled, trained


class ImageSetting(NamedTuple):
    """One of the two experiments with images.

    Attributes:
        data: the set.
        letter: letter in the models' names.
        generator: widths of the generator, from its first small image on.
        critic: widths of the critic.
        scored: the paper's scores by depth, with batch normalisation in both networks.
        without: the paper's scores by depth, with batch normalisation in the generator alone.
        divisor: divisor of the widths at quick scale.
        quick_steps: steps at quick scale.
        paper_steps: steps at paper scale.
    """

    data: ImageSet
    letter: str
    generator: Sequence[int]
    critic: Sequence[int]
    scored: Sequence[str]
    without: Sequence[str]
    divisor: int
    quick_steps: int
    paper_steps: int

    def budget(self, scale: Scale) -> Budget:
        """A model's budget at a scale."""
        budgets: Mapping[Scale, Budget] = {
            "smoke": replace(SMOKE, grid=16),
            "quick": Budget(steps=self.quick_steps, log_every=20, sample_every=200),
            "paper": Budget(
                steps=self.paper_steps, log_every=100, sample_every=1_000, checkpoint_every=5_000, grid=100
            ),
        }
        return budgets[scale]


SETS = {
    "mnist": ImageSetting(
        MNIST,
        letter="B",
        generator=(128, 64),
        critic=(64, 128),
        scored=("9.14 ± 0.14", "9.50 ± 0.074", "9.72 ± 0.046", "9.73 ± 0.058", "9.68 ± 0.068", "9.70 ± 0.070"),
        without=("9.05 ± 0.10", "9.22 ± 0.058", "9.26 ± 0.12", "9.14 ± 0.094", "9.07 ± 0.15", "9.11 ± 0.14"),
        divisor=4,
        quick_steps=1_400,
        paper_steps=30_000,
    ),
    "cifar10": ImageSetting(
        CIFAR10,
        letter="C",
        generator=(256, 128, 64),
        critic=(64, 128, 256),
        scored=("6.71 ± 0.17", "7.15 ± 0.26", "5.59 ± 0.18", "6.41 ± 0.22"),
        without=("5.58 ± 0.16", "6.65 ± 0.19", "7.60 ± 0.31", "7.46 ± 0.21"),
        divisor=8,
        quick_steps=2_400,
        paper_steps=80_000,
    ),
}
EVALUATIONS: Mapping[str, EvaluationSchedule] = {  # during training
    "smoke": EvaluationSchedule(("is",), every=10, n=50),
    "quick": EvaluationSchedule(("is",), every=100, n=1_000),
    "paper": EvaluationSchedule(("is",), every=100, n=5_000),
}


def images(data: Source, scale: Scale, *, name: str, blocks: int, normalise: bool) -> Experiment:
    """The baseline DCGAN, or `blocks` residual blocks in each of its hidden stages."""
    setting = SETS[name]
    divisor = {"smoke": 16, "quick": setting.divisor, "paper": 1}[scale]
    first, *widths = (width // divisor for width in setting.generator)
    generator = part(resnet.Generator, shape=data.shape, first=first, widths=widths, blocks=blocks, range=data.range)
    of_critic = tuple(width // divisor for width in setting.critic)
    critic = part(resnet.Critic, shape=data.shape, widths=of_critic, blocks=blocks, normalise=normalise)
    game = part(Adversarial, generator=generator, critic=critic, penalties=DECAY)
    return trained(game, data, rate=2e-4, budget=setting.budget(scale))


def judging(data: Source, scale: Scale) -> Experiment:
    """The classifier that scores samples of the data."""
    if scale == "smoke":
        return replace(classifier.experiment(data, steps=20), batch=16, log_every=5, checkpoint_every=10)
    return classifier.experiment(data)


def _recipe(name: str, blocks: int, normalise: bool) -> Recipe:
    setting = SETS[name]
    where = "both networks" if normalise else "the generator alone"
    score = (setting.scored if normalise else setting.without)[blocks].partition(" ")[0]
    return Recipe(
        name=f"yamazaki2017/{name}-m{blocks}{suffix(normalise)}",
        paper="Yamazaki 2017, table 5.1",
        claim=f"{blocks} residual blocks a hidden stage, batch normalisation in {where}: an Inception score of {score}",
        data=setting.data,
        make=partial(images, name=name, blocks=blocks, normalise=normalise),
        evaluations=EVALUATIONS,
    )


def models(name: str, normalise: bool, depths: Sequence[int] = ()) -> dict[str, Recipe]:
    """Label -> recipe for the models of a set, of all depths or only these."""
    setting = SETS[name]
    return {
        titled(f"M{depth}_{setting.letter}", normalise): OF[f"{name}-m{depth}{suffix(normalise)}"]
        for depth in depths or range(len(setting.scored))
    }


CLASSIFIERS = (
    Recipe(
        name="yamazaki2017/mnist-classifier",
        paper="Yamazaki 2017, appendix B",
        claim="a convolutional network tells MNIST's digits apart with an accuracy of 0.98, and judges samples of them",
        data=MNIST,
        make=judging,
    ),
    Recipe(
        name="yamazaki2017/cifar10-classifier",
        paper="no paper's: our own network; Yamazaki 2017, section 5.2, judges CIFAR-10 by Inception-v3",
        claim="a small residual network tells CIFAR-10's classes apart with an accuracy of 0.82, and judges samples",
        data=CIFAR10,
        make=judging,
    ),
)

GANS = tuple(
    _recipe(name, blocks, bn)
    for name, setting in SETS.items()
    for blocks in range(len(setting.scored))
    for bn in (True, False)
)
OF = by_name(GANS)
RECIPES = (*GANS, *CLASSIFIERS)
