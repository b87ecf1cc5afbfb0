"""python -m benchmarks [--quick] [--only SECTION ... [--update]]: measure, and write docs/benchmarks.md."""

import argparse
import sys
from collections.abc import Callable

from benchmarks import (
    compiled,
    distances,
    families,
    memory,
    reconstruction,
    report,
    seeds,
    start,
    step,
    stream,
    unrolled,
)
from benchmarks.report import Section
from benchmarks.sets import Set, sets

SECTIONS: dict[str, Callable[[list[Set], bool], Section]] = {
    "step": step.section,
    "families": families.section,
    "stream": stream.section,
    "memory": memory.section,
    "start": lambda _, quick: start.section(quick),
    "compiled": compiled.section,
    "unrolled": lambda _, quick: unrolled.against_others(quick),
    "unrolled-k": lambda _, quick: unrolled.against_steps(quick),
    "unrolled-memory": lambda _, quick: unrolled.memory(),
    "seeds": lambda _, quick: seeds.section(quick),
    "neighbours": distances.neighbours,
    "prdc": distances.manifolds,
    "reconstruction": reconstruction.section,
}


def main() -> None:
    """Everything goes to the page; a choice of sections only to the screen."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions: whether it works, not how fast it is")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="print these sections, and write nothing")
    parser.add_argument("--update", action="store_true", help="with --only: put them in the place of the page's")
    asked = parser.parse_args()
    done = []
    with sets() as found:
        for name in asked.only or SECTIONS:
            print(f"measuring: {name}", file=sys.stderr)
            done.append(SECTIONS[name](found, asked.quick))
            print(done[-1])
    if asked.only and asked.update:
        report.PAGE.write_text(report.updated(report.PAGE.read_text(), done))
    if not asked.only:
        command = "python -m benchmarks" + (" --quick" if asked.quick else "")
        report.PAGE.write_text(report.page(done, command, real=all(each.real for each in found)))
        print(f"written: {report.PAGE}")


if __name__ == "__main__":
    main()
