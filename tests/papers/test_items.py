"""Items are made at the smallest scale: trainings, measurements, pictures, tables and numbers.

In `make test` one of each way to measure and to draw, in `make evidence` all.
"""

import errno
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from filelock import FileLock

from agon.errors import RunError, SettingError
from agon.experiment import Experiment
from agon.papers import ITEMS, find_item, items, reproduce
from agon.papers.expectation import Expectation
from agon.papers.reproducing import _written
from agon.papers.trainings import PlacedExperiment, experiments
from agon.recipes import find
from agon.runs import Run, read
from agon.runs.mirrors import Addresses
from agon.terminal.waiting import _shown
from agon.training import Callback, Compute, train
from agon.training.replicates import train_many
from tools.pages import numbers_of


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all items, whichever process tests them: a training is made once."""
    base = tmp_path_factory.getbasetemp()
    return (base if base.parent.name.startswith("pytest-of") else base.parent) / "items"


@pytest.fixture
def trained_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of ten steps in this process, since starting another takes longer; test_train_many is of processes."""

    def short(*arguments: Any, **options: Any) -> dict[str, list[PlacedExperiment]]:
        return {
            label: [each._replace(experiment=replace(each.experiment, steps=10)) for each in placed]
            for label, placed in experiments(*arguments, **options).items()
        }

    def here(
        experiments: Mapping[Path, Experiment],
        *,
        compute: Compute,
        callbacks: Mapping[Path, Callback],
        on: str,
        storage: Addresses,
        show: bool,
    ) -> dict[Path, Run]:
        for path, experiment in experiments.items():
            if not path.exists():
                train(experiment, path, compute=Compute(threads=1), show=show, callback=callbacks.get(path))
        how: dict[str, Any] = {"compute": compute, "callbacks": callbacks, "storage": storage}
        return train_many(experiments, on=on, show=show, **how)  # all are done

    monkeypatch.setattr("agon.papers.reproducing.train_many", here)
    monkeypatch.setattr("agon.papers.reproducing.experiments", short)
    monkeypatch.setattr("agon.papers.controls.experiments", short)
    monkeypatch.setattr("agon.training.untrained.PASSES", 3)  # networks of ten steps are compared with no others


def kind(function: Callable[..., object]) -> tuple[object, ...]:
    """What tells ways to measure or to draw apart: the function, and those that it was made of."""
    inner = [cell.cell_contents for cell in function.__closure__ or () if isinstance(cell.cell_contents, FunctionType)]
    return (function.__module__, function.__qualname__, *map(kind, inner))


def smallest_of_each_kind() -> set[str]:
    """The smallest item of each paper's ways to measure and to draw: the others differ in their trainings and data."""
    kinds: dict[object, str] = {}
    for name, item in sorted(((name, find_item(name)) for name in ITEMS), key=lambda pair: len(pair[1].trainings)):
        kinds.setdefault((name.partition("/")[0], kind(item.measure), kind(item.draw), item.history is None), name)
    return set(kinds.values())


