"""Items restricted to some of their rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from agon.cli import main
from agon.errors import SettingError
from agon.papers import ITEMS, find_item, pictures, reproduce
from agon.papers.rows import with_rows
from tests.papers.test_items import trained_here  # noqa: F401

SEPARABLE = [name for name, item in ITEMS.items() if item.rows]


@pytest.mark.parametrize("name", SEPARABLE)
def test_all_rows_together_are_the_item(name: str) -> None:
    """And each alone has its own trainings, and no claim about what is not there."""
    item = ITEMS[name]
    whole = with_rows(item, list(item.rows))
    assert (whole.trainings, list(whole.expects), whole.published) == (
        item.trainings,
        list(item.expects),
        item.published,
    )
    spare = item.trainings.keys() - {label for labels in item.rows.values() for label in labels}
    for row, labels in item.rows.items():
        alone = with_rows(item, [row])
        assert {*labels} | spare <= alone.trainings.keys()
        left_out = item.rows.keys() - alone.rows.keys()
        assert not left_out & {bound for each in alone.expects for bound in (each.row, each.bound)}
        assert not left_out & alone.published.keys()


def test_a_word_names_rows_trainings_and_recipes() -> None:
    table1, table51 = find_item("im2016/table1"), find_item("yamazaki2017/table5.1")
    assert list(with_rows(table1, ["mnist"]).rows) == ["MNIST: GRAN1 vs. GRAN3", "MNIST: GRAN1 vs. GRAN5"]
    assert list(with_rows(table1, ["lsun-church-gran3"]).trainings) == [
        f"LSUN church: GRAN{steps}" for steps in (1, 3, 5)
    ]
    assert [label.partition(" ")[0] for label in with_rows(table51, ["M0_B"]).trainings] == ["M0_B", "M0_B"]
    assert with_rows(table1, []) is table1


def test_what_is_no_row_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingError, match=r"there is no row 'MNST: .*did you mean 'MNIST: "):
        with_rows(find_item("im2016/table1"), ["MNST: GRAN1 vs. GRAN3"])
    with pytest.raises(SettingError, match=r"metz2017/table1 is one piece.*leave --rows out"):
        reproduce("metz2017/table1", tmp_path / "out", rows=["K = 0"])
    assert main(["reproduce", "im2016", "--rows", "MNIST", "--out", str(tmp_path / "out")]) == 2
    assert "--rows: expected one item with it, got im2016" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("one_core", "trained_here")
@pytest.mark.parametrize(
    ("name", "word", "trained"), [("metz2017/figure1", "K = 0", 1), ("im2016/table2", "vs. DVAE", 3)]
)
def test_only_what_the_rows_need_is_trained(name: str, word: str, trained: int, tmp_path: Path) -> None:
    page = reproduce(name, tmp_path, scale="smoke", seeds=1, rows=[word], show=False)
    told = json.loads(page.with_suffix(".json").read_text())
    assert len(list(tmp_path.glob("*/seed-0/log.jsonl"))) == len(told["trainings"]) == trained
    assert {row["label"] for row in told["rows"]} == set(with_rows(find_item(name), [word]).rows)
    assert not set(told["left out"]) & {row["label"] for row in told["rows"]}
    text = page.read_text()
    assert f"Not made at this scale: {', '.join(told['left out'])}." in text
    assert f"--seeds 1 --rows '{word}'`" in text


def test_a_table_of_samples_shows_no_empty_row_or_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an item of some rows, the pictures of the others are not there, and neither are their titles."""
    drawn: list[Any] = []
    monkeypatch.setattr(pictures, "_cell", lambda run, count: run)
    monkeypatch.setattr(pictures, "tiles_png", lambda table, columns, across: drawn.append((table, columns)))
    runs: dict[str, Any] = {"MNIST: a": ["1"], "MNIST: c": ["2"], "digits: c": ["3"]}
    pictures.sample_table(["MNIST", "CIFAR-10", "digits"], ["a", "b", "c"], across=1, count=1)(runs, "smoke")
    assert drawn == [({"MNIST": ["1", "2"], "digits": [None, "3"]}, ["a", "c"])]
