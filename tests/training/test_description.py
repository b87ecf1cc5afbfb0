"""A run's description is what its checkpoints were written with: what is edited by hand is refused, and printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agon
from agon.errors import RunError
from agon.experiment import Experiment
from agon.runs import Run, checkpoints
from agon.samples.making import load
from tests.training.compare import assert_same
from tests.training.programs import points, small

ONE_THREAD = agon.Compute(threads=1, device="cpu")
Edit = Callable[[dict[str, Any]], None]


def train(run: Path, experiment: Experiment) -> Path:
    agon.train(experiment, run, compute=ONE_THREAD, show=False)
    return run


def edited(run: Path, edit: Edit) -> None:
    file = run / "experiment.json"
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


EDITS: dict[str, tuple[Edit, str]] = {
    "rate": (lambda e: e["optimisers"].update(lr=0.5), r"optimisers\.lr: 0\.\d+ -> 0\.5"),
    "batch": (lambda e: e.update(batch=8), "batch: 16 -> 8"),
    "seed": (lambda e: e.update(seed=3), "seed: 0 -> 3"),
    "marks": (lambda e: e.update(checkpoint_every=7), "checkpoint_every: 10 -> 7"),
    "grid": (lambda e: e.update(grid=4), "grid: 9 -> 4"),
    "objective": (lambda e: e["game"]["objective"].update(type="least-squares"), r"game\.objective\.type: "),
    "data": (lambda e: e["data"].update(std=0.5), r"data\.std: "),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_setting_is_refused_and_printed(name: str, tmp_path: Path) -> None:
    run, (edit, words) = train(tmp_path / "run", points(10)), EDITS[name]
    edited(run, edit)
    for ask in (lambda: agon.resume(run, steps=20, show=False), lambda: load(Run.open(run))):
        with pytest.raises(RunError, match=words):
            ask()


def test_an_edited_budget_is_a_longer_one(tmp_path: Path) -> None:
    run = train(tmp_path / "run", points(10))
    edited(run, lambda e: e.update(steps=20))
    agon.resume(run, show=False)
    assert_same(run, train(tmp_path / "whole", points(20)))


def test_edited_arithmetic_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may change: what is trained is the same but for the last bits."""
    run = train(tmp_path / "run", points(10))
    file = run / "arithmetic.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "threads": 2, "precision": "bf16"}))
    agon.resume(run, steps=12)
    told = capsys.readouterr().err
    assert "threads: 1 -> 2: the steps from here on may differ" in told
    assert 'precision: "fp32" -> "bf16"' in told


def without_description(run: Path) -> None:
    """The checkpoints as an earlier version wrote them."""
    for state in (run / "checkpoints").glob("*/state.json"):
        content = json.loads(state.read_text())
        del content["sha256"], content["state"]["experiment"], content["state"]["arithmetic"]
        state.write_text(json.dumps({**content, "sha256": checkpoints._digest(checkpoints._canonical(content))}))


def test_a_run_of_an_earlier_version_goes_on_by_its_own_rules(tmp_path: Path) -> None:
    """It knows no ramp of the average, notes nothing of its source, and has no description in its checkpoints."""
    slow = {"averaging": agon.Averaging(decay=0.9, ramp=False)}
    run = train(tmp_path / "run", small(10, **slow))
    edited(run, lambda e: e["averaging"].pop("ramp"))
    compute = json.loads((run / "arithmetic.json").read_text())
    del compute["source"]
    (run / "arithmetic.json").write_text(json.dumps(compute))
    without_description(run)
    assert load(Run.open(run)).step == 10
    agon.resume(run, steps=20, show=False)
    assert_same(run, train(tmp_path / "whole", small(20, **slow)))


def test_so_it_does_when_its_experiment_is_handed_over(tmp_path: Path) -> None:
    run = train(tmp_path / "run", small(5, averaging=agon.Averaging(decay=0.9, ramp=False)))
    edited(run, lambda e: e["averaging"].pop("ramp"))
    with pytest.raises(RunError, match=r"averaging\.ramp: false -> true"):
        agon.resume(run, steps=6, experiment=small(6), show=False)
    agon.resume(run, steps=6, experiment=small(6, averaging=agon.Averaging(decay=0.9, ramp=False)), show=False)
