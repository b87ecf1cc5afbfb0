"""What the recipes cost: measured minutes of one training on one thread, from costs.json beside this file.

Of several seeds and runs the fastest, as the machine may have had other work too.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from agon.recipes.scales import Scale

FILE = Path(__file__).with_name("costs.json")


@cache
def measured() -> Mapping[str, Mapping[Scale, float]]:
    """Recipe's name -> scale -> minutes; what was not measured is not there."""
    costs: dict[str, dict[Scale, float]] = json.loads(FILE.read_text())
    return costs


def minutes(name: str) -> dict[Scale, float | None]:
    """Of one training at every scale, with the default source; None where it was not measured."""
    known = measured().get(name, {})
    return {scale: known.get(scale) for scale in get_args(Scale)}
