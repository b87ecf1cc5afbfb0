"""docs/benchmarks.md: what was measured, where, and by which command."""

import platform
import re
import subprocess
from collections.abc import Sequence
from os import cpu_count, getloadavg
from pathlib import Path
from typing import NamedTuple

import torch

from agon import __version__

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


class Section(NamedTuple):
    """One part of the page.

    Attributes:
        title: its heading.
        text: how it was measured, and the bound.
        table: in Markdown.
    """

    title: str
    text: str
    table: str

    def __str__(self) -> str:
        return f"## {self.title}\n\n{self.text}\n\n{self.table}\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(sections: Sequence[Section], command: str, real: bool) -> str:
    """The whole page."""
    data = "real images (CIFAR-10, MNIST)" if real else "random bytes in the shapes of CIFAR-10 and MNIST"
    head = f"# Benchmarks\n\nWritten by `{command}`; numbers in bold have a bound. Data: {data}.\n\n{machine()}"
    return "\n".join([head, *map(str, sections)])


def updated(text: str, sections: Sequence[Section]) -> str:
    """The page with these sections anew, and the others as they were."""
    head, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    kept = {part.splitlines()[0]: part for part in parts}
    kept |= {f"## {each.title}": f"{each}\n" for each in sections}
    return head + "".join(f"{part.rstrip()}\n\n" for part in kept.values()).rstrip() + "\n"


def machine() -> str:
    """Where it was measured, and how busy it was beside us."""
    rows = [
        ("processor", f"{_processor()}, {cpu_count()} cores"),
        ("load before", f"{LOAD:.2f}"),
        ("GPU", torch.cuda.get_device_name() if torch.cuda.is_available() else "none"),
        ("versions", f"agon {__version__}, torch {torch.__version__}, Python {platform.python_version()}"),
        ("system", platform.platform()),
    ]
    return table(("", ""), rows) + "\n"


def _processor() -> str:
    found = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    facts = dict(line.split(":", 1) for line in found.splitlines() if ":" in line)
    names = [facts.get(key, "").strip() for key in ("Model name", "Model")]
    return f"{names[0]} (model {names[1]})" if names[0] else platform.processor()


LOAD = getloadavg()[0]  # at import: before we add our own
