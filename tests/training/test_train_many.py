"""Several experiments at once: each is the run alone, and what is done is left alone."""

from dataclasses import replace
from pathlib import Path

import pytest

import agon
from agon.errors import RunError, SettingError
from agon.terminal.multi_progress import MultiProgress
from agon.training import Callback
from agon.training.replicates import ReplicatesError, train_many
from tests.training.programs import ROOT, Fateful, points
from tests.training.test_replicates import ONE_THREAD, alone, assert_the_same_run


def look(training: agon.training.Training, run: agon.runs.Run) -> None:
    """Leave a mark at each look."""
    with (run.path / "looks").open("a") as file:
        file.write(f"{training.step}\n")


@pytest.mark.usefixtures("one_core")
def test_each_is_the_run_alone_and_is_trained_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    experiments = {tmp_path / "a" / "seed-0": points(), tmp_path / "b" / "seed-3": points(12, seed=3)}
    first, second = experiments
    runs = train_many(experiments, compute=ONE_THREAD, callbacks={second: Callback(4, look)}, show=False)
    assert list(runs) == [first, second]
    assert_the_same_run(first, alone(points(), 0, tmp_path / "alone-a"))
    assert_the_same_run(second, alone(points(12), 3, tmp_path / "alone-b"))
    assert (second / "looks").read_text().split() == ["0", "4", "8", "12"]
    assert not (first / "looks").exists()
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert train_many(experiments, compute=ONE_THREAD, show=False).keys() == runs.keys()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == made
    with pytest.raises(RunError, match="was begun with other settings"):
        train_many({first: replace(points(), batch=8)}, compute=ONE_THREAD, show=False)
    with pytest.raises(RunError, match=r"holds something|not empty|holds"):
        train_many({tmp_path / "a": points()}, compute=ONE_THREAD, show=False)


@pytest.mark.usefixtures("one_core")
def test_one_that_fails_is_named_and_the_others_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    doomed = points(critic=agon.part(Fateful, diverges=0, dies=9))
    with pytest.raises(ReplicatesError, match=r"1 of 2 trainings failed \(a/seed-0: the loss of generator is no"):
        train_many({tmp_path / "a" / "seed-0": doomed, tmp_path / "b" / "seed-0": points()}, show=False)
    assert_the_same_run(tmp_path / "b" / "seed-0", alone(points(), 0, tmp_path / "alone"))


def test_what_is_left_of_unlike_trainings_is_not_guessed() -> None:
    """A step of one says nothing of another's; of replicates it does."""
    for alike in (True, False):
        progress = MultiProgress({"a": 10, "b": 10_000}, show=False, clock=map(float, range(100)).__next__, alike=alike)
        for step in range(1, 4):
            progress.update("a", step, 10)
        assert (" left" in progress.line()) is alike


def test_what_a_callback_returns_is_taken_if_it_is_a_score(tmp_path: Path) -> None:
    """And a call every no step is refused."""
    seen: list[int] = []
    callback = Callback(1, lambda training, run: (seen.append(training.step), 1))
    agon.train(points(2), tmp_path / "run", callback=callback, compute=ONE_THREAD, show=False)
    assert seen == [0, 1, 2]
    with pytest.raises(SettingError, match="every: expected a call every 1 step or more, got 0"):
        Callback(0, print)


def test_trainings_of_like_paths_have_names_of_their_own(tmp_path: Path) -> None:
    """Two folders that end alike, and one that does not."""
    paths = [tmp_path / end for end in ("p/ring/seed-0", "q/ring/seed-0", "q/ring/seed-1")]
    experiments = {path: points(2, seed=seed) for seed, path in enumerate(paths)}
    runs = train_many(experiments, compute=ONE_THREAD, show=False)
    assert [run.described["seed"] for run in runs.values()] == [0, 1, 2]
    assert all(run.kept[-1] == 2 for run in runs.values())
