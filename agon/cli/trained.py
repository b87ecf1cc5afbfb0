"""What the word RECIPE of agon train means: a recipe, a file that describes an experiment, or a run to train anew."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from agon.cli.catalogue import catalogue, check_name
from agon.errors import AgonError, SettingError
from agon.places import did_you_mean
from agon.runs.directory import FOLDER, Directory
from agon.runs.layout import EXPERIMENT
from agon.runs.named import check_run_name, is_named
from agon.runs.origin import Origin
from agon.runs.taken import refuse_no_run
from agon.untrusted import kind_of


def check_trained(recipe: str) -> None:
    """Refuse a word that names neither a recipe nor a run, or a file that is not there.

    Raises:
        SettingError: there is no such recipe or file, or it is a name that no run can have.
        RunError: it is a folder that holds no run.
    """
    if is_named(recipe):
        check_run_name(recipe)
    elif not is_file(recipe):
        if recipe not in catalogue()["recipe"] and "/" in recipe and kind_of(Path(recipe)) == FOLDER:
            refuse_no_run(Path(recipe))
        check_name("recipe", recipe)
    elif not Path(recipe).is_file():
        raise SettingError(
            f"{recipe}: expected a file that describes an experiment, found none{did_you_mean(Path(recipe))}"
        )


def is_file(recipe: str) -> bool:
    """Whether a word for a recipe means a file."""
    return Path(recipe).suffix.lower() in (".json", ".toml", ".yaml", ".yml")


def file_of(recipe: str) -> str:
    """The word itself, or the experiment.json of the run directory that it names; recipes have their names first."""
    if is_named(recipe) or recipe in catalogue()["recipe"]:
        return recipe
    with suppress(OSError, ValueError):  # no path
        if Directory(Path(recipe)).is_file(EXPERIMENT):
            return str(Path(recipe) / EXPERIMENT)
    return recipe


def recipe_named(name: str) -> Any:
    """Return a recipe by its name, or the experiment of a published run as one."""
    from agon.recipes import find

    return published(name) if is_named(name) else find(name)


def published(name: str) -> Any:
    """Return the experiment of a run on the Hub, or of one that agon brings, as a recipe; it has one scale."""
    from agon.experiment import Experiment
    from agon.recipes.recipe import Recipe
    from agon.runs import Run

    begun = Experiment.from_json(Run.open(name).experiment)
    parts: dict[str, Any] = {"data": lambda scale: begun.data, "make": lambda data, scale: replace(begun, data=data)}
    return Recipe(name=name, paper="", claim="", **parts)


def earlier(init: str) -> Any:
    """Return the experiment of the run that --init names; None without one, or for one of classes outside agon."""
    from agon.experiment import Experiment
    from agon.runs import Run

    if not init:
        return None
    try:
        return Experiment.from_json(Run.open(Origin.read(init).path).experiment)
    except AgonError:  # its weights may still fit; what is wrong with it is said where they are taken
        return None
