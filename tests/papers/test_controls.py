"""Controls: an item's measurement on networks that were never trained, and what a page says of an empty claim."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agon.papers import ITEMS, find_item
from agon.papers.controls import FOLDER, measured_controls, plain
from agon.papers.expectation import Expectation
from agon.papers.im2016.canvases import step_row
from agon.papers.intervals import judge
from agon.papers.item import Item, Rows
from agon.papers.numbers import rejudged
from agon.papers.page import measured
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.training import Compute
from tools import pages

ONE_THREAD = Compute(threads=1)


def ring(**changes: object) -> Item:
    return replace(find_item("metz2017/figure1"), **changes)  # type: ignore[arg-type]


def test_controls_are_measured_on_runs_at_step_0(tmp_path: Path) -> None:
    """The item's own measurement, under the same seeds; made once, and nothing is trained."""
    seen: list[Mapping[str, Run]] = []

    def measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
        seen.append(runs)
        return {label: [] for label in runs}

    item = ring(measure=measure)
    for _ in range(2):
        rows = measured_controls(item, tmp_path, "smoke", [0, 1], {}, ONE_THREAD)
        assert rows == {"untrained": [{"K = 10": [], "K = 0": []}] * 2}
    assert [run.described["seed"] for runs in seen[:2] for run in runs.values()] == [0, 0, 1, 1]
    assert {tuple(run.kept) for runs in seen for run in runs.values()} == {(0,)}
    assert {run.path for run in seen[0].values()} == {
        tmp_path / FOLDER / name / "seed-0" for name in ("ring-k10", "ring-k0")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["controls"]


def test_samples_with_copies_are_the_trained_ones() -> None:
    """The control is a row of the item's own: the same samples, of the trained networks, and copies among them."""
    item = find_item("im2016/figure27")
    scores = {"GRAN3": 0.0, "GRAN3, 1 in 10 a copy": 0.12, "held-out images": 0.0}
    rows = [
        {
            "label": label,
            "seeds": [{"seed": seed, "scores": {"copied": {"value": value, "error": 0.01}}} for seed in range(3)],
        }
        for label, value in scores.items()
    ]
    (found,) = rejudged(item, {"rows": rows, "controls": {"real": rows}, "expectations": []})["expectations"]
    assert found["verdict"] == "held"
    assert list(found["controls"]) == ["copies"]
    assert found["controls"]["copies"]["mean"] == pytest.approx(0.1 - 0.12)
    rows[0] = {**rows[1], "label": "GRAN3"}
    (fooled,) = rejudged(item, {"rows": rows, "expectations": []})["expectations"]
    assert fooled["controls"]["copies"]["mean"] == fooled["mean"] < 0
    with pytest.raises(ValueError, match="expected rows with copies for their control"):
        ring(controls=("copies",))


def test_real_samples_are_measured_by_the_items_own_means(tmp_path: Path) -> None:
    def real(runs: Mapping[str, Run], scale: Scale) -> Rows:
        return {"real": []}

    item = ring(controls=("real",), real=real)
    assert measured_controls(item, tmp_path, "smoke", [0], {}, ONE_THREAD) == {"real": [{"real": []}]}
    with pytest.raises(ValueError, match="a measurement of real samples for its control"):
        ring(controls=("real",))
    with pytest.raises(ValueError, match="an expectation's controls among the item's"):
        ring(expects=[Expectation(says="", score="s", row="a", above=0.0, controls=("exchanged",))])


def test_an_item_without_expectations_needs_no_control(tmp_path: Path) -> None:
    assert measured_controls(ring(expects=()), tmp_path, "smoke", [0], {}, ONE_THREAD) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name, item in ITEMS.items() if item.expects])
def test_every_expectation_has_a_control(name: str) -> None:
    item = find_item(name)
    assert item.controls
    assert all(each.controls is None or each.controls for each in item.expects)


def test_a_claim_that_untrained_networks_meet_gets_no_verdict(tmp_path: Path) -> None:
    """GRANs that were never trained paint a finer canvas at every step, too: no trained one can show it like this."""
    first, last = step_row("GRAN3", 1), step_row("GRAN3", 3)
    finer = Expectation(says="finer", score="detail", row=last, above=first)
    item = replace(find_item("im2016/figure28"), expects=[finer])
    (rows,) = measured_controls(item, tmp_path, "smoke", range(3), {}, ONE_THREAD).values()
    control = plain(rows, range(3))
    trained = [row(first, 0.2, 0.21, 0.19), row(last, 0.5, 0.51, 0.49)]
    assert judge(finer, trained)["verdict"] == "held"
    assert judge(finer, trained, {"untrained": control})["verdict"] == "no evidence"


def row(label: str, *values: float) -> dict[str, Any]:
    return {"label": label, "seeds": [{"scores": {"detail": {"value": value, "error": None}}} for value in values]}


def test_the_page_says_which_control_meets_a_claim() -> None:
    name = next(name for name in ITEMS if pages.numbers_of(name) and find_item(name).expects)
    known = pages.numbers_of(name)
    assert known is not None
    fooled = rejudged(find_item(name), known, {"untrained": known["rows"]})  # as good as the trained ones
    met = [each for each in fooled["expectations"] if each["verdict"] == "no evidence"]
    text = "\n".join(measured({**fooled, "expectations": met or fooled["expectations"]}))
    assert not met or "no evidence: untrained networks meet it, too: " in text
