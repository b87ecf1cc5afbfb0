"""Experiments with a name: a module a paper or a purpose, in the library's own parts; nothing measures or draws."""

from agon.errors import SettingError, meant, unknown
from agon.recipes import (
    argan2018,
    arjovsky2017,
    berthelot2017,
    first,
    gulrajani2017,
    huang2024,
    im2016,
    mao2016,
    metz2017,
    miyato2018,
    miyato2018b,
    odena2017,
    own,
    radford2015,
    tabak2016,
    yamazaki2017,
    zhao2016,
)
from agon.recipes.named_sweep import NamedSweep
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale

LISTED: tuple[Recipe, ...] = (
    *argan2018.RECIPES,
    first.DIGITS,
    first.RING,
    own.OWN,
    *im2016.RECIPES,
    *metz2017.RECIPES,
    *tabak2016.RECIPES,
    radford2015.DCGAN,
    *mao2016.RECIPES,
    *zhao2016.RECIPES,
    *arjovsky2017.RECIPES,
    *gulrajani2017.RECIPES,
    *berthelot2017.RECIPES,
    *miyato2018.RECIPES,
    *miyato2018b.RECIPES,
    *odena2017.RECIPES,
    *huang2024.RECIPES,
    *yamazaki2017.RECIPES,
)

RECIPES = {recipe.name: recipe for recipe in LISTED}
SWEEPS = {sweep.name: sweep for sweep in (im2016.RATES,)}


def find(name: str) -> Recipe:
    """Find a recipe by its name, or by the part after the slash if no other recipe has it: "dcgan".

    Raises:
        SettingError: no recipe has that name; the message suggests the nearest.
    """
    name = meant(name, RECIPES)
    if name not in RECIPES:
        raise SettingError(unknown("recipe", name, RECIPES))
    return RECIPES[name]


__all__ = ["RECIPES", "SWEEPS", "NamedSweep", "Recipe", "Scale", "find"]
