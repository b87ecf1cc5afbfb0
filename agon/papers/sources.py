"""Which data an item's trainings read: a set's own, or what stands at its place."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agon.data import Images, Source
from agon.errors import SettingError, unknown
from agon.recipes import Recipe, Scale
from agon.recipes.sets import SETS, ImageSet

ALL = ""  # in the place of a set's name: all of them


def places(given: Sequence[str]) -> dict[str, str]:
    """Set's name -> folder or name on the Hub, from "mnist=FOLDER", or "FOLDER" for all sets.

    Raises:
        SettingError: an unknown set.

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
    """The images that stand at the place of a recipe's set, at its size; None for its own."""
    named = [name for name, images in SETS.items() if images is recipe.data]
    path = next((at[name] for name in (*named, ALL) if name in at), None)
    own = recipe.data(scale)
    if path is None or not isinstance(own, Images):
        return None
    return replace(own, path=path)


def described(recipe: Recipe, source: Source) -> dict[str, Any]:
    """What a training read, for the page: the set that it asks for, and what was there."""
    if not isinstance(source, Images) or not isinstance(recipe.data, ImageSet):
        return {"set": type(source).__name__, "read": None}
    shape = "x".join(map(str, source.shape))
    read = {"from": Path(source.path).name, "images": source.count(), "classes": len(source.classes), "shape": shape}
    return {"set": recipe.data.title, "read": read}
