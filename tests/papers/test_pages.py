"""docs/recipes: each item has a page, and what it says of measurements is what its numbers say."""

import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from agon.papers import ITEMS
from agon.papers.verdicts import VERDICTS
from tools import index, pages

PARTS = ("**Claim**", pages.MARKS[0], pages.MARKS[1], "## Settings", "## Deviations and readings")
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_has_a_page_in_the_same_order(name: str) -> None:
    text = pages.page_of(name).read_text()
    places = [text.find(part) for part in PARTS]
    assert places == sorted(places)
    assert places[0] > 0
    words = shlex.split(FENCE.findall(text)[0], comments=True)
    assert words[:3] == ["agon", "reproduce", name]
    assert text.startswith(f"# {name.partition('/')[0]}, ")


@pytest.mark.parametrize("name", ITEMS)
def test_a_page_says_what_its_numbers_say(name: str) -> None:
    """Written again from the numbers beside it, it is what it was, and its pictures are there."""
    page = pages.page_of(name)
    told = pages.known(name)
    assert pages.filled(page.read_text(), told, pages.cost_of(name, told)) == page.read_text()
    for told in pages.known(name):
        assert (told["item"], told["scale"] != "smoke") == (name, True)
        assert all((page.parent / picture).exists() for picture in told["pictures"])


@pytest.mark.parametrize("name", ITEMS)
def test_numbers_are_judged_by_the_expectations_of_today(name: str) -> None:
    """From the scores of the seeds that they hold; `python -m tools.pages` judges them again."""
    for told in pages.known(name):
        assert pages.as_file(told) == pages.file_of(name, told["scale"]).read_text()


def test_the_overview_lists_every_item() -> None:
    text = (pages.PAGES / "index.md").read_text()
    assert index.overview() in text
    assert all(f"({name}.md)" in text for name in ITEMS)


def test_a_claim_that_several_items_repeat_is_counted_once() -> None:
    """metz2017's figures 4 and 6 to 10 repeat three claims of its table 1."""
    (table,) = [line for line in index.lines() if line.name == "metz2017/table1"]
    assert table.repeat == [f"metz2017/figure{number}" for number in (4, 6, 7, 8, 9, 10)]
    counted = [claim for line in index.lines() for claim in line.claims]
    assert len(counted) == len(set(counted))


def test_trainings_of_one_size_are_one_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one with more seeds, whatever it says; at sizes that differ, both scales are results."""
    told = [{"scale": scale, "seeds": seeds} for scale, seeds in (("quick", 3), ("paper", 5))]
    monkeypatch.setattr(index, "known", lambda name: told)
    monkeypatch.setattr(index, "full_size", lambda item: True)
    assert index.results("metz2017/figure1") == [told[1]]
    told[0]["seeds"] = 8
    assert index.results("metz2017/figure1") == [told[0]]
    told[0]["seeds"] = 5
    assert index.results("metz2017/figure1") == [told[1]]
    monkeypatch.setattr(index, "full_size", lambda item: False)
    assert index.results("metz2017/figure1") == told


def test_a_claim_has_one_verdict_at_the_papers_size() -> None:
    """No item stands in two lines of one scale, and what is called the paper's scale has its size."""
    lines = [cells(line) for line in index.overview().splitlines() if line.startswith("| [")]
    places = [(line[0], line[index.HEAD.index("scale")]) for line in lines]
    assert len(places) == len(set(places))
    scales = {name: {scale for place, scale in places if f"({name}.md)" in place.split(";")[0]} for name in ITEMS}
    assert scales["yamazaki2017/figure5.1"] == scales["yamazaki2017/appendixC"] == {"paper"}
    assert scales["metz2017/figure1"] == {"quick", "paper"}


def test_the_counts_at_the_top_are_those_of_the_lines() -> None:
    words = Counter(claim["verdict"] for line in index.lines() for claim in line.claims.values())
    head, _, *body, last = index.counts(index.lines()).splitlines()
    total = dict(zip(cells(head), cells(last), strict=True))
    assert {word: int(total.get(word) or 0) for word in VERDICTS} == {word: words[word] for word in VERDICTS}
    for word in VERDICTS:
        if word in total:
            assert sum(int(dict(zip(cells(head), cells(line), strict=True))[word] or 0) for line in body) == words[word]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_no_verdict_stands_that_its_control_meets() -> None:
    for line in index.lines():
        for claim in line.claims.values():
            met = any(each["verdict"] == "held" for each in claim["controls"].values())
            assert claim["verdict"] in ("no evidence", "contradicted") or not met, line.name


def test_one_seed_is_no_verdict() -> None:
    for line in index.lines():
        if line.numbers is not None and line.numbers["seeds"] == 1:
            assert {claim["verdict"] for claim in line.claims.values()} <= {"one seed", "no evidence", "not measured"}


def test_costs_are_the_fastest_that_were_measured() -> None:
    """Several items tell of one training: none of them makes it dearer, whichever is read last."""
    assert pages.costs() == pages.COSTS.read_text()
    costs = json.loads(pages.COSTS.read_text())
    for told in (told for name in ITEMS for told in pages.known(name)):
        for each in told["trainings"]:
            minutes = min(run["seconds"] for run in each["runs"]) / 60
            assert costs[each["recipe"]][told["scale"]] <= float(f"{minutes:.2g}")


def test_a_recipe_that_was_never_timed_gets_its_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "measured_costs", dict)
    trainings = [each for name in ITEMS for told in pages.known(name) for each in told["trainings"]]
    assert set(json.loads(pages.costs())) == {each["recipe"] for each in trainings}


def test_numbers_that_nobody_measured_are_caught() -> None:
    """The negative control: a changed number in the page is no longer what the file says."""
    name = next(name for name in ITEMS if pages.numbers_of(name) is not None)
    told = pages.numbers_of(name)
    changed = json.loads(json.dumps(told).replace('": 0.', '": 1.'))
    text = pages.page_of(name).read_text()
    assert pages.filled(text, [changed]) != text
    assert pages.NOT_RUN in pages.filled(text, [])
    with pytest.raises(SystemExit):
        pages.filled("# no marks\n", [told])


def test_nothing_lies_beside_the_pages_that_no_item_names() -> None:
    pictures = {
        f"{name.partition('/')[0]}/{each}" for name in ITEMS for told in pages.known(name) for each in told["pictures"]
    }
    found = {path.relative_to(pages.PAGES).as_posix() for path in pages.PAGES.glob("*/*") if path.suffix != ".md"}
    files = {pages.file_of(name, told["scale"]) for name in ITEMS for told in pages.known(name)}
    named = pictures | {file.relative_to(pages.PAGES).as_posix() for file in files}
    assert found == named
    assert {
        path.relative_to(pages.PAGES).with_suffix("").as_posix() for path in Path(pages.PAGES).glob("*/*.md")
    } == set(ITEMS)
