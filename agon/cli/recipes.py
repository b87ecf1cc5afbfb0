"""agon recipes: what can be trained, reproduced and searched for, a line each, found by any word."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import tyro

from agon.cli.catalogue import catalogue
from agon.errors import SettingError
from agon.terminal import is_watched, say
from agon.untrusted import cut, printable

HEADS = ("name", "data", "quick", "claim")
GAP = "  "
TOP = ("first/", "own")  # the recipes to begin with, above those of papers

Entries = Mapping[str, Mapping[str, Any]]
Words = Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[WORD ...]")]


def recipes(words: Words = (), /) -> None:
    """List the recipes to train, the papers' items to reproduce, and their sweeps; several words must all occur.

    Args:
        words: List only what has these words in its name, paper, claim or data, e.g. im2016, or wgan cifar10.
    """
    found = {kind: _having(catalogue()[kind], words) for kind in ("recipe", "item", "sweep")}
    found["recipe"] = dict(sorted(found["recipe"].items(), key=lambda entry: not entry[0].startswith(TOP)))
    both = {**found["recipe"], **found["item"], **found["sweep"]}
    if not both:
        word = cut(printable(" ".join(words)))
        raise SettingError(f"no recipe or item has '{word}' in its name, paper, claim or data; agon recipes lists all")
    if len(both) == 1 or (exact := {name: entry for name, entry in both.items() if (name,) == words}):
        return say(*_described(both if len(both) == 1 else exact))
    width = shutil.get_terminal_size().columns if is_watched(sys.stdout) else 0
    titles = (("recipe", "agon train NAME"), ("item", "agon reproduce NAME"), ("sweep", "agon sweep NAME"))
    for kind, title in titles:
        if found[kind]:
            say(f"{title} ({len(found[kind])})", *_table(found[kind], width), "")
    return None


def _having(entries: Entries, words: tuple[str, ...]) -> Entries:
    """The entries that have every word somewhere."""
    texts = {name: " ".join([name, entry["paper"], entry["claim"], *entry["data"]]) for name, entry in entries.items()}
    lower = [word.lower() for word in words]
    return {name: entry for name, entry in entries.items() if all(word in texts[name].lower() for word in lower)}


def _table(entries: Entries, width: int) -> Iterator[str]:
    """A line for each entry; lines are cut at the width of the terminal, unless it is 0."""
    rows = [HEADS, *((name, *_cells(entry)) for name, entry in entries.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    for row in rows:
        line = GAP.join([*(cell.ljust(size) for cell, size in zip(row, widths, strict=False)), row[-1]])
        yield line if not width or len(line) <= width else f"{line[: width - 1]}…"


def _cells(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return ", ".join(entry["data"]), _minutes(entry["minutes"]["quick"]), entry["claim"]


def _described(entries: Entries) -> Iterator[str]:
    """Everything about each entry."""
    for name, entry in entries.items():
        data = ", ".join(entry["data"])
        costs = ", ".join(f"{scale} {_minutes(minutes)}" for scale, minutes in entry["minutes"].items())
        yield name
        yield f"    {entry['paper']}: {entry['claim']}"
        yield f"    data {data}; {costs}"


def _minutes(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g} min"
