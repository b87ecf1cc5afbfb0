"""Skill during a training: recorded at every call, the same after an interruption, and the training does not notice."""

from pathlib import Path

import pytest

import agon
from agon.arena import SkillCallback
from agon.cli import main
from agon.errors import SettingError
from agon.runs import Run, checkpoints, read
from agon.training import Callback
from tests.training.compare import assert_same
from tests.training.programs import points

ONE_THREAD = agon.Compute(threads=1, device="cpu")
CRITIC = agon.part(agon.networks.mlp.Critic, shape=(2,), widths=(8, 8), normalise=True)


def experiment(steps: int = 20, **changes: object) -> agon.Experiment:
    return points(steps, CRITIC, snapshots=8, averaging=agon.Averaging(decay=0.9), **changes)


def watched(path: Path, **changes: object) -> Run:
    callback = Callback(4, SkillCallback(64))
    return agon.train(experiment(**changes), path, compute=ONE_THREAD, callback=callback, show=False)  # type: ignore[arg-type]


def records(run: Run) -> list[dict[str, object]]:
    return [{name: record[name] for name in ("step", "value", "interval", "detail")} for record in read(run.metrics)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return watched(tmp_path_factory.mktemp("live") / "run")


def test_it_is_recorded_where_there_are_earlier_critics(run: Run) -> None:
    """At step 0 there are none, and the first value is 0, from which the others are counted."""
    scores = read(run.metrics)
    assert [score["step"] for score in scores] == [4, 8, 12, 16, 20]
    assert {score["name"] for score in scores} == {"skill"}
    assert scores[0]["value"] == 0
    assert [len(score["detail"]["areas"]) for score in scores] == [
        sum(step < score["step"] for step in run.past) for score in scores
    ]


def test_the_training_does_not_notice(run: Run, tmp_path: Path) -> None:
    alone = agon.train(experiment(), tmp_path / "alone", compute=ONE_THREAD, show=False)
    assert_same(run.path, alone.path)


def test_an_interrupted_training_records_the_same(run: Run, tmp_path: Path) -> None:
    """The rows of earlier calls come from the run, and the critics from its snapshots."""
    again = watched(tmp_path / "again")
    checkpoints.remove(again.checkpoints / "00000020")
    lines = again.metrics.read_text().splitlines(keepends=True)
    again.metrics.write_text("".join(lines[:2]))  # of steps 4 and 8
    agon.resume(again.path, callback=Callback(4, SkillCallback(64)), show=False)
    assert records(again) == records(run)


def test_without_snapshots_it_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingError, match="expected a training that keeps snapshots"):
        agon.train(points(4), tmp_path / "run", callback=Callback(2, SkillCallback(64)), show=False)
    words = ["train", "first/ring", "--scale", "smoke", "--out", str(tmp_path / "cli"), "--evaluate", "skill"]
    assert main(words) == 2
    assert "add --snapshots 20" in capsys.readouterr().err


def test_the_command_line_takes_it_beside_other_metrics(tmp_path: Path) -> None:
    words = ["train", "first/ring", "--scale", "smoke", "--out", str(tmp_path / "run"), "--steps", "12"]
    asked = ["--snapshots", "4", "--evaluate", "skill,pairwise", "--evaluate-every", "6", "--evaluate-n", "32"]
    assert main([*words, *asked]) == 0
    found = {(record["name"], record["step"]) for record in read(Run.open(tmp_path / "run").metrics)}
    assert {("skill", 6), ("skill", 12), ("pairwise", 0), ("pairwise", 6), ("pairwise", 12)} <= found
    assert main(["evaluate", str(tmp_path / "run"), "--metrics", "skill"]) == 2
