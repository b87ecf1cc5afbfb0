"""Train the patients of tests/diagnosis, and write what the diagnosis says of them into docs/diagnosis.md.

    python -m tools.hospital [--seeds 10 11 12 13 14] [--patients NAME...] [--again] [--jobs 2] [--on ray]
    python -m tools.hospital --treat [--seeds 10 11]

The first writes docs/hospital.json and the table of the hospital, the second docs/prescriptions.json and that of the
remedies. A training that is there already is not repeated, unless `--again` is given.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agon.jobs import PROCESSES, Place
from tests.diagnosis import prescriptions, ward
from tools.answers import answered

PAGE = Path("docs/diagnosis.md")
HOSPITAL, PRESCRIPTIONS = Path("docs/hospital.json"), Path("docs/prescriptions.json")


def marked(text: str, name: str, lines: Sequence[str]) -> str:
    """A page with the lines between the two marks of a name replaced."""
    begin, end = f"<!-- {name}: python -m tools.hospital -->\n", f"<!-- end of {name} -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after


def read(path: Path) -> dict[str, Any]:
    """What a file holds; nothing if there is none."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return content


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file, and the page anew."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def page(text: str) -> str:
    """The page with both tables."""
    text = marked(text, "hospital", ward.table(ward.census(read(HOSPITAL))))
    return marked(text, "prescriptions", prescriptions.table(read(PRESCRIPTIONS)))


def visit(patients: Sequence[str], seeds: Sequence[int], folder: Path, jobs: int, on: Place) -> None:
    """Train and diagnose, each training by a job, and write what was found of each patient."""
    found, answers = read(HOSPITAL), answered(ward.seen, patients, seeds, folder, jobs, on)
    for name in patients:
        rows = {str(seed): answers[name, seed] for seed in seeds}
        found = {known: rows if known == name else found[known] for known in ward.PATIENTS if known in {*found, name}}
        write(HOSPITAL, found)
        print(name, rows, flush=True)


def treat(patients: Sequence[str], seeds: Sequence[int], folder: Path, jobs: int, on: Place) -> None:
    """Try each remedy, those of each training by a job, and write what came of them for each patient."""
    found, answers = read(PRESCRIPTIONS), answered(prescriptions.treated_seed, patients, seeds, folder, jobs, on)
    for name in patients:
        found |= {name: prescriptions.together([answers[name, seed] for seed in seeds])}
        write(PRESCRIPTIONS, {known: found[known] for known in prescriptions.TREATED if known in found})
        print(name, found[name], flush=True)


def main() -> None:
    """Visit all patients, or treat those that are treated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--treat", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=None)
    parser.add_argument("--patients", nargs="+", default=None)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "agon-hospital")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--on", default=PROCESSES)
    asked = parser.parse_args()
    if asked.again:
        shutil.rmtree(asked.out, ignore_errors=True)
    if asked.treat:
        treated = asked.patients or list(prescriptions.TREATED)
        treat(treated, asked.seeds or prescriptions.SEEDS, asked.out, asked.jobs, asked.on)
    else:
        visit(asked.patients or list(ward.PATIENTS), asked.seeds or ward.JUDGED, asked.out, asked.jobs, asked.on)


if __name__ == "__main__":
    main()
