"""Verdicts in words: on an expectation, and on an item as counts of them."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

from agon.figures.numbers import number
from agon.papers.controls import WORDS as CONTROLS
from agon.papers.expectation import ExpectationVerdict
from agon.papers.intervals import AS_FAR

VERDICTS: tuple[ExpectationVerdict, ...] = get_args(ExpectationVerdict)
MOST_SEEDS = 300  # who needs more sees no difference at this budget
MET = ("held", "partly", AS_FAR)  # what a control makes of an expectation that it meets, or the item no better

Judged = Mapping[str, Any]  # an expectation in the numbers' file


def verdict(numbers: Mapping[str, Any]) -> str:
    """The verdict on an item: how many of its expectations held, and what became of the others.

    >>> verdict({"scale": "quick", "expectations": [{"verdict": "held"}, {"verdict": "undecided"}]})
    '1 of 2 expectations held, 1 undecided'
    >>> verdict({"scale": "quick", "expectations": [{"verdict": "one seed"}, {"verdict": "one seed"}]})
    'one seed'
    """
    if numbers["scale"] == "smoke":
        return "not run: the smoke scale shows that everything works, and nothing else"
    if not numbers["expectations"]:
        return "by eye: the paper has no number here"
    counts = by_word(numbers)
    total = sum(counts.values())
    (first, *others) = (word for word in VERDICTS if counts[word])
    if counts[first] == total:
        return first if total == 1 or first == "one seed" else f"all {total} expectations {_verb(first)}"
    others_text = ", ".join(f"{counts[word]} {word}" for word in others)
    return f"{counts[first]} of {total} expectations {_verb(first)}, {others_text}"


def _verb(word: str) -> str:
    return {"held": "held", "partly": "held partly"}.get(word, word)


def by_word(numbers: Mapping[str, Any]) -> dict[str, int]:
    """Count the expectations of an item by their verdict."""
    counts = Counter(expectation["verdict"] for expectation in numbers["expectations"])
    return {word: counts[word] for word in VERDICTS}


def explained(expectation: Judged) -> str:
    """The verdict on an expectation, with the seeds that would decide it, or the control that meets it."""
    word: str = expectation["verdict"]
    if word == "undecided":
        return f"undecided; {seeds_text(expectation)}"
    if word == "partly":
        return "partly: the direction, not the size"
    if word == "no evidence":
        met = {name: each["verdict"] for name, each in expectation["controls"].items() if each["verdict"] in MET}
        return "no evidence: " + "; ".join(
            f"{_as_well(CONTROLS[name], control)}: {_value(expectation, name)}" for name, control in met.items()
        )
    return word


def _as_well(control: str, found: str) -> str:
    return f"not surely more than {control}" if found == AS_FAR else f"{control} meet it"


def _value(expectation: Judged, name: str) -> str:
    return difference(expectation["controls"][name], ratio=expectation["ratio"])


def seeds_text(expectation: Judged) -> str:
    """How many seeds would decide an undecided expectation.

    >>> seeds_text({"mean": 0.5, "needed": 12}), seeds_text({"mean": 0.001, "needed": None})
    ('about 12 seeds would do', 'over 300 seeds: no difference at this budget')
    """
    if not math.isfinite(expectation["mean"]):
        return "a value is not finite"
    needed = expectation["needed"]
    if needed is None or needed > MOST_SEEDS:
        return f"over {MOST_SEEDS} seeds: no difference at this budget"
    return f"about {needed} seeds would do"


def difference(found: Judged, *, ratio: bool) -> str:
    """A difference with half of its 95 % interval; of logarithms, as the ratio that it means, with the ends of it.

    >>> difference({"mean": 0.5, "half": 0.25}, ratio=False), difference({"mean": 0.0, "half": None}, ratio=True)
    ('0.5 ± 0.25', '×1')
    """
    mean, half = found["mean"], found["half"]
    if mean is None:
        return "not measured"
    if not ratio:
        return uncertain(mean, half)
    ends = "" if half is None else f" [{number(_exp(mean - half), 3)}, {number(_exp(mean + half), 3)}]"
    return f"×{number(_exp(mean), 3)}{ends}"


def uncertain(value: float, half: float | None) -> str:
    """A value ± half of its interval."""
    return number(value, 3) if half is None else f"{number(value, 3)} ± {number(half, 2)}"


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
