"""The cost of recipes: measured minutes of one training on one thread, from costs.json beside this file.

It is the fastest of several seeds and runs, because the machine may have had other work.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from agon.recipes.scales import Scale

FILE = Path(__file__).with_name("costs.json")
ESTIMATES = Path(__file__).with_name("estimates.json")  # made by tools/estimates.py


@cache
def measured() -> Mapping[str, Mapping[Scale, float]]:
    """Name of a recipe -> scale -> minutes, for all that was measured."""
    costs: dict[str, dict[Scale, float]] = json.loads(FILE.read_text())
    return costs


@cache
def estimates() -> Mapping[str, Mapping[str, float]]:
    """Name of a recipe -> steps, seconds of one, minutes of all, at the paper's scale, where some steps were timed."""
    known: dict[str, dict[str, float]] = json.loads(ESTIMATES.read_text())
    return known


def at_paper_scale(name: str) -> float | None:
    """Minutes of one training at the paper's scale: measured, or else estimated from some steps; None if neither."""
    estimate = estimates().get(name, {}).get("minutes")
    return measured().get(name, {}).get("paper", estimate)


def minutes(name: str) -> dict[Scale, float | None]:
    """Minutes of one training at every scale, with the default source; None if it was not measured."""
    known = measured().get(name, {})
    return {scale: known.get(scale) for scale in get_args(Scale)}
