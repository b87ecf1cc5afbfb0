"""A paper's item whose folder is lost in the middle is made elsewhere from its storage, with the same numbers."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agon.cli import main
from agon.errors import RunError
from agon.evaluation import evaluate
from agon.papers import find_item, reproduce
from agon.papers.item import Item, per_training
from agon.papers.trainings import PlacedExperiment, experiments
from agon.storage import Address
from agon.training import Compute
from tests.runs.stored import objects_of
from tests.storage.buckets import Bucket
from tests.sweeps.inline import Inline, Killed
from tests.sweeps.test_sweeping import inline
from tests.training.compare import assert_same

__all__ = ["inline"]
ITEM = "metz2017/figure1"


def small(name: str) -> Item:
    """The item with its trainings, a table of one score of few samples, and a picture that is no picture."""
    scores = per_training(lambda run, scale: evaluate(run, metrics=["modes"], n=50)[:1])
    return replace(find_item(name), measure=scores, draw=lambda *_: {".png": b""}, expects=())


@pytest.fixture(autouse=True)
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of ten steps, and a cache of its own."""

    def placed(*arguments: Any, **options: Any) -> dict[str, list[PlacedExperiment]]:
        return {
            label: [each._replace(experiment=replace(each.experiment, steps=10)) for each in of_seeds]
            for label, of_seeds in experiments(*arguments, **options).items()
        }

    monkeypatch.setattr("agon.papers.reproducing.experiments", placed)
    monkeypatch.setattr("agon.papers.controls.experiments", placed)
    monkeypatch.setattr("agon.training.untrained.PASSES", 3)
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))


def made(folder: Path, storage: str = "") -> dict[str, Any]:
    """The numbers of the item with one seed, without what a clock says."""
    page = reproduce(ITEM, folder, scale="smoke", seeds=1, compute=Compute(threads=1), storage=storage, show=False)
    numbers: dict[str, Any] = json.loads(page.with_suffix(".json").read_text())
    for training in numbers["trainings"]:
        for run in training["runs"]:
            del run["seconds"]
    return numbers


@pytest.mark.parametrize("item", [small, pytest.param(find_item, marks=pytest.mark.evidence)])
def test_a_folder_that_is_lost_in_the_middle(
    item: Callable[[str], Item], tmp_path: Path, inline: type[Inline], served: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two trainings; then the same call with an empty disk trains the other one alone."""
    monkeypatch.setattr("agon.papers.reproducing.find_item", item)
    expected, address = made(tmp_path / "whole"), served.address(item.__name__)
    inline.done.clear()
    inline.kills_after = 1
    with pytest.raises(Killed):
        made(tmp_path / "paper", address)
    shutil.rmtree(tmp_path / "paper")
    inline.kills_after = None
    assert made(tmp_path / "elsewhere", address) == expected
    assert len(inline.done) == len(set(inline.done)) == 2
    for name in inline.done:
        assert_same(tmp_path / "elsewhere" / name, tmp_path / "whole" / name)
        stored = objects_of(Address.read(f"{address.replace('?', f'/{name}?')}"))
        assert stored["metrics.jsonl"] == (tmp_path / "elsewhere" / name / "metrics.jsonl").read_bytes()
    pages = {f"figure1{ending}" for ending in (".md", ".json", ".png")}
    assert pages | {"paper.json"} == {name for name in objects_of(Address.read(address)) if "/" not in name}
    with pytest.raises(RunError, match=r"expected im2016 at scale smoke in s3://.*, got .*metz2017.*; choose another"):
        reproduce("im2016/figure7", tmp_path / "other", scale="smoke", storage=address, show=False)


def test_the_command_refuses_what_is_no_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["reproduce", ITEM], ["sweep", "first/ring", "--over", "lr=1,2", "--metric", "modes"]):
        assert main([*command, "--out", str(tmp_path / "out"), "--storage", "runs/there"]) == 2
        assert "expected s3://BUCKET/NAME" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
