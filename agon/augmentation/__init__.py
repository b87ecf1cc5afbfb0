"""Random transformations of images: of the data alone, or of all that a critic sees.

An augmentation of the data (`Experiment.augment`) adds to a set what is as likely as its samples: the generator learns
it too. An augmentation of a game (`Adversarial(augmentation=...)`) transforms real and generated samples, so that the
critic cannot know a small set by heart, while the generator learns the set as it is.

>>> DiffAugment(policy=("cutout",)).steps
(Cutout(range=(-1.0, 1.0), share=0.5),)
"""

from agon.augmentation.adaptive import Adaptation, Adaptive, overfitting
from agon.augmentation.augmentation import Augmentation
from agon.augmentation.basic import Colour, Cutout, Flip, Translation
from agon.augmentation.diffaugment import DiffAugment
from agon.augmentation.pipeline import Pipeline

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "flip": Flip,
    "translation": Translation,
    "colour": Colour,
    "cutout": Cutout,
    "diffaugment": DiffAugment,
    "bgc": Pipeline,
}
ADAPTIVE = {"ada": Adaptive}

OF_DATA: dict[str, type[Augmentation]] = {name: AUGMENTATIONS[name] for name in ("flip", "translation", "colour")}
OF_GAME: dict[str, type[Augmentation] | type[Adaptive]] = {"diffaugment": DiffAugment, "ada": Adaptive}

__all__ = [
    "ADAPTIVE",
    "AUGMENTATIONS",
    "OF_DATA",
    "OF_GAME",
    "Adaptation",
    "Adaptive",
    "Augmentation",
    "Colour",
    "Cutout",
    "DiffAugment",
    "Flip",
    "Pipeline",
    "Translation",
    "overfitting",
]
