"""The page: ours beside the paper's, and the verdict."""

from typing import Any

from agon.papers.page import page, table
from agon.papers.verdicts import verdict


def told(**changes: Any) -> dict[str, Any]:
    """Numbers of an item with one row of ours and two of the paper's."""
    score = {"value": 2.5, "error": 0.5, "interval": None, "n": 10, "n_real": None, "protocol": "as it was"}
    summary = {"s": {"mean": 2.5, "deviation": None, "half": None, "ratio": False}}
    run = {"run": "r/seed-0", "seed": 0, "seconds": 90.0}
    training = {
        "label": "a",
        "recipe": "paper/r",
        "data": {"set": "MNIST", "read": {"from": "mnist", "images": 60_000, "classes": 10, "shape": "1x28x28"}},
        "steps": 100,
        "images": 6_400,
        "arithmetic": {"device": "cpu", "precision": "fp32", "threads": 1, "compile": "auto"},
        "runs": [run],
    }
    return {
        "item": "paper/table1",
        "paper": "Somebody 2000, table 1",
        "claim": "it is so",
        "scale": "quick",
        "seeds": 1,
        "updates": 1,
        "pictures": ["table1.png"],
        "trainings": [training],
        "rows": [{"label": "a", "summary": summary, "seeds": [{"seed": 0, "scores": {"s": score}}]}],
        "theirs": {"a": {"paper: s": "9.14 ± 0.14"}, "b": {"paper: s": "8"}},
        "controls": {},
        "expectations": [],
        "history": [],
        "versions": {"agon": "0", "torch": "2", "cores": 2},
        **changes,
    }


def test_ours_stands_beside_the_papers() -> None:
    """A row that only the paper has is there too, with nothing of ours."""
    lines = page(told()).splitlines()
    assert "|  | s | paper: s |" in lines
    assert "| a | 2.5 ± 0.5 | 9.14 ± 0.14 |" in lines
    assert "| b |  | 8 |" in lines
    assert "| a | `paper/r` | MNIST: read from mnist, 60,000 images of 1x28x28 | 100 | 6,400 | — |" in lines
    assert "One seed: ± is the standard error" in page(told())
    assert "* s: as it was" in lines


def test_the_verdict_counts_what_became_of_the_expectations() -> None:
    def found(*words: str, scale: str = "quick") -> str:
        return verdict(told(expectations=[{"verdict": word} for word in words], scale=scale))

    assert found("held") == "held"
    assert found("held", "held") == "all 2 expectations held"
    assert found("held", "undecided", "partly") == "1 of 3 expectations held, 1 partly, 1 undecided"
    assert found("contradicted", "no evidence") == "1 of 2 expectations contradicted, 1 no evidence"
    assert found("one seed", "one seed") == "one seed"
    assert found("one seed", "no evidence") == "1 of 2 expectations no evidence, 1 one seed"
    assert found() == "by eye: the paper has no number here"
    assert found("held", scale="smoke").startswith("not run")


def expectation(**changes: Any) -> dict[str, Any]:
    """An undecided expectation of the numbers' file."""
    base = {"says": "a is more", "score": "s", "row": "a", "above": "b", "ratio": False, "mean": 0.5, "half": 1.0}
    return {**base, "verdict": "undecided", "needed": 12, "controls": {}, **changes}


def test_each_expectation_says_what_is_known_of_it() -> None:
    """The seeds that would decide it, the size that it lacks, the control that meets it."""

    def last_cell(**changes: Any) -> str:
        text = page(told(expectations=[expectation(**changes)]))
        (line,) = [line for line in text.splitlines() if line.startswith("| a is more |")]
        return line.split("|")[-2].strip()

    met = {
        "untrained": {"mean": 0.4, "half": 0.1, "verdict": "held"},
        "real": {"mean": -1.0, "half": 0.1, "verdict": "undecided"},
    }
    assert last_cell() == "undecided; about 12 seeds would do"
    assert last_cell(needed=None) == "undecided; over 300 seeds: no difference at this budget"
    assert last_cell(verdict="partly") == "partly: the direction, not the size"
    assert last_cell(verdict="no evidence", controls=met) == "no evidence: untrained networks meet it: 0.4 ± 0.1"
    assert last_cell(verdict="one seed") == "one seed"
    text = page(told(expectations=[expectation(ratio=True, mean=0.0, half=0.6931471805599453)]))
    assert "| ×1 [0.5, 2] | not measured |" in text


def test_a_smoke_page_gives_no_claim_a_verdict() -> None:
    text = page(told(scale="smoke", expectations=[expectation(verdict="contradicted")]))
    assert "| not run |" in text
    assert "contradicted" not in text


def test_the_scores_of_a_control_stand_under_the_expectations() -> None:
    rows = [
        {"label": "a", "seeds": [{"seed": seed, "scores": {"s": {"value": seed, "error": None}}} for seed in (0, 1)]}
    ]
    text = page(told(expectations=[expectation()], controls={"untrained": rows}))
    assert "| untrained networks | a | 0.5 |" in text


def test_a_bar_in_a_cell_is_no_border() -> None:
    assert table(["a"], [["|x|"]]).splitlines()[-1] == r"| \|x\| |"
