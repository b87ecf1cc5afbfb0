"""The sentence that says which contestant is best, by which score, and how sure that is."""

from collections.abc import Sequence
from math import comb

from agon.arena.comparisons.table import Contestant, badness, gap, is_finite, text
from agon.figures.numbers import number
from agon.metrics.differences import Difference, difference
from agon.metrics.directions import Direction, direction_of

DECIDING = (  # endings of the scores that decide, the most telling first
    "kid",
    "kernel-distance",
    "jensen-shannon",
    "fid",
    "frechet-distance",
    "fid-shrunk",
    "frechet-distance-shrunk",
    "mode-divergence",
    "class-divergence",
    "pairwise",
    "coverage",
    "quality",
    "reconstruction",
)
FEW = 3  # seeds, under which the interval of their mean is very wide
SEEDS_ADVICE = "agon train ... --seeds 3"


def verdict(contestants: Sequence[Contestant]) -> str:
    """Return a sentence that says which contestant is best and how sure that is; nothing for a single one.

    The score that decides is the first of `DECIDING` that all have, by preference one with an interval.
    """
    name = _deciding(contestants)
    direction = direction_of(name)
    if len(contestants) < 2:
        return ""
    if direction is None:
        return "The runs have no score in common that says which is better; evaluate them with the same --metrics."
    order = sorted(contestants, key=lambda contestant: badness(direction, contestant.scores[name]))
    if len(order) == 2:
        return _of_two(order[0], order[1], name, direction)
    return _of_many(order, name, direction)


def _deciding(contestants: Sequence[Contestant]) -> str:
    """Return the name of the score that decides; empty if the contestants have none in common."""
    shared = [
        name
        for name in (contestants[0].scores if contestants else ())
        if direction_of(name) is not None and all(is_finite(other.scores.get(name, ())) for other in contestants)
    ]
    ranked = sorted(shared, key=lambda name: (not _has_interval(name, contestants), rank(name)))
    return ranked[0] if ranked else ""


def rank(name: str) -> int:
    """How telling a score is: its place in `DECIDING`, the most telling first."""
    words = f"-{name.partition(' ')[0]}"
    places = [place for place, ending in enumerate(DECIDING) if words.endswith(f"-{ending}")]
    return min(places, default=len(DECIDING))


def _has_interval(name: str, contestants: Sequence[Contestant]) -> bool:
    first, second = (contestant.scores[name] for contestant in contestants[:2]) if len(contestants) > 1 else ((), ())
    return bool(first and second) and difference(first, second).half is not None


def _of_two(better: Contestant, worse: Contestant, name: str, direction: Direction) -> str:
    between = gap(direction, worse.scores[name], better.scores[name])
    values = f"{name} {text(better.scores[name], name)} against {text(worse.scores[name], name)}, {direction.words}"
    if between.half is None and between.value == 0:
        return f"{better.name} and {worse.name} cannot be told apart: {values}."
    if between.half is None:
        return (
            f"{better.name} has the better {values}; but that score has no standard error, so one run of each cannot "
            f"say how sure that is: add --metrics kid, or train several seeds of each ({SEEDS_ADVICE})."
        )
    low, high = between.value - between.half, between.value + between.half
    bounds = f"[{number(low, 3)}, {number(high, 3)}]"
    if not between.decided:
        sentence = (
            f"{better.name} and {worse.name} cannot be told apart: {values}; the 95 % interval of the difference, "
        )
        return f"{sentence}{bounds}, holds 0. {_covers(better, worse, name, between)}"
    sentence = f"{better.name} is better than {worse.name}: {values}; the 95 % interval of the difference, {bounds}, "
    return f"{sentence}excludes 0. {_covers(better, worse, name, between)}{_others(better, worse, name)}"


def _covers(one: Contestant, other: Contestant, name: str, between: Difference) -> str:
    """Say what the interval covers, and whether there are too few seeds."""
    counts = {contestant.name: len(contestant.scores[name]) for contestant in (one, other)}
    if between.covers == "samples":
        return (
            "The interval covers the noise of sampling only, not that of training: it compares these two generators, "
            f"not their settings; for those, train 3 seeds or more of each ({SEEDS_ADVICE})."
        )
    numbers = " and ".join(f"{_seeds(count)} of {who}" for who, count in sorted(counts.items(), key=lambda it: -it[1]))
    few = min(counts.values())
    if few == 1:
        return f"The interval covers training and sampling: {numbers}, whose spread is taken from the other."
    advice = f"; {few} are few, so train more ({SEEDS_ADVICE})" if few < FEW else ""
    return f"The interval covers training and sampling: {numbers}{advice}."


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def _others(better: Contestant, worse: Contestant, name: str) -> str:
    """Say which other scores contradict, of those that can tell the two apart."""
    against = []
    for other in better.scores:
        direction, pair = direction_of(other), (better.scores[other], worse.scores.get(other, ()))
        if other == name or direction is None or not all(map(is_finite, pair)):
            continue
        between = gap(direction, *pair)
        if between.decided and between.value > 0:
            against.append(f"{other} ({text(pair[0], other)} against {text(pair[1], other)}, {direction.words})")
    return f" Other scores say the opposite: {', '.join(against)}." if against else ""


def _of_many(order: Sequence[Contestant], name: str, direction: Direction) -> str:
    best, others = order[0], order[1:]
    ranking = ", ".join(f"{contestant.name} {text(contestant.scores[name], name)}" for contestant in order)
    gaps = [gap(direction, other.scores[name], best.scores[name], comb(len(order), 2)) for other in others]
    level = [other.name for other, between in zip(others, gaps, strict=True) if not between.decided]
    worse = [other.name for other, between in zip(others, gaps, strict=True) if between.decided]
    clauses = [f"{best.name} is better than {', '.join(worse)}"] if worse else []
    clauses += [f"{best.name} cannot be told apart from {', '.join(level)}"] if level else []
    how = "over seeds" if any(between.covers == "seeds" for between in gaps) else "of sampling only, not of training"
    return (
        f"By {name} ({direction.words}): {ranking}. {'; '.join(clauses)} (intervals that hold together at 95 %, {how})."
    )
