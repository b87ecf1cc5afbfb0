"""Links of README.md and docs/ lead somewhere, every page is in the navigation, and the API pages name what exists."""

import importlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agon.papers import ITEMS
from agon.papers.verdicts import VERDICTS
from tests.test_rooms import ORDER

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"\]\[(agon[\w.]*)\]|\[`(agon[\w.]*)`\]\[\]")
TITLE = re.compile(r"^#+ +(.*)$", re.MULTILINE)
DIRECTIVE = re.compile(r"^::: (\S+)$", re.MULTILINE)
UNDOCUMENTED = {"untrusted", "terminal", "__main__", "cli"}  # rooms that no one imports from outside


def anchors(page: Path) -> set[str]:
    """The anchors of a page's titles, as GitHub and the site make them."""
    titles = TITLE.findall(FENCED.sub("", page.read_text()))
    words = (re.sub(r"[^\w\s-]", "", title).strip().lower() for title in titles)
    return {re.sub(r"[-\s]+", "-", title) for title in words}


def broken(page: Path, text: str) -> Iterator[str]:
    """The relative links of a page that lead nowhere."""
    for link in LINK.findall(CODE.sub("``", FENCED.sub("", text))):
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if re.match(r"[a-z]+:", link):
            continue
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path) -> None:
    assert list(broken(page, page.read_text())) == []


def test_a_broken_link_is_caught() -> None:
    """The negative control: a missing page, a missing title, and four links that are right or no link."""
    text = (
        "[a](nowhere.md) [b](docs/runs.md#nowhere) [c](docs/runs.md#resuming) [d](https://x.org) `[e](f.md)` [g](#agon)"
    )
    assert list(broken(ROOT / "README.md", text)) == ["nowhere.md", "docs/runs.md#nowhere"]


def test_every_page_is_in_the_navigation_once() -> None:
    _, _, navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")
    listed = Counter(re.findall(r"[\w./-]+\.md", navigation))
    assert listed == Counter(page.relative_to(DOCS).as_posix() for page in PAGES if page.is_relative_to(DOCS))


def test_api_pages_name_what_can_be_imported() -> None:
    for name in directives():
        assert found(name), name
    text = (DOCS / "api/index.md").read_text()
    for written, short in REFERENCE.findall(text):
        assert found(written or short), written or short
    assert not found("agon.nowhere")


def test_every_room_has_an_api_page() -> None:
    rooms = {room for rooms in ORDER for room in rooms} - UNDOCUMENTED
    assert rooms == {name.split(".")[1] for name in directives()}
    text = (DOCS / "api/index.md").read_text()
    assert rooms == set(re.findall(r"^\| \[`(\w+)`\]\(\1\.md\)", text, re.MULTILINE))


def directives() -> list[str]:
    """The modules and functions whose docstrings the API pages show."""
    return [name for page in sorted((DOCS / "api").glob("*.md")) for name in DIRECTIVE.findall(page.read_text())]


def found(name: str) -> bool:
    """Whether a dotted name can be imported, also where a function hides the module of its name."""
    module, _, member = name.rpartition(".")
    try:
        return not module or hasattr(importlib.import_module(module), member) or bool(importlib.import_module(name))
    except ImportError:
        return False


def test_the_readme_counts_verdicts_as_the_overview_does() -> None:
    """What it says of counts, such as "51 held", is the last line of the overview's first table."""
    overview = (DOCS / "recipes/index.md").read_text()
    head, total = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\| (?:paper|all) \|.*$", overview, re.MULTILINE)
    )
    counts = dict(zip(head, total, strict=True))
    text = " ".join((ROOT / "README.md").read_text().split())
    assert f"{len(ITEMS)} tables and figures" in text
    told = re.findall(rf"(\d+) (?:claims )?({'|'.join(VERDICTS)}|by eye)\b", text)
    assert [(count, word) for count, word in told if counts[word] != count] == []
