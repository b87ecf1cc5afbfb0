"""Items declare: their numbers are metrics' and their pictures figures'; recipes are experiments and nothing else."""

import ast
from pathlib import Path

import pytest

import agon

HOUSE = Path(agon.__file__).parent
MAKES_SCORES = {"Score", "mean_score", "share_score"}


def called(source: str) -> set[str]:
    """The names of what a module calls."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name)}


def imported(source: str) -> set[str]:
    """The modules that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("room", ["papers", "recipes"])
def test_no_score_is_made_by_hand(room: str) -> None:
    for file in (HOUSE / room).rglob("*.py"):
        assert not called(file.read_text()) & MAKES_SCORES, file


def test_only_figures_draw() -> None:
    drawing = {
        file.relative_to(HOUSE).parts[0]
        for file in HOUSE.rglob("*.py")
        if any(name.partition(".")[0] == "matplotlib" for name in imported(file.read_text()))
    }
    assert drawing == {"figures"}


def test_papers_import_nothing_of_report() -> None:
    for file in (HOUSE / "papers").rglob("*.py"):
        assert not [name for name in imported(file.read_text()) if name.startswith("agon.reports")], file


def test_what_is_planted_is_caught() -> None:
    """The negative control of all three."""
    assert called("def f():\n    return [Score(name='x')]") & MAKES_SCORES
    assert imported("def f():\n    from agon.reports.scores import table\n    import matplotlib.axes") == {
        "agon.reports.scores",
        "matplotlib.axes",
    }
