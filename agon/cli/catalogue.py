"""Look names up in catalogue.json beside this file, which needs no torch.

`python -m tools.catalogue` writes the file from the recipes, items, metrics and sources; a test compares them.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.errors import SettingError, unknown
from agon.terminal import say

FILE = Path(__file__).with_name("catalogue.json")
CatalogueKind = Literal["recipe", "item", "metric", "extractor", "source", "set of images", "augmentation"]


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Return kind -> name -> facts: of a recipe or an item its paper, its claim and its minutes at each scale."""
    contents: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return contents


def check_name(kind: CatalogueKind, name: str) -> None:
    """Raise a SettingError, which advises the nearest name, if nothing of this kind has the name."""
    if name not in catalogue()[kind]:
        raise SettingError(unknown(kind, name, catalogue()[kind]))


def check_items(name: str) -> None:
    """Raise a SettingError if the name is neither an item's nor a paper's."""
    if not any(item.startswith(f"{name}/") for item in catalogue()["item"]):
        check_name("item", name)


def check_metrics(metrics: Iterable[str], extractor: str) -> None:
    """Raise a SettingError for a metric or an extractor that does not exist; a user's own extractor has a colon."""
    for metric in metrics:
        check_name("metric", metric)
    if ":" not in extractor and extractor not in catalogue()["extractor"]:
        raise SettingError(unknown("extractor", extractor, [*catalogue()["extractor"], "package.module:Name"]))


def recipes(beginning: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]")] = "", /) -> None:
    """List the recipes to train and the papers' items to reproduce, with their claims and costs.

    Args:
        beginning: List only names that begin with this, e.g. im2016 or im2016/mnist.
    """
    entries = {**catalogue()["recipe"], **catalogue()["item"]}
    chosen = {name: entry for name, entry in entries.items() if name.startswith(beginning)}
    if not chosen:
        papers = sorted({name.partition("/")[0] for name in entries})
        raise SettingError(f"no recipe's name begins with '{beginning}'; there are those of {', '.join(papers)}")
    for name, entry in chosen.items():
        cost = ", ".join(f"{scale} {_minutes(minutes)}" for scale, minutes in entry["minutes"].items())
        say(name, f"    {entry['paper']}: {entry['claim']}", f"    {cost}")


def _minutes(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g} min"
