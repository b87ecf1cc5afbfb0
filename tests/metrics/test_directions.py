"""Every score declares which direction is good, or that none is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from agon import metrics
from agon.evaluation.by_features import PUBLISHED
from agon.metrics.directions import DIRECTIONS, HIGHER, LOWER, direction_of

MAKERS = {"Score", "share_score", "mean_score", "share_divergence"}


def names(source: str) -> Iterator[str]:
    """The names of the scores that a module makes: a literal first argument, or name=."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
            given = [keyword.value for keyword in node.keywords if keyword.arg == "name"] + node.args[:1]
            yield from (value.value for value in given if isinstance(value, ast.Constant))


def undeclared(source: str) -> list[str]:
    return [name for name in names(source) if name not in DIRECTIONS and direction_of(name) is None]


def test_every_score_of_the_metrics_is_declared() -> None:
    room = Path(metrics.__file__).parent
    sources = [path.read_text() for path in room.rglob("*.py")]
    assert sum(len(list(names(source))) for source in sources) > 25
    assert [name for source in sources for name in undeclared(source)] == []
    assert all(name in DIRECTIONS for name in PUBLISHED.values())


def test_an_undeclared_score_is_caught() -> None:
    """The negative control."""
    planted = 'def f():\n    Score(name="novelty", value=1.0)\n    return share_score("classes", hits)'
    assert undeclared(planted) == ["novelty"]


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("kid", "↓"),
        ("pixels-kernel-distance", "↓"),
        ("classifier-frechet-distance-shrunk", "↓"),
        ("classifier-score", "↑"),
        ("improved-recall", "↑"),
        ("mode-divergence", "↓"),
        ("distance", "→ 1"),
        ("memorisation", "→ 0.5"),
        ("modes (n = 500, seed 0)", "↑"),
    ],
)
def test_the_arrow_of_a_score(name: str, sign: str) -> None:
    direction = direction_of(name)
    assert direction is not None
    assert direction.sign == sign


def test_the_best_value_is_the_least_bad() -> None:
    assert min((0.2, 0.4, 0.9), key=HIGHER.badness) == 0.9
    assert min((0.2, 0.4, 0.9), key=LOWER.badness) == 0.2
    half = direction_of("memorisation")
    assert half is not None
    assert min((0.2, 0.4, 0.9), key=half.badness) == 0.4
    assert direction_of("battle") is None
    assert direction_of("of-a-plugin") is None
