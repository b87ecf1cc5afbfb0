"""Measure the controls of items whose committed numbers have none, and write their pages again.

    python -m tools.controls ITEM... [--data mnist=FOLDER]... [--out FOLDER] [--again]

Nothing is trained: the controls are networks at step 0, under the seeds and at the scale of the numbers. `--again` also
measures those of items that have them.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from agon.papers import items
from agon.papers.catalogue import find_item
from agon.papers.controls import measured_controls, plain
from agon.papers.numbers import rejudged
from agon.papers.results import seeds_of
from agon.papers.sources import places
from agon.training import Compute
from tools.pages import PAGES, as_file, numbers_of, write


def measure(name: str, out: Path, data: Sequence[str], again: bool) -> bool:
    """Add the rows of an item's controls to its numbers; whether there was anything to do."""
    item, known = find_item(name), numbers_of(name)
    if known is None or not item.expects or (known.get("controls") and not again):
        return False
    folder = out / f"{name.partition('/')[0]}-{known['scale']}"
    compute = Compute(threads=1)
    seeds = seeds_of(known)
    found = measured_controls(item, folder, known["scale"], seeds, places(data), compute)
    numbers = rejudged(item, known, {control: plain(rows, seeds) for control, rows in found.items()})
    (PAGES / f"{name}.json").write_text(as_file(numbers))
    return True


def main() -> None:
    """Measure what is asked for, item by item; each is written when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("items", nargs="+", help="items, or papers for all of theirs")
    parser.add_argument("--data", action="append", default=[], help="as of agon reproduce")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the untrained runs")
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    for name in dict.fromkeys(name for given in asked.items for name in items(given)):
        if measure(name, asked.out, asked.data, asked.again):
            write()
            print(name, flush=True)


if __name__ == "__main__":
    main()
