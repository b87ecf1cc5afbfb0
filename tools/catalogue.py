"""Write agon/cli/catalogue.json from the recipes, items, metrics and sources themselves.

    python -m tools.catalogue

The command line reads names, claims and costs there, since the modules that declare them import torch.
"""

import json
from collections.abc import Iterable
from typing import Any

from agon.augmentation import OF_DATA, OF_GAME
from agon.cli.catalogue import FILE
from agon.data import SOURCES, Images, Source
from agon.evaluation import METRICS
from agon.evaluation.extractors import NAMES as EXTRACTORS
from agon.experiment.names import NAMES
from agon.papers import ITEMS, Item
from agon.places import DIGITS, located
from agon.recipes import RECIPES, SWEEPS, NamedSweep, Recipe
from agon.recipes.sets import SETS, ImageSet


def contents() -> dict[str, Any]:
    """What the file holds: kind -> name -> facts about it."""
    return {
        "recipe": {recipe.name: _entry(recipe, [recipe]) for recipe in RECIPES.values()},
        "item": {item.name: _entry(item, item.trainings.values()) for item in ITEMS.values()},
        "sweep": {sweep.name: _choice(sweep) for sweep in SWEEPS.values()},
        "metric": {name: {} for name in METRICS},
        "extractor": {name: {} for name in EXTRACTORS},
        "source": {name: {} for name in (*SOURCES, DIGITS)},
        "set of images": {name: {} for name in SETS},
        "augmentation": {name: {} for name in (*OF_DATA, *OF_GAME)},
    }


def _entry(listed: Recipe | Item, trainings: Iterable[Recipe]) -> dict[str, Any]:
    """The facts about a recipe or an item; the data are those of the quick scale, on which the minutes were taken."""
    sources = sorted({_data(recipe.data("quick")) for recipe in trainings})
    return {"paper": listed.paper, "claim": listed.claim, "data": sources, "minutes": dict(listed.minutes)}


def _choice(sweep: NamedSweep) -> dict[str, Any]:
    """The facts about a sweep with a name: those of its recipe, of which it trains many, and its own."""
    facts = {**_entry(RECIPES[sweep.recipe], [RECIPES[sweep.recipe]]), "paper": sweep.paper, "claim": sweep.claim}
    over = {path: list(values) for path, values in sweep.over.items()}
    own = {name: getattr(sweep, name) for name in ("recipe", "metric", "extractor", "n", "seeds")}
    return {**facts, "minutes": dict.fromkeys(facts["minutes"]), **own, "over": over}


def _data(source: Source) -> str:
    """The short name of a source: of a set of images, or of its class."""
    if not isinstance(source, Images):
        return NAMES[type(source)]
    sets = {name: known for name, known in SETS.items() if isinstance(known, ImageSet)}
    same = [name for name, known in sets.items() if (located(known.path), known.size) == (source.path, source.size)]
    return same[0] if same else source.path


def text() -> str:
    """The file as it is written."""
    return json.dumps(contents(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(FILE)
