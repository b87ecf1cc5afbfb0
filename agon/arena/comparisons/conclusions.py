"""What follows from a comparison of two experiments: a sentence, and a table for a terminal."""

import math
from collections.abc import Mapping, Sequence

from agon.arena.comparisons.score import ComparedScore, Ends
from agon.arena.comparisons.sentences import FEW, SEEDS_ADVICE
from agon.figures.numbers import UNKNOWN, number

Names = tuple[str, str]
SMALL = 0.001  # smallest p-value that is printed


def conclusion(names: Names, scores: Sequence[ComparedScore], *, alike: bool = False, budgets: str = "") -> str:
    """Return the sentence that says which experiment is better, by which scores, and how sure that is.

    Args:
        names: of the two experiments.
        scores: the most telling first.
        alike: whether the experiments differ in their seeds alone.
        budgets: that they were trained for different numbers of steps, as a sentence; it comes first.
    """
    told = [score for score in scores if score.best is not None]
    chance = "The settings are the same, so what differs is chance. " if alike else f"{budgets} ".lstrip()
    if not told:
        return f"{chance}They have no score in common that says which is better: agon evaluate them with --metrics kid."
    first = told[0]
    return chance + " ".join(
        sentence for sentence in (_verdict(names, first), _others(names, told[1:]), _covers(names, first)) if sentence
    )


