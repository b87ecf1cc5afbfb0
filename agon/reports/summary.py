"""A run in one line: its players, data, progress, and the command that continues it."""

import shlex
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from agon.figures.colours import colour
from agon.figures.numbers import number
from agon.games import GAMES
from agon.reports.reading import View
from agon.reports.settings import IMPORTED, KIND, kind

PLAYERS = (  # names of the parts of a game that hold weights
    *("generator", "critic", "encoder", "decoder", "autoregressor"),
    *("patch", "autoencoder", "painter", "classifier", "network"),
)


class Summary(NamedTuple):
    """One run's line.

    Attributes:
        name: name of the run.
        colour: colour of the run.
        facts: short phrases, shown side by side.
        state: a sentence that says whether all steps are done.
        command: the command that continues the run.
    """

    name: str
    colour: str
    facts: list[str]
    state: str
    command: str


def summary(index: int, view: View) -> Summary:
    """Return the summary of the run with this index on the page."""
    return Summary(view.name, colour(index), _facts(view), *_continued(view))


def _continued(view: View) -> tuple[str, str]:
    """A sentence that says what became of the training, and the command that carries it on."""
    steps, planned, path = _steps_done(view), _steps_planned(view), shlex.quote(str(view.path))
    if view.published:
        command = f"agon train {path} --init {path} --out NEW"
        return "It was published with its weights alone. To begin a training with them:", command
    if planned is not None and steps is not None and steps >= planned:
        more = 2 * planned if planned else 1
        return "It has made all its steps. To train on, give it more:", f"agon resume {path} --steps {more}"
    if (end := view.alarms.end) is not None:
        return f"It ended at step {end.step:,}: {end.sentence}. What to try:", f"agon diagnose {path}"
    state = "It has logged no step yet. To start it:" if steps is None else "It can go on from its last checkpoint:"
    return state, f"agon resume {path}"


def title(views: Sequence[View]) -> str:
    """Return the title of the page: the run's name, or the number of runs."""
    return views[0].name if len(views) == 1 else f"{len(views)} runs compared"


def evaluation(views: Sequence[View]) -> str:
    """Return the command that scores the runs."""
    return f"agon evaluate {' '.join(shlex.quote(str(view.path)) for view in views)}"


def generates(view: View) -> bool:
    """Whether the run's game generates samples, which is assumed of unknown games."""
    game = view.experiment.get("game")
    known = GAMES.get(kind(game)) if isinstance(game, dict) else None
    return bool(getattr(known, "generating_players", True))


def _facts(view: View) -> list[str]:
    facts = [view.experiment["recipe"]] if isinstance(view.experiment.get("recipe"), str) else []
    facts += [fact for fact in (_players(view.experiment.get("game")), _named(view.experiment, "data")) if fact]
    steps, planned = _steps_done(view), _steps_planned(view)
    if planned is not None:
        facts.append(f"{number(steps or 0)} of {number(planned)} steps")
    elif steps is not None:
        facts.append(f"{number(steps)} steps")
    last = view.log[-1] if view.log else {}
    if "images" in last:
        facts.append(f"{number(last['images'])} images")
    if "wall/seconds" in last:
        facts.append(_duration(last["wall/seconds"]))
    if rates := [record["wall/images_per_second"] for record in view.log if "wall/images_per_second" in record]:
        facts.append(f"{number(median(rates), 3)} images per second")
    if "averaging" in view.experiment and generates(view) and view.samples:
        facts.append(_weights(view.experiment["averaging"]))
    return facts


def _duration(seconds: float) -> str:
    """Return a time as text.

    >>> _duration(8.51), _duration(754.0), _duration(86400.0)
    ('8.51 s', '12.6 min', '24 h')
    """
    if not seconds >= 100:
        return f"{number(seconds, 3)} s"
    return f"{number(seconds / 60, 3)} min" if seconds < 6000 else f"{number(seconds / 3600, 3)} h"


def _weights(averaging: Any) -> str:
    """Say which weights the samples of a run are made by."""
    if not isinstance(averaging, dict):
        return "samples by the live weights"
    return f"samples by averaged weights (decay {averaging.get('decay')})"


def _players(game: Any) -> str:
    if not isinstance(game, dict):
        return ""
    parts = [kind(game[name]) for name in PLAYERS if isinstance(game.get(name), dict)]
    return f"{kind(game)}: {', '.join(parts)}" if parts else kind(game)


def _named(experiment: dict[str, Any], key: str) -> str:
    """Return the class of an object with the first text in it: `Images digits`."""
    part = experiment.get(key)
    if not isinstance(part, dict):
        return str(part or "")
    texts = [text for name, text in part.items() if isinstance(text, str) and name not in (KIND, IMPORTED, "sha256")]
    return " ".join([kind(part), *texts[:1]])


def _steps_done(view: View) -> int | None:
    return int(view.log[-1]["step"]) if view.log else None


def _steps_planned(view: View) -> int | None:
    steps = view.experiment.get("steps")
    return steps if isinstance(steps, int) else None
