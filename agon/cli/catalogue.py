"""Look names up in catalogue.json beside this file, which needs no torch.

`python -m tools.catalogue` writes the file from the recipes, items, metrics and sources; a test compares them.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from agon.errors import SettingError, meant, similar, unknown
from agon.untrusted import cut, printable

FILE = Path(__file__).with_name("catalogue.json")
CatalogueKind = Literal["recipe", "item", "sweep", "metric", "extractor", "source", "set of images", "augmentation"]


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Return kind -> name -> facts: of a recipe or an item its paper, its claim and its minutes at each scale."""
    contents: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return contents


def check_name(kind: CatalogueKind, name: str) -> None:
    """Raise a SettingError, which advises the nearest names, if nothing of this kind has the name."""
    names = catalogue()[kind]
    if meant(name, names) in names:
        return
    if kind in ("recipe", "item") and not similar(name, list(names)):
        raise SettingError(
            f"there is no {kind} '{cut(printable(name))}'; agon recipes lists all, agon recipes WORD some"
        )
    raise SettingError(unknown(kind, name, names))


def check_items(name: str) -> None:
    """Raise a SettingError if the name is neither an item's nor a paper's."""
    if not any(item.startswith(f"{name}/") for item in catalogue()["item"]):
        check_name("item", name)


def check_rows(name: str, rows: Sequence[str]) -> None:
    """Raise a SettingError if rows are asked for and the name is a paper's, whose items have different ones."""
    if rows and name not in catalogue()["item"]:
        raise SettingError(f"--rows: expected one item with it, got {name}, all items of a paper; name one of them")


def check_metrics(metrics: Iterable[str], extractor: str) -> None:
    """Raise a SettingError for a metric or an extractor that does not exist; a user's own extractor has a colon."""
    for metric in metrics:
        check_name("metric", metric)
    extractors = catalogue()["extractor"]
    if ":" not in extractor and meant(extractor, extractors) not in extractors:
        raise SettingError(unknown("extractor", extractor, [*extractors, "package.module:Name"]))
