"""When, at which revision and on which machine a section was measured, and whether its code has changed since."""

import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from os import cpu_count, getloadavg
from pathlib import Path
from typing import NamedTuple

import torch

from agon import __version__

ROOT = Path(__file__).parents[1]
LOAD = getloadavg()[0]  # at import: before we add our own
FACTS = ":(exclude)agon/recipes/*.json"  # minutes that were measured: no code
LINE = re.compile(
    r"^Measured on (\S+) at revision `(\w+)` by `python -m benchmarks (\S+)`(?: in (\d+) s)?: (.+)\.$", re.MULTILINE
)


class Provenance(NamedTuple):
    """The first line of a section.

    Attributes:
        day: as 2026-11-22.
        revision: the commit that was checked out, abbreviated.
        name: of the section, on the command line.
        machine: processor, cores, versions.
        seconds: wall time of the whole section; None in lines of before it was noted.
    """

    day: str
    revision: str
    name: str
    machine: str
    seconds: int | None = None

    def __str__(self) -> str:
        day, revision, name, machine, seconds = self
        took = "" if seconds is None else f" in {seconds} s"
        return f"Measured on {day} at revision `{revision}` by `python -m benchmarks {name}`{took}: {machine}."

    @classmethod
    def of(cls, line: re.Match[str]) -> "Provenance":
        """What a line of the page says."""
        day, revision, name, seconds, machine = line.groups()
        return cls(day, revision, name, machine, None if seconds is None else int(seconds))


def here(name: str, real: bool, seconds: float | None = None) -> Provenance:
    """What the first line says of a section that is measured now."""
    images = "" if real else "; random bytes in the place of real images"
    day, revision = f"{datetime.now(UTC):%Y-%m-%d}", git(ROOT, "rev-parse", "--short", "HEAD")
    return Provenance(day, revision, name, machine() + images, None if seconds is None else round(seconds))


def machine() -> str:
    """Processor, cores, GPU, how busy it was beside us, and versions."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = f"agon {__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    return f"{_processor()}, {cpu_count()} cores, {gpu}, load before {LOAD:.2f}; {versions}"


def warnings(page: str, measures: Mapping[str, Sequence[str]], root: Path = ROOT) -> Iterator[str]:
    """A sentence for each section of a page that is older than its code, or missing.

    Args:
        page: the text of docs/benchmarks.md.
        measures: for each section's name the paths, relative to the root, of the code that it measures.
        root: of the git repository.
    """
    measured = provenances(page)
    for name, paths in measures.items():
        if name not in measured:
            yield f"the section {name!r} was never measured: python -m benchmarks {name}"
        elif change := change_since(measured[name].revision, paths, root):
            day, revision = measured[name].day, measured[name].revision
            yield (
                f"the section {name!r} was measured on {day} at revision {revision}, before {change}: "
                f"python -m benchmarks {name}"
            )


def took(page: str, shares: Mapping[str, int]) -> Iterator[str]:
    """How long the whole page took, and which sections took more than their share.

    Args:
        page: the text of docs/benchmarks.md.
        shares: seconds that each section may take on two quiet cores.
    """
    measured = provenances(page)
    known = {name: one.seconds for name in shares if (one := measured.get(name)) and one.seconds is not None}
    missing = [name for name in shares if name not in known]
    without = f"; without a time: {', '.join(missing)}" if missing else ""
    whole, planned = (f"{sum(seconds.values()) / 60:.1f} min" for seconds in (known, shares))
    yield f"{len(known)} of {len(shares)} sections took {whole} in all (all shares: {planned}){without}"
    for name, seconds in known.items():
        if seconds > shares[name]:
            yield f"the section {name!r} took {seconds} s; its share is {shares[name]} s"


def provenances(page: str) -> dict[str, Provenance]:
    """Name of each section of a page -> its first line."""
    return {line[3]: Provenance.of(line) for line in LINE.finditer(page)}


def change_since(revision: str, paths: Sequence[str], root: Path) -> str:
    """The newest change of any of the paths after a revision, in words; "" if there is none."""
    paths = (*paths, FACTS)
    try:
        newest = git(root, "log", "-1", "--format=%h of %cs", f"{revision}..HEAD", "--", *paths)
        edited = git(root, "status", "--porcelain", "--", *paths)
    except subprocess.CalledProcessError:
        return "the history that this repository has"
    if edited:
        return f"the uncommitted change of {edited.split()[-1]}"
    return newest and f"the newest change of its code, {newest}"


def git(root: Path, *arguments: str) -> str:
    """What a git command prints."""
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _processor() -> str:
    lines = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout.splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    names = [facts.get(key, "").strip() for key in ("Model name", "Model")]
    return f"{names[0]} (model {names[1]})" if names[0] else platform.processor()
