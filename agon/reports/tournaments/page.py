"""Assemble the page of a tournament."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agon.arena.ratings.rating import Rating
from agon.arena.tournaments.standings import TournamentResult
from agon.errors import RunError, require
from agon.reports.pages import embedded, rendered
from agon.reports.tournaments import heat, words
from agon.reports.tournaments.comparisons import Compared, comparison
from agon.reports.tournaments.dots import Dots, dots
from agon.reports.tournaments.picture import whisker
from agon.reports.tournaments.reading import read_result
from agon.reports.tournaments.samples import grids
from agon.reports.tournaments.skills import skills


class Side(NamedTuple):
    """The ratings of one side: its name, which colours it, and the plot."""

    role: str
    title: str
    plot: Dots


class Fact(NamedTuple):
    """A setting of the protocol, or a place."""

    name: str
    value: str


def page(paths: Sequence[Path]) -> str:
    """Return the page of a tournament, of comparisons, or of both, as text.

    Args:
        paths: the folder of a tournament at most, and JSON files of comparisons.

    Raises:
        RunError: one of them cannot be read.
        NotInstalledError: the extra for reports is not installed.
    """
    require("jinja2", "markupsafe")
    folders = [path for path in paths if path.suffix != ".json"]
    if len(folders) > 1:
        raise RunError(
            f"a report: expected one tournament at a time, got {len(folders)} folders; report each by itself"
        )
    compared = [comparison(path) for path in paths if path.suffix == ".json"]
    contents = _of_tournament(folders[0], read_result(folders[0])) if folders else _of_none(compared)
    figures = contents["figures"]
    drawing = [{"traces": it.traces, "logarithmic": it.logarithmic, "axis": it.axis, "spaced": "log"} for it in figures]
    scripts = ["cells.js", *(["curves.js"] if figures else [])]
    whole = {**contents, "compared": compared, "drawing": drawing}
    return rendered("tournament.html", whole, ["style.css", "tournament.css"], scripts)


def _of_none(compared: Sequence[Compared]) -> dict[str, Any]:
    """The contents of a page of comparisons alone."""
    title = compared[0].title if len(compared) == 1 else f"{len(compared)} comparisons"
    return {"title": title, "facts": [], "verdicts": [], "shades": "", "matrix": None, "figures": []}


def _of_tournament(place: Path, result: TournamentResult) -> dict[str, Any]:
    matrix, ratings = result.matrix, result.ratings
    return {
        "title": words.title(result),
        "facts": words.facts(result),
        "verdicts": words.verdicts(result),
        "shades": embedded(heat.style()),
        "levels": range(heat.LEVELS + 1),
        "matrix": heat.contestants_map(matrix, ratings),
        "entrants": heat.entrants_map(matrix, ratings),
        "missing": heat.MISSING,
        "sides": _sides(result),
        "covers": words.covers([*ratings.generators, *ratings.critics]),
        "home": words.home(ratings),
        "unexplained": words.unexplained(ratings),
        "share": round(100 * min(max(ratings.unexplained, 0.0), 1.0), 1),
        "cycles": words.cycles(ratings),
        "figures": skills(result),
        "grids": grids(place, result),
        "left_out": [Fact(str(name), str(reason)) for name, reason in result.left_out.items()],
        "protocol": _facts(result.protocol),
        "places": _facts({name: path or "held-out real data" for name, path in result.places.items()}),
    }


def _sides(result: TournamentResult) -> list[Side]:
    references = words.references(result)
    sides = []
    given = (
        ("generator", "Generators: rating g", result.ratings.generators),
        ("critic", "Critics: rating d", result.ratings.critics),
    )
    shared = [whisker(rating) for _, _, ratings in given for rating in ratings]
    for role, title, ratings in given:
        if ratings:
            rows = [whisker(rating) for rating in ratings]
            sides.append(Side(role, title, dots(rows, shared, [_note(rating, references) for rating in ratings])))
    return sides


def _note(rating: Rating, references: Mapping[str, str]) -> str:
    return references.get(rating.name, f"{rating.seeds} seeds" if rating.seeds > 1 else "1 training")


def _facts(values: Mapping[str, Any]) -> list[Fact]:
    return [Fact(str(name), value if isinstance(value, str) else json.dumps(value)) for name, value in values.items()]
