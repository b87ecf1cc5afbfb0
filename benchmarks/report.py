"""docs/benchmarks.md: what was measured, a section each, under a line that says when and where."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.provenance import Provenance

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


def shown(row: tuple[str, ...]) -> tuple[str, ...]:
    """A row, which is said at once: a section takes minutes."""
    print(*filter(None, row), file=sys.stderr, flush=True)
    return row


def updated(page: str, section: Section, provenance: Provenance) -> str:
    """The page with this section anew, and the others as they were."""
    head, *parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    by_heading = {part.splitlines()[0]: part for part in parts}
    by_heading[f"## {section.title}"] = str(section._replace(text=f"{provenance}\n\n{section.text}"))
    return head + "\n\n".join(part.rstrip() for part in by_heading.values()) + "\n"
