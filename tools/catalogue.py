"""Write agon/cli/catalogue.json from the recipes, items, metrics and sources themselves.

    python -m tools.catalogue

The command line reads names, claims and costs there, since the modules that declare them import torch.
"""

import json
from collections.abc import Iterable
from typing import Any

from agon.cli.catalogue import FILE
from agon.data import SOURCES
from agon.evaluation import METRICS
from agon.evaluation.extractors import AUTO, KINDS
from agon.papers import ITEMS, Item
from agon.places import DIGITS
from agon.recipes import RECIPES, Recipe
from agon.recipes.sets import SETS


def contents() -> dict[str, Any]:
    """What the file holds: kind -> name -> facts about it."""
    return {
        "recipe": _entries(RECIPES.values()),
        "item": _entries(ITEMS.values()),
        "metric": {name: {} for name in METRICS},
        "extractor": {name: {} for name in (AUTO, *KINDS)},
        "source": {name: {} for name in (*SOURCES, DIGITS)},
        "set of images": {name: {} for name in SETS},
    }


def _entries(listed: Iterable[Recipe | Item]) -> dict[str, Any]:
    return {
        entry.name: {"paper": entry.paper, "claim": entry.claim, "minutes": dict(entry.minutes)} for entry in listed
    }


def text() -> str:
    """The file as it is written."""
    return json.dumps(contents(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(FILE)
