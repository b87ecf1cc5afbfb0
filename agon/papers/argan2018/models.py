"""The paper's models and sets of images, under the names of its table and figures."""

from agon.recipes.argan2018 import RECIPES
from agon.recipes.recipe import Recipe, by_name

PAPER = "Yazıcı et al. 2018"
MODELS = {
    "S-ARGAN": "s-argan",
    "C-ARGAN": "c-argan",
    "PARGAN": "pargan",
    "DCGAN": "dcgan",
    "WGAN-GP": "wgan-gp",
    "EBGAN": "ebgan",
    "BEGAN": "began",
}
PROPOSED = ("S-ARGAN", "C-ARGAN", "PARGAN")
CIFAR10, STL10 = "CIFAR-10", "STL-10"
TRAININGS = by_name(RECIPES)


def training(images: str, model: str) -> Recipe:
    """The recipe for a model on a set of images, such as `training("cifar10", "PARGAN")`."""
    return TRAININGS[f"{images}-{MODELS[model]}"]
