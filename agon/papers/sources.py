"""Which data an item's trainings read: a set's own, or its replacement."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agon.data import Images, Source
from agon.errors import SettingError, unknown
from agon.recipes import Recipe, Scale
from agon.recipes.sets import SETS, ImageSet

ALL = ""  # in place of a set's name: all sets


def places(given: Sequence[str]) -> dict[str, str]:
    """Parse replacements "mnist=FOLDER", or "FOLDER" for all sets, into set -> folder or name on the Hub.

    Raises:
        SettingError: a set is unknown.

    >>> places(["mnist=../mnist", "../tiny"])
    {'mnist': '../mnist', '': '../tiny'}
    """
    paths = {}
    for argument in given:
        name, equals, path = argument.partition("=")
        if equals and name not in SETS:
            raise SettingError(unknown("set of images", name, SETS))
        paths[name if equals else ALL] = path if equals else name
    return paths


def source_of(recipe: Recipe, scale: Scale, at: Mapping[str, str]) -> Source | None:
    """The images that replace a recipe's set, at the set's size; None to keep the set."""
    names = [name for name, images in SETS.items() if images is recipe.data]
    path = next((at[name] for name in (*names, ALL) if name in at), None)
    default = recipe.data(scale)
    if path is None or not isinstance(default, Images):
        return None
    return replace(default, path=path)


def described(recipe: Recipe, source: Source) -> dict[str, Any]:
    """Describe a training's data for the page: the set that the recipe names, and the data that was read."""
    if not isinstance(source, Images) or not isinstance(recipe.data, ImageSet):
        return {"set": type(source).__name__, "read": None}
    shape = "x".join(map(str, source.shape))
    read = {"from": Path(source.path).name, "images": source.count(), "classes": len(source.classes), "shape": shape}
    return {"set": recipe.data.title, "read": read}
