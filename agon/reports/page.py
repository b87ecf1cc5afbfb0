"""The page of runs, of a sweep, or of tournaments, from everything that is drawn in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agon.reports import (
    battles,
    comparison,
    curves,
    distributions,
    findings,
    images,
    measured,
    points,
    scores,
    settings,
    skills,
    summary,
    tournaments,
)
from agon.reports.pages import page_path, rendered, saved
from agon.reports.reading import View, read
from agon.reports.sweeps.page import is_sweep
from agon.reports.sweeps.page import page as sweep_page
from agon.runs.entered import is_arena
from agon.runs.layout import REPORT


def written(paths: Sequence[Path], out: Path | None, diagnosed: bool, trust: bool) -> Path:
    """Write the page of run directories or other folders, as `agon.reports.write` does."""
    if is_sweep(paths):
        page = sweep_page(paths[0])
    else:
        page = tournaments.page(paths) if is_arena(paths) else render(_views(paths, diagnosed, trust))
    folders = [path for path in paths if path.suffix != ".json"] or [paths[0].parent]
    return saved(page, page_path(folders, folders[0] / REPORT if out is None else out))


def _views(paths: Sequence[Path], diagnosed: bool, trust: bool) -> list[View]:
    views = read(paths)
    return [findings.diagnosed(view, trust) for view in views] if diagnosed else views


def render(views: Sequence[View]) -> str:
    """Return the page as text; the same runs give the same page."""
    contents = _contents(views)
    scripts = ["curves.js"] if contents["figures"] or contents["distributions"] else []
    return rendered("template.html", contents, ["style.css"], scripts)


def _contents(views: Sequence[View]) -> dict[str, Any]:
    log_figures = [*curves.figures(views), *skills.figures(views)]
    score_figures = distributions.figures(views)
    experiment = settings.rows([view.experiment for view in views])
    alarms = findings.found(views)
    losses = next((i for i, figure in enumerate(log_figures) if figure.title == curves.GROUPS["loss"]), 0)
    marks = {losses: findings.marks(alarms, len(views) > 1)} if log_figures else {}
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
            {"traces": f.traces, "logarithmic": f.logarithmic, "axis": f.axis, "marks": marks.get(index, [])}
            for index, f in enumerate((*log_figures, *score_figures))
        ],
        "findings": alarms,
        "lookout": findings.lookout(views),
        "experiment": experiment,
        "arithmetic": settings.rows([view.compute for view in views]),
    }
