"""DiffAugment: the same differentiable transformations of real and generated samples, in both players' losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch

from agon.augmentation.augmentation import Augmentation, Images, Numbers, Probability, Ranged
from agon.augmentation.basic import Colour, Cutout, Translation
from agon.errors import SettingError

Step = Literal["colour", "translation", "cutout"]
STEPS: tuple[Step, ...] = ("colour", "translation", "cutout")


@dataclass(frozen=True, kw_only=True)
class DiffAugment(Ranged):
    """T in L_D = f_D(D(T(x)), D(T(G(z)))) and L_G = f_G(D(T(G(z)))): the critic sees transformed samples only.

    T changes the colours, shifts the image by up to 1/8 of its side into a border of the range's middle, and cuts out
    a square of half the side. Gradients reach the generator through T. Real and generated samples get independent
    draws, as in the source's code. A T of the real samples alone is another method: the generator then learns T.

    Attributes:
        policy: the steps, in their order, out of "colour", "translation" and "cutout".

    Source: Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", equations 4 to 6 and
    section 3.2.
    """

    policy: Sequence[Step] = STEPS

    def __post_init__(self) -> None:
        super().__post_init__()
        known, different = set(self.policy) <= set(STEPS), len(set(self.policy)) == len(self.policy)
        if not (self.policy and known and different):
            steps = ", ".join(STEPS)
            raise SettingError(f"policy of DiffAugment: expected one or more of {steps}, each once, got {self.policy}")
        object.__setattr__(self, "policy", tuple(self.policy))

    @cached_property
    def steps(self) -> tuple[Augmentation, ...]:
        """The policy's transformations."""
        known = {
            "colour": Colour(range=self.range, strength=1.0),
            "translation": Translation(range=self.range, border="centre"),
            "cutout": Cutout(range=self.range),
        }
        return tuple(known[step] for step in self.policy)

    @property
    def numbers(self) -> int:
        return sum(step.numbers for step in self.steps)

    def noise(self, n: int, rng: torch.Generator) -> Numbers:
        return torch.cat([step.noise(n, rng) for step in self.steps], 1)

    def __call__(self, x: Images, noise: Numbers, p: Probability = 1.0) -> Images:
        parts = torch.split(noise, [step.numbers for step in self.steps], 1)
        for step, numbers in zip(self.steps, parts, strict=True):
            x = step(x, numbers, p)
        return x