LARGE = {"im2016/table1", "argan2018/table1"}  # some of their rows are made in the tests of their papers' items
COVERING = smallest_of_each_kind() - LARGE


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in COVERING else pytest.mark.evidence) for name in ITEMS]
)
@pytest.mark.usefixtures("trained_here")
def test_every_item_is_made(name: str, shared: Path) -> None:
    item, (paper, _, short) = find_item(name), name.partition("/")
    folder = shared / paper
    shared.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        page = reproduce(name, folder, scale="smoke", seeds=1, show=False)
        told = json.loads(page.with_suffix(".json").read_text())
        runs = [run for each in told["trainings"] for run in each["runs"]]
        lasts = [read(folder / run["run"] / "log.jsonl")[-1] for run in runs]
    assert all(last["wall/seconds"] == run["seconds"] for last, run in zip(lasts, runs, strict=True))
    assert all(math.isfinite(value) for last in lasts for value in last.values())
    assert page == folder / f"{short}.md"
    assert told["pictures"][0] == f"{short}.png"
    assert (folder / f"{short}.png").read_bytes().startswith(b"\x89PNG")
    assert [each["label"] for each in told["trainings"]] == list(item.trainings)
    assert told["rows"]
    steps = {each["label"]: each["steps"] for each in told["trainings"]}
    for each in told.get("history", []):  # metz2017 counts the updates of both players
        assert each["entries"][-1]["updates"] == steps[each["label"]] * (2 if paper == "metz2017" else 1)
    assert set(told["controls"]) == (set(item.controls) - {"exchanged", "copies"} if item.expects else set())
    for rows in told["controls"].values():
        assert {row["label"] for row in rows} <= {row["label"] for row in told["rows"]}
    for expectation in told["expectations"]:
        assert {each["verdict"] for each in expectation["controls"].values()} - {"not measured"}, expectation["says"]
    text = page.read_text()
    assert all(f"| {row['label']} | 0 |" in text for row in told["rows"])
    assert all(text in page.read_text() for row in item.published.values() for text in row.values())


