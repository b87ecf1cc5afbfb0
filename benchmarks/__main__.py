"""python -m benchmarks [SECTION ...] [--quick | --check]: measure, and write these sections of docs/benchmarks.md."""

import argparse
import sys

from benchmarks.provenance import here, warnings
from benchmarks.report import PAGE, updated
from benchmarks.sections import SECTIONS
from benchmarks.sets import sets


def main() -> None:
    """Each section is written when it is measured; those that are older than their code are named at the end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"all of them, or some of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions, and nothing is written: does it work?")
    parser.add_argument("--check", action="store_true", help="measure nothing: name the sections older than their code")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.sections if name not in SECTIONS]:
        parser.error(f"expected some of {', '.join(SECTIONS)}, got {', '.join(unknown)}")
    if not arguments.check:
        measure(arguments.sections or list(SECTIONS), arguments.quick)
    measures = {name: measurement.measures for name, measurement in SECTIONS.items()}
    for sentence in warnings(PAGE.read_text(), measures):
        print(f"docs/benchmarks.md: {sentence}", file=sys.stderr)


def measure(names: list[str], quick: bool) -> None:
    """Print each section, and put it in the place of the page's."""
    with sets() as images:
        real = all(each.real for each in images)
        for name in names:
            print(f"measuring: {name}", file=sys.stderr)
            section = SECTIONS[name].section(images, quick)
            print(section)
            if not quick:
                PAGE.write_text(updated(PAGE.read_text(), section, here(name, real)))


if __name__ == "__main__":
    main()
