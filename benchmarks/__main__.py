"""python -m benchmarks [SECTION ...] [--quick | --check]: measure, and write these sections of docs/benchmarks.md."""

import argparse
import sys
import time
import traceback
from collections.abc import Mapping, Sequence

from benchmarks.provenance import here, took, warnings
from benchmarks.report import PAGE, Section, updated
from benchmarks.sections import SECTIONS
from benchmarks.sets import Set, sets


def main() -> None:
    """Each section is written when it is measured; those that failed or are older than their code are named at the end.

    A section that fails does not keep the others from being measured; the exit status is then 1.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"all of them, or some of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions, and nothing is written: does it work?")
    parser.add_argument(
        "--check", action="store_true", help="measure nothing: name the sections older than their code, and their times"
    )
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.sections if name not in SECTIONS]:
        parser.error(f"expected some of {', '.join(SECTIONS)}, got {', '.join(unknown)}")
    failed = {} if arguments.check else measure(arguments.sections or list(SECTIONS), arguments.quick)
    page, measures = PAGE.read_text(), {name: measurement.measures for name, measurement in SECTIONS.items()}
    for sentence in warnings(page, measures):
        print(f"docs/benchmarks.md: {sentence}", file=sys.stderr)
    for sentence in took(page, {name: measurement.share for name, measurement in SECTIONS.items()}):
        print(f"docs/benchmarks.md: {sentence}")
    for name, why in failed.items():
        print(f"failed: {name}: {why}", file=sys.stderr)
    sys.exit(1 if failed else 0)


def measure(names: Sequence[str], quick: bool) -> Mapping[str, str]:
    """Print each section, and put it in the place of the page's.

    Returns:
        Name of each section that failed -> why.
    """
    failed = {}
    with sets() as images:
        for name in names:
            try:
                _measured(name, images, quick)
            except (Exception, SystemExit) as error:  # the others are measured in spite of it
                traceback.print_exception(error)
                failed[name] = reason(error)
    return failed


def _measured(name: str, images: list[Set], quick: bool) -> None:
    """Print one section and its time, and write it unless it is quick."""
    print(f"measuring: {name}", file=sys.stderr)
    began, share = time.perf_counter(), SECTIONS[name].share
    section: Section = SECTIONS[name].section(images, quick)
    seconds = time.perf_counter() - began
    print(section)
    print(f"measured: {name} in {seconds:.0f} s" + ("" if quick else f" (share: {share} s)"), file=sys.stderr)
    if not quick:
        real = all(each.real for each in images)
        PAGE.write_text(updated(PAGE.read_text(), section, here(name, real, seconds)))


def reason(error: BaseException) -> str:
    """An error in one line; of a process that failed, also the last line of what it said."""
    said = getattr(error, "stderr", None) or ""
    lines = (said.decode(errors="replace") if isinstance(said, bytes) else str(said)).strip().splitlines()
    first = f"{type(error).__name__}: {error}".splitlines()[0]
    return "; ".join([first, *lines[-1:]])


if __name__ == "__main__":
    main()
