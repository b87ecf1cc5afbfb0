"""An item's trainings as experiments with a place on the disk, one for each seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from agon.evaluation import EvaluationCallback, ExtractorSpec
from agon.experiment import Experiment
from agon.papers.item import Item
from agon.papers.sources import source_of
from agon.recipes import Scale
from agon.recipes.recipe import EvaluationSchedule
from agon.runs import Directory, unreadable
from agon.training import Callback
from agon.untrusted import NotRegularError


class PlacedExperiment(NamedTuple):
    """A training of an item.

    Attributes:
        path: the run's directory, RECIPE/seed-SEED in the item's folder.
        experiment: what is trained.
        callback: evaluations while it trains, if the recipe has any.
    """

    path: Path
    experiment: Experiment
    callback: Callback | None


def experiments(
    item: Item, folder: Path, scale: Scale, seeds: Sequence[int], at: Mapping[str, str], under: str = "."
) -> dict[str, list[PlacedExperiment]]:
    """Label -> the training of each seed.

    Args:
        item: the table or figure.
        folder: folder of the runs.
        scale: scale of every training.
        seeds: their seeds.
        at: replacements of sets of images, see `sources.places`.
        under: a folder inside `folder`, for runs that are not the trainings themselves.
    """
    placed = {}
    for label, recipe in item.trainings.items():
        experiment = recipe.experiment(source_of(recipe, scale, at), scale)
        place = f"{under}/{recipe.name.rpartition('/')[2]}"
        placed[label] = [
            PlacedExperiment(
                _inside(folder, f"{place}/seed-{seed}"),
                replace(experiment, seed=seed),
                _callback(recipe.evaluations.get(scale)),
            )
            for seed in seeds
        ]
    return placed


def _inside(folder: Path, name: str) -> Path:
    """The folder of a run, which must not be a link to another place."""
    try:
        return Directory(folder).folder(name)
    except NotRegularError as error:
        raise unreadable(error, folder / name, "put the run itself there, or choose another folder") from error


def _callback(schedule: EvaluationSchedule | None) -> Callback | None:
    if schedule is None:
        return None
    return Callback(schedule.every, EvaluationCallback(schedule.metrics, schedule.n, ExtractorSpec(schedule.extractor)))
