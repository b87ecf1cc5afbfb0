"""Draw run directories as one self-contained HTML page."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agon.errors import RunError, require
from agon.reports import (
    battles,
    comparison,
    curves,
    distributions,
    images,
    measured,
    points,
    scores,
    settings,
    summary,
)
from agon.reports.reading import View, read
from agon.runs import Directory, Run, write_atomically, writing
from agon.runs.layout import REPORT
from agon.untrusted import kind_of, printable

ROOM = Path(__file__).parent  # has template.html, style.css and curves.js


def write(runs: Run | Path | str | Sequence[Run | Path | str], out: Path | str | None = None) -> Path:
    """Write one page about one run, or several side by side.

    The page is written atomically. It needs no network, and its content security policy forbids a browser to use one.

    Args:
        runs: a run or its directory, or several; they are only read.
        out: the file to write, replaced if it exists; or an existing folder, in which `report.html` is written. By
            default the directory of the first run.

    Returns:
        The file that was written.

    Raises:
        RunError: a run cannot be read, or the page cannot be written.
        NotInstalledError: the extra for reports is not installed.
    """
    require("jinja2", "markupsafe")
    runs = [runs] if isinstance(runs, Run | Path | str) else runs
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    page = render(read(paths))
    file = _page_path(paths, paths[0] / REPORT if out is None else Path(out))
    kind = kind_of(file)
    if kind is not None:
        raise RunError(f"{file} is {kind}; expected the name of a new file, or of a page to replace")
    advice = "name a file in a folder you may write to, with --out FILE"
    write_atomically(file, page.encode("utf-8", "replace"), instead=advice)  # JSON can hold half a character
    return file


def _page_path(runs: Sequence[Path], out: Path) -> Path:
    """Return the path of the page; inside a run, it must be a regular file."""
    shown = {run.resolve() for run in runs}
    inside = out.parent.resolve() in shown  # whose files may be links
    file = out / REPORT if out.is_dir() and not inside else out
    if file.parent.resolve() in shown:
        with writing(file):
            Directory(file.parent).check(file.name)
    return file


def render(views: Sequence[View]) -> str:
    """Return the page as text; the same runs give the same page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(ROOM),
        autoescape=True,  # names and settings come from run directories
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html").render(_contents(views))


def _printable(value: Any) -> Any:
    """Escape control characters in the texts of runs."""
    return printable(value) if type(value) is str else value


def _contents(views: Sequence[View]) -> dict[str, Any]:
    log_figures, score_figures = curves.figures(views), distributions.figures(views)
    scripts = [(ROOM / "curves.js").read_text(encoding="utf-8")] if log_figures or score_figures else []
    experiment = settings.rows([view.experiment for view in views])
    return {
        "title": summary.title(views),
        "summaries": [summary.summary(index, view) for index, view in enumerate(views)],
        "several": len(views) > 1,
        "bare": [view.name for view in views if not summary.generates(view)],
        "evaluate": summary.evaluation(views),
        "differs": settings.difference(experiment) if len(views) > 1 else "",
        "compared": comparison.comparison(views),
        "scores": scores.table(views),
        "images": images.beside(views),
        "evolutions": images.evolutions(views),
        "points": points.beside(views),
        "undrawn": points.undrawn(views),
        "stories": points.stories(views),
        "battles": battles.rows(views),
        "errors": battles.errors(views),
        "measured": measured.pictures(views),
        "distributions": score_figures,
        "figures": log_figures,
        "drawing": [
            {"traces": figure.traces, "logarithmic": figure.logarithmic, "axis": figure.axis}
            for figure in (*log_figures, *score_figures)
        ],
        "experiment": experiment,
        "arithmetic": settings.rows([view.compute for view in views]),
        "style": _embedded((ROOM / "style.css").read_text(encoding="utf-8")),
        "scripts": list(map(_embedded, scripts)),
        "hashes": list(map(_hash, scripts)),
    }


def _hash(script: str) -> str:
    """Return the hash by which the content security policy allows a script; a browser runs no other."""
    return "'sha256-" + b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii") + "'"


def _embedded(text: str) -> Any:
    """Mark a text of agon, never of a run, as safe to insert unescaped."""
    from markupsafe import Markup

    return Markup(text)
