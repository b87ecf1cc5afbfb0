"""Run directories -> one HTML file that holds all it shows and fetches nothing."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agon.errors import RunError, require
from agon.reports import battles, curves, distributions, images, measured, points, scores, settings, summary
from agon.reports.reading import View, read
from agon.runs import Directory, Run, write_atomically, writing
from agon.runs.layout import REPORT
from agon.untrusted import kind_of, printable

ROOM = Path(__file__).parent  # template.html, style.css and curves.js lie beside this file


def write(runs: Sequence[Run | Path | str], out: Path | str) -> Path:
    """Draw one page of one run, or of several beside each other.

    The page is complete or not there: it is written under another name and then renamed. It
    needs no network, and its own policy forbids a browser to use one.

    Args:
        runs: the runs, or their directories; they are only read.
        out: the file to write, replaced if it exists; or an existing folder, for `report.html` in it.

    Returns:
        The file that was written.

    Raises:
        RunError: a run cannot be read, or the page cannot be written.
        NotInstalledError: agon's extra for reports is not installed.
    """
    require("jinja2", "markupsafe", "matplotlib", "plotly")
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    page = render(read(paths))
    file = _place(paths, Path(out))
    kind = kind_of(file)
    if kind is not None:
        raise RunError(f"{file} is {kind}; expected the name of a new file, or of a page to replace")
    advice = "name a file in a folder you may write to, with --out FILE"
    write_atomically(file, page.encode("utf-8", "replace"), instead=advice)  # JSON can hold half a character
    return file


def _place(runs: Sequence[Path], out: Path) -> Path:
    """Where the page is written: in a run, a regular file of its own; elsewhere, where the user says."""
    shown = {run.resolve() for run in runs}
    inside = out.parent.resolve() in shown  # what stands there may lead elsewhere
    file = out / REPORT if out.is_dir() and not inside else out
    if file.parent.resolve() in shown:
        with writing(file):
            Directory(file.parent).check(file.name)
    return file


def render(views: Sequence[View]) -> str:
    """The page as text; the same runs give the same page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(ROOM),
        autoescape=True,  # names and settings are whatever a run directory says
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html").render(_contents(views))


def _shown(value: Any) -> Any:
    """What a template shows: text without control characters, save where it is ours."""
    return printable(value) if type(value) is str else value


def _contents(views: Sequence[View]) -> dict[str, Any]:
    figures, drawn = curves.figures(views), distributions.figures(views)
    scripts = _scripts() if figures or drawn else []
    return {
        "title": summary.title(views),
        "summaries": [summary.summary(index, view) for index, view in enumerate(views)],
        "several": len(views) > 1,
        "bare": [view.name for view in views if not summary.generates(view)],
        "scores": scores.table(views),
        "images": images.beside(views),
        "evolutions": images.evolutions(views),
        "points": points.beside(views),
        "undrawn": points.undrawn(views),
        "stories": points.stories(views),
        "battles": battles.rows(views),
        "errors": battles.errors(views),
        "measured": measured.pictures(views),
        "distributions": drawn,
        "figures": figures,
        "drawing": [
            {"traces": figure.traces, "logarithmic": figure.logarithmic, "axis": figure.axis}
            for figure in (*figures, *drawn)
        ],
        "experiment": settings.rows([view.experiment for view in views]),
        "arithmetic": settings.rows([view.compute for view in views]),
        "style": _embedded((ROOM / "style.css").read_text(encoding="utf-8")),
        "scripts": list(map(_embedded, scripts)),
        "hashes": list(map(_hash, scripts)),
    }


def _scripts() -> list[str]:
    """plotly's own code, and the few lines that call it."""
    from plotly.offline import get_plotlyjs

    return [get_plotlyjs(), (ROOM / "curves.js").read_text(encoding="utf-8")]


def _hash(script: str) -> str:
    """What the page's policy names a script by: no other script will run, whatever a setting says."""
    return "'sha256-" + b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii") + "'"


def _embedded(ours: str) -> Any:
    """A text of our own or plotly's, not a run's, that goes into the page as it is."""
    from markupsafe import Markup

    return Markup(ours)
