"""Contestants that were trained for different numbers of steps: comparisons say so, and say it of no equals."""

import json
from pathlib import Path

import pytest

from agon.arena import compare
from agon.arena.budgets import unequal_budgets
from agon.cli import main
from agon.cli.evaluate import summary
from agon.metrics import Score
from agon.reports.comparison import comparison
from agon.reports.reading import read

from .recorded import STEPS, write_run, write_seeds

SENTENCE = (
    "Budgets differ: a was trained for 100 steps, b for 42; to compare settings, train all with the same --steps."
)
EQUAL = [{}, {"a": [5]}, {"a": [5], "b": [5, 5]}, {"a": [5], "b": [None]}, {"a": [], "b": [3]}]


def shortened(folder: Path, steps: int) -> Path:
    """Let the runs of a folder be those of another number of steps."""
    for run in folder.iterdir():
        described = json.loads((run / "experiment.json").read_text())
        (run / "experiment.json").write_text(json.dumps({**described, "steps": steps}))
        scores = (run / "metrics.jsonl").read_text()
        (run / "metrics.jsonl").write_text(scores.replace(f'"step": {STEPS}', f'"step": {steps}'))
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three seeds of 100 steps, and three of another setting and 42 steps."""
    a, b = (tmp_path / name for name in "ab")
    write_seeds(a, "kid", 1.0, 1.1, 1.2)
    return a, shortened(write_seeds(b, "kid", 2.0, 2.2, 2.1, lr=0.2), 42)


def test_the_sentence_names_each_and_its_steps() -> None:
    assert unequal_budgets({"a": [100, 100], "b": [42]}) == SENTENCE
    assert "c for 10 to 20;" in unequal_budgets({"a": [1], "c": [20, 10]})
    assert unequal_budgets({"a": [1], "b": [2000]}).startswith("Budgets differ: a was trained for 1 step, b for 2,000;")
    many = {f"run-{number}": [number] for number in range(12)}
    assert ", run-9 for 9 and 2 more; to compare" in unequal_budgets(many)


@pytest.mark.parametrize("steps", EQUAL)
def test_equal_or_unknown_budgets_say_nothing(steps: dict[str, list[int | None]]) -> None:
    assert unequal_budgets(steps) == ""


def test_a_comparison_says_it_first(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(*folders).sentence.startswith(f"{SENTENCE} a is better than b")
    assert main(["compare", str(folders[0]), "--with", str(folders[1])]) == 0
    assert SENTENCE in capsys.readouterr().out


def test_a_comparison_of_equal_budgets_does_not(folders: tuple[Path, Path], tmp_path: Path) -> None:
    other = write_seeds(tmp_path / "c", "kid", 2.0, 2.2, 2.1, lr=0.2)
    assert "Budgets" not in compare(folders[0], other).sentence


def test_a_summary_of_scores_says_it_unless_all_were_scored_at_one_step(folders: tuple[Path, Path]) -> None:
    """The checkpoints' names are enough: nothing is loaded."""
    runs = [run for folder in folders for run in sorted(folder.iterdir())]
    for run in runs:
        steps = json.loads((run / "experiment.json").read_text())["steps"]
        (run / "checkpoints" / f"{steps:08}").mkdir(parents=True)
    how = {"error": 0.1, "n": 100, "protocol": "p"}
    scores = {run: [Score(name="kid", value=1.0 + place, **how)] for place, run in enumerate(runs)}
    assert SENTENCE in summary(scores, apart=False)
    assert not any("Budgets" in line for line in summary(scores, apart=False, step=42))
    assert not any("Budgets" in line for line in summary({run: scores[run] for run in runs[:3]}, apart=True))


def test_a_page_says_it(tmp_path: Path) -> None:
    one = write_run(tmp_path / "a", {"kid": (1.0, 0.1)})
    other = write_run(tmp_path / "b", {"kid": (2.0, 0.1)}, lr=0.2, reached=42)
    assert comparison(read([one, other])).sentence.startswith(f"{SENTENCE} a is better than b")
    (other / "metrics.jsonl").unlink()
    assert "Budgets" not in comparison(read([one, write_run(other, {"kid": (2.0, 0.1)}, lr=0.2)])).sentence
