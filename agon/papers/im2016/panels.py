"""Tables 1 and 2 by panels: every seed's samples before every seed's critic, by areas under the ROC curve.

A battle of the paper is of one training against one. Its ratios depend on a threshold, and differ from seed to seed by
more than from model to model. An area needs no threshold, and a panel's interval knows the seeds.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from agon.arena import AreaMatrix, Panel, TournamentSettings, panel, tournament
from agon.arena.ratings.meetings import meetings
from agon.arena.ratings.twoway import half_width, seeds_needed, spreads
from agon.papers.im2016.measuring import Pair, there
from agon.papers.item import TrainedRuns
from agon.papers.panel_row import PanelRow
from agon.recipes.scales import Scale

SAMPLES = {"smoke": 30, "quick": 1_000, "paper": 5_000}  # samples of each run


def panel_rows(pairs: Mapping[str, Pair], runs: TrainedRuns, scale: Scale) -> list[PanelRow]:
    """The panel of each pair of trainings: whose generators fool the other's critics more (table 1).

    Args:
        pairs: row -> labels of the first and of the second training.
        runs: label -> its runs.
        scale: of the trainings.
    """
    found, rows = there(pairs, runs), []
    for group in _groups(found.values()):
        matrix = _played({label: runs[label] for label in group}, scale)
        for row, (first, second) in found.items():
            if first in group:
                rows.append(_of_panel(row, panel(matrix, second, first)))
    return [next(row for row in rows if row.row == label) for label in found]


def critic_panel_rows(
    pairs: Mapping[str, Pair], orders: Mapping[str, Pair], runs: TrainedRuns, scale: Scale
) -> list[PanelRow]:
    """Whether a training's critics take another's samples for real, and before whose critics they do so less (table 2).

    The effect of a pair is - mean logit a: above 0, the critics find a sample less real than a real image more often
    than not. That of an order is the first row's less the second's; its interval takes them as independent, though they
    can share generators or critics, and so is rather too wide.

    Args:
        pairs: row -> labels of the critics' training and of the samples'.
        orders: row -> the rows whose critics recognise the samples more and less surely.
        runs: label -> its runs.
        scale: of the trainings.
    """
    matrix = _played(runs, scale)
    found = {
        row: _of_logits(row, _logits(matrix, critics, samples))
        for row, (critics, samples) in there(pairs, runs).items()
    }
    known = {row: order for row, order in orders.items() if set(order) <= found.keys()}
    return [*found.values(), *(_order(row, found[more], found[less]) for row, (more, less) in known.items())]


def _groups(pairs: Iterable[Pair]) -> list[list[str]]:
    """Labels that meet each other, directly or through others; they play one tournament."""
    groups: list[list[str]] = []
    for pair in pairs:
        touched = [group for group in groups if set(group) & set(pair)]
        merged = list(dict.fromkeys([*(label for group in touched for label in group), *pair]))
        groups = [group for group in groups if group not in touched] + [merged]
    return groups


def _played(runs: TrainedRuns, scale: Scale) -> AreaMatrix:
    """The matrix of all runs, whose contestants are the trainings' labels."""
    paths = [run.path for seeds in runs.values() for run in seeds]
    result = tournament(paths, settings=TournamentSettings(n=SAMPLES[scale]), references=False)
    labels = {str(run.path.resolve()): label for label, seeds in runs.items() for run in seeds}
    contestants = {entrant: labels[result.places[entrant]] for entrant in result.matrix.contestants}
    return replace(result.matrix, contestants=contestants)


def _logits(matrix: AreaMatrix, critics: str, generators: str) -> Float64[np.ndarray, "s t"]:
    rows = [i for i, name in enumerate(matrix.generators) if matrix.contestants[name] == generators]
    columns = [i for i, name in enumerate(matrix.critics) if matrix.contestants[name] == critics]
    return meetings(matrix).logits[np.ix_(rows, columns)]


def _of_panel(row: str, fought: Panel) -> PanelRow:
    return PanelRow(row=row, effect=fought.effect, interval=fought.interval, seeds=fought.seeds, needed=fought.needed)


def _of_logits(row: str, logits: Float64[np.ndarray, "s t"]) -> PanelRow:
    """The mean of logits that should be below 0, with the sign changed: above 0 is as the paper says."""
    effect, seeds = -float(logits.mean()), (logits.shape[0], logits.shape[1])
    half = half_width(logits) if logits.size > 1 else math.inf
    decided = half < abs(effect)
    needed = None if decided or logits.size == 1 else seeds_needed(effect, *spreads(logits), more_than=min(seeds))
    return PanelRow(row=row, effect=effect, interval=(effect - half, effect + half), seeds=seeds, needed=needed)


def _order(row: str, more: PanelRow, less: PanelRow) -> PanelRow:
    """The difference of two rows, and the number of seeds at which intervals that shrink by the root would tell it."""
    effect, half = more.effect - less.effect, math.hypot(more.interval[1] - more.effect, less.interval[1] - less.effect)
    needed = math.ceil(min(more.seeds) * (half / effect) ** 2) if math.isfinite(half) and effect else None
    undecided = needed is not None and needed > min(more.seeds)
    return PanelRow(
        row=row,
        effect=effect,
        interval=(effect - half, effect + half),
        seeds=more.seeds,
        needed=needed if undecided else None,
    )
