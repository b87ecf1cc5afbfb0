"""The measured part of docs/recipes: numbers and pictures of finished items into their pages.

    python -m tools.pages FOLDER...    take over numbers and pictures of items from where `agon reproduce` wrote them
    python -m tools.pages              write the pages again from the numbers that are committed

A page is written by hand but for what stands between its two marks, which comes from ITEM.json beside it, and from
ITEM-paper.json for what was measured at the paper's own scale: so no page can say what was not measured.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agon.papers import ITEMS
from agon.papers.numbers import rejudged
from agon.papers.own_scale import full_size, sentence
from agon.papers.page import measured
from agon.recipes.costs import FILE as COSTS
from agon.recipes.costs import measured as measured_costs
from agon.recipes.scales import Scale

PAGES = Path(__file__).parents[1] / "docs" / "recipes"
MARKS = "<!-- measured -->", "<!-- end of measured -->"
BETWEEN = re.compile(f"(?<={re.escape(MARKS[0])}\n).*?(?={re.escape(MARKS[1])})", re.DOTALL)
NOT_RUN = "**Verdict: not run.**"
LARGEST = 700_000  # bytes of a committed picture
OWN_SCALE = "### At the paper's own scale"
SAME = "The trainings of quick scale, which have the paper's size and number of steps already, looked at less often."
TAILS: dict[Scale, str] = {"quick": "", "paper": "-paper"}  # after the name of an item's files


def page_of(name: str) -> Path:
    """The page of an item."""
    return PAGES / f"{name}.md"


def file_of(name: str, scale: Scale) -> Path:
    """The file of an item's numbers at a scale."""
    return PAGES / f"{name}{TAILS[scale]}.json"


def numbers_of(name: str, scale: Scale = "quick") -> dict[str, Any] | None:
    """What was measured for an item at a scale, if it was run there, judged by the expectations of today."""
    file = file_of(name, scale)
    return rejudged(ITEMS[name], json.loads(file.read_text())) if file.exists() else None


def known(name: str) -> list[dict[str, Any]]:
    """What was measured for an item, scale by scale."""
    return [told for scale in TAILS if (told := numbers_of(name, scale)) is not None]


def as_file(numbers: dict[str, Any]) -> str:
    """Numbers as ITEM.json has them."""
    return json.dumps(numbers, indent=1) + "\n"


def filled(text: str, known: Sequence[dict[str, Any]], cost: str = "") -> str:
    """A page with its measured part written anew: the numbers of each scale, and what the paper's would cost."""
    if BETWEEN.search(text) is None:
        raise SystemExit(f"expected {MARKS[0]} and {MARKS[1]} in a page that begins with {text.splitlines()[:1]}")
    parts = [part for numbers in known for part in (*_heading(numbers), *measured(numbers))]
    content = "\n\n".join(part for part in (*(parts or [NOT_RUN]), cost) if part)
    return BETWEEN.sub(lambda _: f"\n{content}\n\n", text)


def cost_of(name: str, known: Sequence[dict[str, Any]]) -> str:
    """What of an item was not run at the paper's scale, and what it would cost."""
    at_scale = [numbers for numbers in known if numbers["scale"] == "paper"]
    return sentence(ITEMS[name], [each["recipe"] for numbers in at_scale for each in numbers["trainings"]])


def _heading(numbers: dict[str, Any]) -> list[str]:
    if numbers["scale"] != "paper":
        return []
    return [OWN_SCALE, *([SAME] if full_size(ITEMS[numbers["item"]]) else [])]


def take(folder: Path) -> Iterator[str]:
    """Copy numbers and pictures of every item that a folder holds; their names."""
    for file in sorted(folder.glob("*.json")):
        numbers = json.loads(file.read_text())
        name = numbers.get("item") if isinstance(numbers, dict) else None
        if name not in ITEMS or numbers["scale"] == "smoke":
            continue
        file_of(name, numbers["scale"]).parent.mkdir(exist_ok=True)
        numbers["pictures"] = [_taken(folder / picture, name, numbers["scale"]) for picture in numbers["pictures"]]
        file_of(name, numbers["scale"]).write_text(as_file(numbers))
        yield name


def _taken(picture: Path, name: str, scale: Scale) -> str:
    """Copy a picture beside the page, and return its name there."""
    if picture.stat().st_size > LARGEST:
        raise SystemExit(f"{picture}: expected a picture of at most {LARGEST:,} bytes")
    kept = page_of(name).parent / f"{name.partition('/')[2]}{TAILS[scale]}{picture.suffix}"
    shutil.copyfile(picture, kept)
    return kept.name


def costs() -> str:
    """costs.json with the minutes of every training that a committed file of numbers has.

    The fastest that was ever measured: a machine that has other work too makes a training longer, never shorter.
    Where a recipe's scale becomes another, its minutes there are to be deleted first.
    """
    fastest = {name: dict(scales) for name, scales in measured_costs().items()}
    for numbers in (numbers for name in ITEMS for numbers in known(name)):
        for each in numbers["trainings"]:
            minutes = float(f"{min(run['seconds'] for run in each['runs']) / 60:.2g}")
            scales, scale = fastest.setdefault(each["recipe"], {}), numbers["scale"]
            scales[scale] = min(minutes, scales.get(scale, minutes))
    lines = (f' "{name}": {json.dumps(scales)}' for name, scales in sorted(fastest.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Take over what is given, judge all numbers again, and write all pages and costs.json."""
    for folder in map(Path, sys.argv[1:]):
        print(*take(folder))
    for name in ITEMS:
        for numbers in known(name):
            file_of(name, numbers["scale"]).write_text(as_file(numbers))
    COSTS.write_text(costs())
    measured_costs.cache_clear()
    write()


def write() -> None:
    """Write the measured parts of all pages and of the index."""
    from tools.index import overview  # which reads pages here

    for name in ITEMS:
        page = page_of(name)
        told = known(name)
        page.write_text(filled(page.read_text(), told, cost_of(name, told)))
    index = PAGES / "index.md"
    index.write_text(BETWEEN.sub(lambda _: f"\n{overview()}\n\n", index.read_text()))


if __name__ == "__main__":
    main()
