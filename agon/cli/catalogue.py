"""What there is to train and to reproduce, by name, from catalogue.json beside this file: so that no name needs torch.

`python -m tools.catalogue` writes the file from the recipes and items themselves; a test compares them.
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
Kind = Literal["recipe", "item", "metric", "extractor"]


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Kind -> name -> what is told of it: of a recipe or an item its paper, its claim and its minutes by scale."""
    contents: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return contents


def check_name(kind: Kind, name: str) -> None:
    """Raise a SettingError, with the nearest name there is, if nothing of this kind has the name."""
    if name not in catalogue()[kind]:
        raise SettingError(unknown(kind, name, catalogue()[kind]))


def check_items(name: str) -> None:
    """Raise a SettingError if it names neither an item nor a paper with items."""
    if not any(item.startswith(f"{name}/") for item in catalogue()["item"]):
        check_name("item", name)


def check_metrics(metrics: Iterable[str], extractor: str) -> None:
    """Raise a SettingError for a metric or an extractor that does not exist; a user's own extractor has a colon."""
    for metric in metrics:
        check_name("metric", metric)
    if ":" not in extractor and extractor not in catalogue()["extractor"]:
        raise SettingError(unknown("extractor", extractor, [*catalogue()["extractor"], "package.module:Name"]))


def recipes(beginning: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]")] = "", /) -> None:
    """List what there is to train and to reproduce: name, paper, claim, cost.

    Args:
        beginning: Of the names to list, e.g. im2016 or im2016/mnist; by default all.
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
