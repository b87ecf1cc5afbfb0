"""The page: ours beside the paper's, and the verdict."""

from typing import Any

from agon.papers.page import page, table, verdict


def told(**changes: Any) -> dict[str, Any]:
    """Numbers of an item with one row of ours and two of the paper's."""
    score = {"value": 2.5, "error": 0.5, "interval": None, "n": 10, "n_real": None, "protocol": "as it was"}
    summary = {"s": {"mean": 2.5, "deviation": None, "half": None}}
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
    assert "| a | `paper/r` | MNIST: read from mnist, 60,000 images of 1x28x28 | 100 | 6,400 | 1.5 |" in lines
    assert "One seed: ± is the standard error" in page(told())
    assert "* s: as it was" in lines


def test_the_verdict_is_reproduced_only_if_all_held() -> None:
    def found(*words: str, scale: str = "quick") -> str:
        return verdict(told(expectations=[{"verdict": word} for word in words], scale=scale))

    assert found("held") == "reproduced."
    assert found("held", "held") == "reproduced: 2 of 2 expectations held."
    assert found("held", "undecided").startswith("not reproduced: 1 of 2 expectations held, 0 contradicted, 1 und")
    assert found("contradicted").startswith("not reproduced: 0 of 1 expectation held, 1 contradicted")
    assert found() == "by eye: the paper has no number here."
    assert found("held", scale="smoke").startswith("not run")


def test_a_bar_in_a_cell_is_no_border() -> None:
    assert table(["a"], [["|x|"]]).splitlines()[-1] == r"| \|x\| |"
