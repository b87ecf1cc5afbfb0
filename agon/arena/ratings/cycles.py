"""Cycles: what no single rating can say."""

from collections.abc import Sequence
from itertools import combinations

from agon.arena.ratings.panels import Panel


def cycles(panels: Sequence[Panel]) -> tuple[tuple[str, str, str], ...]:
    """The contestants (A, B, C) of which A beats B, B beats C and C beats A.

    A beats B if A's generators fool B's critics more than B's fool A's and the 95 % interval of their panel excludes 0.
    Where there is no cycle, one made of noise would need three panels wrong at once: about 3 in 100,000 triples.

    Args:
        panels: of pairs of contestants, each pair at most once.

    Returns:
        Each cycle once, from its first name by the alphabet; the one whose weakest effect is largest comes first.
    """
    won = {(panel.better, _other(panel)): abs(panel.effect) for panel in panels if panel.better}
    names = sorted({name for pair in won for name in pair})
    found = {}
    for a, b, c in combinations(names, 3):
        for cycle in ((a, b, c), (a, c, b)):
            steps = list(zip(cycle, (*cycle[1:], cycle[0]), strict=True))
            if all(step in won for step in steps):
                found[cycle] = min(won[step] for step in steps)
    return tuple(sorted(found, key=lambda cycle: (-found[cycle], cycle)))


def _other(panel: Panel) -> str:
    return panel.second if panel.better == panel.first else panel.first
