"""Seeds of several results, judged together: as if one call had made them all; other trainings are refused."""

import copy
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from agon.errors import RunError
from agon.papers import find_item
from agon.papers.joining import check_joins, joined
from agon.papers.numbers import rejudged
from agon.papers.page import page
from agon.papers.results import read_result, seeds_of
from tools.pages import numbers_of

NAME = "yamazaki2017/figureC.4"  # six claims, a control, five seeds at the paper's scale
HISTORY = "metz2017/figure1"


def part(whole: dict[str, Any], seeds: Iterable[int]) -> dict[str, Any]:
    """What a call with some of the seeds would have written."""
    kept = set(seeds)
    own = copy.deepcopy(whole)
    for row in (*own["rows"], *(row for rows in own["controls"].values() for row in rows)):
        row["seeds"] = [seed for seed in row["seeds"] if seed["seed"] in kept]
    for training in own["trainings"]:
        training["runs"] = [run for run in training["runs"] if run["seed"] in kept]
    own["history"] = [entry for entry in own["history"] if entry["seed"] in kept]
    return rejudged(find_item(own["item"]), {**own, "seeds": len(kept)})


def written(numbers: dict[str, Any], path: Path) -> Path:
    path.write_text(json.dumps(numbers))
    return path


def known(name: str = NAME) -> dict[str, Any]:
    numbers = numbers_of(name, "paper")
    assert numbers is not None
    return numbers


@pytest.mark.parametrize("name", [NAME, HISTORY])
@pytest.mark.parametrize("own", [(0, 1), (2, 3), (4,)])
def test_joined_seeds_are_judged_as_if_one_call_had_made_them(name: str, own: tuple[int, ...], tmp_path: Path) -> None:
    whole = known(name)
    others = [part(whole, seeds) for seeds in ((0, 1), (2, 3), (4,)) if seeds != own]
    results = [read_result(written(other, tmp_path / f"{place}.json")) for place, other in enumerate(others)]
    together = joined(find_item(name), part(whole, own), results)
    assert [each["seeds"] for each in together.pop("joined")] == [[0, 1], [2, 3], [4]]
    assert together == whole
    assert {claim["verdict"] for claim in together["expectations"]} != {"one seed"}


def test_a_joined_result_is_joined_again(tmp_path: Path) -> None:
    whole, item = known(), find_item(NAME)
    two = joined(item, part(whole, (2, 3)), [read_result(written(part(whole, (0, 1)), tmp_path / "a.json"))])
    three = joined(item, part(whole, (4,)), [read_result(written(two, tmp_path / "b.json"))])
    assert [each["seeds"] for each in three.pop("joined")] == [[0, 1], [2, 3], [4]]
    assert three == whole


def test_the_page_says_which_versions_made_which_seeds(tmp_path: Path) -> None:
    whole = known()
    older = part(whole, (0, 1))
    older["versions"] = {**older["versions"], "torch": "2.11.0\n| oh"}
    result = read_result(written(older, tmp_path / "a.json"))
    told = page(joined(find_item(NAME), part(whole, (2, 3, 4)), [result]))
    ours = whole["versions"]["torch"]
    assert f"torch 2.11.0\\n| oh for seeds 0 to 1, {ours} for seeds 2 to 4)" in told
    assert "--scale paper --seeds 5`" in told
    assert (
        "Several results were joined, of seeds 0 to 1, 2 to 4; pictures and panels are of the call that joined" in told
    )
    assert "joined" not in page(part(whole, (2, 3, 4)))
    assert f"--scale paper --seed 2 --seeds 3` (cpu, fp32, torch {ours})" in page(part(whole, (2, 3, 4)))


@pytest.mark.parametrize(
    ("seeds", "got"), [((0, 1, 2), "0 to 2 and 2 to 4"), ((0,), "0 and 2 to 4"), ((5, 6, 7, 8), "")]
)
def test_seeds_are_successive_and_each_is_counted_once(seeds: tuple[int, ...], got: str) -> None:
    whole = known()
    asked = {name: whole[name] for name in ("item", "scale")}
    if not got:
        return check_joins(asked, seeds, [part(whole, (2, 3, 4))])
    with pytest.raises(RunError, match=f"expected successive seeds, each once, got {got};"):
        check_joins(asked, seeds, [part(whole, (2, 3, 4))])
    return None


@pytest.mark.parametrize("name", ["item", "scale", "asked"])
def test_another_items_result_is_refused_before_anything_is_trained(name: str) -> None:
    other = part(known(), (0, 1)) | {name: ["something else"]}
    with pytest.raises(RunError, match=f"with {name} .*, got \\['something else'\\]; without it"):
        check_joins({"item": NAME, "scale": "paper"}, [2], [other])


def of_training(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda other: other["trainings"][0].update({name: 7})


@pytest.mark.parametrize(
    ("what", "change"),
    [
        *((f"{name} of trainings", of_training(name)) for name in ("label", "recipe", "data", "steps", "images")),
        ("rows and scores", lambda other: other["rows"].pop()),
        ("rows and scores", lambda other: other["rows"][0]["seeds"][0]["scores"].popitem()),
        ("controls", lambda other: other["controls"].clear()),
    ],
)
def test_other_trainings_are_refused(what: str, change: Callable[[dict[str, Any]], None]) -> None:
    other = part(known(), (0,))
    joined(find_item(NAME), part(known(), (1,)), [other])
    change(other)
    with pytest.raises(RunError, match=f"a result of the same trainings, with {what} "):
        joined(find_item(NAME), part(known(), (1,)), [other])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rows", 0, "seeds", 0, "scores"), {"classes": {"value": "8", "error": None}}),
        (("rows", 0, "seeds", 0, "scores"), {"classes": {"value": 8}}),
        (("rows", 0, "seeds"), []),
        (("rows",), [1]),
        (("rows",), []),
        (("rows",), None),
        (("trainings", 0, "runs", 0, "seconds"), "1"),
        (("trainings", 0, "runs", 0, "seed"), float("inf")),
        (("trainings", 0, "steps"), ...),
        (("controls",), []),
        (("history",), [{"label": "", "seed": 0, "entries": [{"step": "x"}]}]),
        (("versions",), ...),
        ((), []),
    ],
)
def test_a_file_that_is_no_result_is_named_in_a_sentence(path: tuple[Any, ...], value: object, tmp_path: Path) -> None:
    changed: Any = {"": known()}
    place = changed
    for key in ("", *path[:-1]) if path else ():
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1] if path else ""] = value
    file = written(changed[""], tmp_path / "it.json")
    with pytest.raises(RunError, match=r"it\.json: expected the JSON of an item from `agon reproduce`, got something"):
        read_result(file)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"missing\.json: cannot be read: No such file"):
        read_result(tmp_path / "missing.json")
    (tmp_path / "deep.json").write_text("[" * 10_000)
    with pytest.raises(RunError, match="nested more than"):
        read_result(tmp_path / "deep.json")
    assert seeds_of(read_result(written(known(), tmp_path / "whole.json"))) == [0, 1, 2, 3, 4]