def lines(names: Names, scores: Sequence[ComparedScore], left_out: Mapping[str, str]) -> list[str]:
    """Return the lines of a table for a terminal, and what was left out."""
    head = ["score", *names, "difference", "95 % interval", "p", "seeds", "verdict"]
    table = [head, *(_cells(names, score) for score in scores)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = ["  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in table]
    notes = [
        f"difference: {names[0]} less {names[1]}{_ratio_note(names, scores)}; ↑ higher is better, ↓ lower is better"
    ]
    if any(score.scale == "distance" for score in scores):
        notes[0] += ", → nearest is best (the difference is that of distances from it)"
    if len([score for score in scores if score.p is not None]) > 1:
        notes.append("p: adjusted for the number of scores (Holm); each interval is that of its score alone")
    return [*padded, *notes, *(f"left out: {name}: {reason}" for name, reason in left_out.items())]


def difference_text(score: ComparedScore) -> str:
    """The difference as text; of logarithms as the ratio that it means."""
    if score.scale == "logarithm":
        return f"×{number(math.exp(score.difference), 3)}"
    return signed(score.difference)


def interval_text(score: ComparedScore) -> str:
    """Its 95 % interval as text; of logarithms as that of the ratio."""
    return UNKNOWN if score.interval is None else _bounds(score, score.interval)


def verdict_text(names: Names, score: ComparedScore) -> str:
    """Which experiment is better, or what would decide it, in a few words."""
    if not score.decided:
        return undecided_text(score)
    better = {"first": names[0], "second": names[1], "": ""}[score.better]
    return f"{better} is better" if better else "they differ"


def undecided_text(score: ComparedScore) -> str:
    """Why a score is undecided, and how many seeds would decide it, in a few words."""
    if score.p is None:
        return "no interval"
    if score.covers == "samples":
        return "undecided, 1 seed each"
    return f"undecided, needs {f'about {score.needed_seeds:,}' if score.needed_seeds else 'over 1,000'} seeds"


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign.

    >>> signed(0.25), signed(-1.0), signed(0.0)
    ('+0.25', '-1', '0')
    """
    return f"{'+' if value > 0 else ''}{number(value, digits)}"


def _cells(names: Names, score: ComparedScore) -> list[str]:
    sign = score.direction.sign if score.direction else ""
    p = UNKNOWN if score.p is None else f"< {SMALL:g}" if score.p < SMALL else f"{score.p:.2g}"
    means = [number(mean) for mean in score.means]
    texts = [difference_text(score), interval_text(score), p, _seeds_text(score), verdict_text(names, score)]
    return [f"{score.name} {sign}".rstrip(), *means, *texts]


def _seeds_text(score: ComparedScore) -> str:
    if score.pairs:
        return f"{score.pairs} pairs"
    return " and ".join(map(str, score.seeds))


def _ratio_note(names: Names, scores: Sequence[ComparedScore]) -> str:
    has_ratios = any(score.scale == "logarithm" for score in scores)
    return f" (×: {names[0]} by {names[1]}, of geometric means)" if has_ratios else ""


def _bounds(score: ComparedScore, ends: Ends) -> str:
    low, high = map(math.exp, ends) if score.scale == "logarithm" else ends
    return f"[{number(low, 3)}, {number(high, 3)}]"


def _verdict(names: Names, score: ComparedScore) -> str:
    """What the most telling score says."""
    means = [number(mean) for mean in score.means]
    turned = score.better == "second" and (score.decided or score.p is None)
    (better, worse), (one, two) = (names[::-1], means[::-1]) if turned else (names, means)
    values = f"{score.name} {one} against {two} ({score.direction.words if score.direction else ''})"
    if score.p is None:
        return (
            f"{better} has the better {values}, but without seeds or a standard error nobody can say how sure that is: "
            f"add --metrics kid, or train several seeds of each ({SEEDS_ADVICE})."
        )
    name = {"logarithm": "ratio", "distance": "difference of distances from the best"}.get(score.scale, "difference")
    ends = score.interval or (math.nan, math.nan)
    bounds = _bounds(score, (-ends[1], -ends[0]) if turned else ends)
    interval, none = f"the 95 % interval of the {name}, {bounds}", "1" if score.scale == "logarithm" else "0"
    if score.decided:
        return f"{better} is better than {worse} by the most telling score, {values}; {interval}, excludes {none}."
    alone = ends[0] > 0 or ends[1] < 0
    holds = f"excludes {none} by itself, but p is {score.p:.2g} with all scores counted" if alone else f"holds {none}"
    return f"{better} and {worse} cannot be told apart by the most telling score, {values}; {interval}, {holds}."


def _others(names: Names, scores: Sequence[ComparedScore]) -> str:
    """What the other scores with a direction say."""
    groups = {
        f"{name} is better by": [score.name for score in scores if score.decided and score.better == side]
        for name, side in zip(names, ("first", "second"), strict=True)
    }
    undecided = sum(not score.decided for score in scores)
    clauses = [f"{words} {', '.join(found)}" for words, found in groups.items() if found]
    if not clauses:
        many = f"{undecided} other scores are" if undecided > 1 else "other score is"
        return f"The {many} undecided too." if undecided else ""
    clauses += [f"{undecided} {'is' if undecided == 1 else 'are'} undecided"] if undecided else []
    return f"By the other scores, {'; '.join(clauses)}."


def _covers(names: Names, score: ComparedScore) -> str:
    """What the interval covers, and what would decide."""
    if score.p is None:
        return ""
    if score.covers == "samples":
        return (
            "With one seed of each, the interval covers the noise of sampling only, not that of training: it compares "
            f"these two runs, not their settings; for those, train 3 seeds or more of each ({SEEDS_ADVICE})."
        )
    counts = f"{score.pairs} pairs of seeds" if score.pairs else _counts(names, score)
    few = "; these are few, so train more" if min(score.seeds) < FEW else ""
    return f"The interval covers training and sampling: {counts}{few}.{_would_decide(score)}"


def _counts(names: Names, score: ComparedScore) -> str:
    counts = [f"{count} {'seed' if count == 1 else 'seeds'}" for count in score.seeds]
    spread = ", whose spread is taken from the other" if min(score.seeds) == 1 else ""
    return " and ".join(f"{count} of {name}" for count, name in sorted(zip(counts, names, strict=True))) + spread


def _would_decide(score: ComparedScore) -> str:
    if score.decided:
        return ""
    if score.needed_seeds is None:
        return " If the difference is what it seems, even 1,000 seeds of each would not decide it."
    return (
        f" If the difference and its spread are what they seem, {score.needed_seeds:,} seeds of each would decide it "
        "as often as not, and twice as many in 4 of 5 experiments."
    )
