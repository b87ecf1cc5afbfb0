"""A page from its template: escaped, self-contained, and written where a regular file may be."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.runs import Directory, write_atomically, writing
from agon.runs.layout import REPORT
from agon.untrusted import kind_of, printable

ROOM = Path(__file__).parent  # has the templates, styles and scripts


def rendered(template: str, contents: Mapping[str, Any], styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return a page as text; the same contents give the same page.

    Args:
        template: its file in this folder.
        contents: what the template shows; texts are escaped, since names and settings come from folders.
        styles: files in this folder.
        scripts: files in this folder; the page's content security policy allows these and no others.
    """
    codes = [(ROOM / name).read_text(encoding="utf-8") for name in scripts]
    own = {
        "style": embedded("".join((ROOM / name).read_text(encoding="utf-8") for name in styles)),
        "scripts": list(map(embedded, codes)),
        "hashes": list(map(_hash, codes)),
    }
    page: str = _environment().get_template(template).render({**contents, **own})
    return page


@cache
def _environment() -> Any:
    """Jinja with the templates of this folder, each compiled once in a process."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(ROOM),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def embedded(text: str) -> Any:
    """Mark a text of agon, never of a run, as safe to insert unescaped."""
    from markupsafe import Markup

    return Markup(text)


def saved(page: str, file: Path) -> Path:
    """Write a page atomically, and return its path.

    Raises:
        RunError: a folder or a device has that name, or it cannot be written.
    """
    kind = kind_of(file)
    if kind is not None:
        raise RunError(f"{file} is {kind}; expected the name of a new file, or of a page to replace")
    advice = "name a file in a folder you may write to, with --out FILE"
    write_atomically(file, page.encode("utf-8", "replace"), instead=advice)  # JSON can hold half a character
    return file


def page_path(shown: Sequence[Path], out: Path) -> Path:
    """Return the path of a page about folders; inside one of them, it must be a regular file."""
    folders = {folder.resolve() for folder in shown}
    inside = out.parent.resolve() in folders  # whose files may be links
    file = out / REPORT if out.is_dir() and not inside else out
    if file.parent.resolve() in folders:
        with writing(file):
            Directory(file.parent).check(file.name)
    return file


def _printable(value: Any) -> Any:
    """Escape control characters in the texts of runs."""
    return printable(value) if type(value) is str else value


def _hash(script: str) -> str:
    """Return the hash by which the content security policy allows a script; a browser runs no other."""
    return "'sha256-" + b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii") + "'"