@pytest.mark.usefixtures("one_core", "trained_here")
def test_an_item_goes_on_where_it_was(tmp_path: Path) -> None:
    """Asked again, nothing is trained twice; more seeds are added to those that are there."""
    page = reproduce("yamazaki2017/figure5.1", tmp_path, scale="smoke", seeds=2, show=False)
    numbers, picture = page.with_suffix(".json"), page.with_suffix(".png")
    told = json.loads(numbers.read_text())
    for row in told["rows"]:
        assert [each["seed"] for each in row["seeds"]] == [0, 1]
        for name, summary in row["summary"].items():
            values = [each["scores"][name]["value"] for each in row["seeds"]]
            assert summary["mean"] == pytest.approx(sum(values) / 2)
            assert summary["half"] == pytest.approx(12.706 / 2 * abs(values[0] - values[1]), rel=1e-3)
    for training in told["trainings"]:
        (history, _) = (each for each in told["history"] if each["label"] == training["label"])
        assert history["entries"][-1]["updates"] == training["steps"]
    made = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/seed-*/checkpoints/*/*")}
    before = page.read_bytes(), numbers.read_bytes(), picture.read_bytes()
    assert reproduce("yamazaki2017/figure5.1", tmp_path, scale="smoke", seeds=2, show=False) == page
    assert (page.read_bytes(), numbers.read_bytes(), picture.read_bytes()) == before
    reproduce("yamazaki2017/figure5.1", tmp_path, scale="smoke", seeds=3, show=False)
    assert [each["seed"] for each in json.loads(numbers.read_text())["rows"][0]["seeds"]] == [0, 1, 2]
    assert {path: path.stat().st_mtime_ns for path in made} == made
    three, result = without_times(numbers), numbers.rename(tmp_path / "of-three.json")
    reproduce("yamazaki2017/figure5.1", tmp_path, scale="smoke", seed=3, seeds=1, show=False)
    assert [run["seed"] for run in json.loads(numbers.read_text())["trainings"][0]["runs"]] == [3]
    reproduce("yamazaki2017/figure5.1", tmp_path, scale="smoke", seed=3, seeds=1, join=[result], show=False)
    four = without_times(numbers)
    assert four.pop("joined")[0]["seeds"] == [0, 1, 2]
    reproduce("yamazaki2017/figure5.1", tmp_path, scale="smoke", seeds=4, show=False)
    assert four == without_times(numbers) != three
    with pytest.raises(RunError, match="expected successive seeds, each once, got 0 to 2 and 2;"):
        reproduce("yamazaki2017/figure5.1", tmp_path, scale="smoke", seed=2, seeds=1, join=[result], show=False)
    with pytest.raises(RunError, match="begun with other settings"):
        reproduce("yamazaki2017/figure5.1", tmp_path, scale="quick", seeds=2, show=False)


@pytest.mark.usefixtures("one_core", "trained_here")
def test_no_part_of_an_item_is_made_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring the paper's own size takes many minutes after the trainings: each part stands within `waiting`."""
    lines: list[str] = []

    def said(part: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def make_and_tell(*arguments: Any) -> Any:
            assert _shown[-1].show
            lines.append(f"{part}: {_shown[-1].line()}")
            return make(*arguments)

        return make_and_tell

    item = find_item("im2016/figure27")
    parts: dict[str, Any] = {"measure": item.measure, "real": item.measure, "panels": lambda *_: (), "draw": item.draw}
    spies: dict[str, Any] = {part: said(part, make) for part, make in parts.items()}
    spied = replace(item, controls=("real",), copies={}, expects=[replace(item.expects[0], controls=None)], **spies)
    monkeypatch.setattr("agon.papers.reproducing.find_item", lambda _: spied)
    reproduce(item.name, tmp_path, scale="smoke", seeds=2)
    assert [line.partition("  ")[0] for line in lines] == [
        *["measure: measuring im2016/figure27, seed by seed"] * 2,
        *["real: measuring the controls of im2016/figure27, seed by seed"] * 2,
        "panels: comparing the seeds of im2016/figure27",
        "draw: drawing im2016/figure27",
    ]


def test_a_full_disk_is_no_matter_for_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item's pages are no run: the same command makes them again."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("agon.runs.files.write_through", full)
    numbers = numbers_of("metz2017/figure1")
    assert numbers is not None
    with pytest.raises(RunError, match=r"figure1\.json cannot be written .*; the same command goes on") as refused:
        _written(tmp_path, numbers, {})
    assert "agon resume" not in str(refused.value)


def without_times(numbers: Path) -> dict[str, Any]:
    """What was measured, without the seconds of each training."""
    told: dict[str, Any] = json.loads(numbers.read_text())
    for training in told["trainings"]:
        training["runs"] = [{**run, "seconds": 0} for run in training["runs"]]
    return told


def test_what_is_asked_for_wrongly_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"there is no item 'metz2017/figur1'; did you mean 'metz2017/figure1'\?"):
        reproduce("metz2017/figur1", tmp_path)
    with pytest.raises(SettingError, match="seeds: expected at least 1, got 0"):
        reproduce("metz2017/figure1", tmp_path, seeds=0)
    with pytest.raises(SettingError, match="there is no set of images 'minst'; did you mean 'mnist'"):
        reproduce("metz2017/figure1", tmp_path, data=["minst=somewhere"])
    with pytest.raises(SettingError, match="there is no item"):
        items("metz")
    assert list(tmp_path.iterdir()) == []


def test_a_papers_name_means_all_its_items() -> None:
    assert items("metz2017") == [name for name in ITEMS if name.startswith("metz2017/")]
    assert items("metz2017/figure1") == ["metz2017/figure1"]


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_says_what_it_is(name: str) -> None:
    """A claim in a sentence, trainings that are listed, expectations of rows, a default number of seeds."""
    item = find_item(name)
    assert item.name == name
    assert not item.claim.endswith(".")
    assert all(find(recipe.name) is recipe for recipe in item.trainings.values())
    assert item.seeds >= 1
    assert all(isinstance(each, Expectation) for each in item.expects)


def test_every_quick_item_ends_within_twenty_minutes() -> None:
    """Of the trainings on 2 cores, as they were measured; those that have numbers were."""
    told = {name: item.minutes["quick"] for name, item in ITEMS.items()}
    assert not [name for name, minutes in told.items() if minutes is None and has_all_numbers(name)]
    assert {name: minutes for name, minutes in told.items() if minutes and minutes > 20} == {}


def has_all_numbers(name: str) -> bool:
    """Whether every training of an item was run for its numbers: a row that came later was not."""
    numbers = numbers_of(name)
    run = set() if numbers is None else {each["recipe"] for each in numbers["trainings"]}
    return {recipe.name for recipe in ITEMS[name].trainings.values()} <= run
