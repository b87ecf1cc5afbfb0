"""The paper's models under the names of its table and figures, and the rows of real images beside them."""

from typing import NamedTuple

from agon.recipes.recipe import Recipe
from agon.recipes.yamazaki2017 import images, points

REAL_ROWS = {"mnist": ("MNIST train", "9.97 ± 0.010"), "cifar10": ("CIFAR-10 train", "12.00 ± 0.10")}
TEST_ROWS = {"mnist": "MNIST test images", "cifar10": "CIFAR-10 test images"}
UNBALANCED = {"g0d1": "shallow G against deep D", "g1d0": "deep G against shallow D"}  # appendix C's pairs


def on_both_sets(pair: str) -> dict[str, Recipe]:
    """Label -> recipe for a pair of appendix C, on the Swiss roll and on the mixture."""
    return {f"{title}: {UNBALANCED[pair]}": points.OF[f"{name}-{pair}"] for name, title in points.TITLES.items()}


def balanced_on_both_sets(model: str) -> dict[str, Recipe]:
    """Label -> recipe for a pair of equal depth, "m0" or "m1", on both sets."""
    return {f"{title}: {model.upper()}_A": points.OF[f"{name}-{model}"] for name, title in points.TITLES.items()}


class Best(NamedTuple):
    """The model with the paper's best Inception score on a set.

    Attributes:
        name: name of the set.
        label: label of the model.
        recipe: recipe of its training.
    """

    name: str
    label: str
    recipe: Recipe


def _best(name: str, depth: int, normalise: bool) -> Best:
    ((label, recipe),) = images.models(name, normalise, [depth]).items()
    return Best(name, label, recipe)


BEST = (_best("mnist", 3, True), _best("cifar10", 2, False))
