"""Evaluating beside a training, and beside another evaluation."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from agon.cli import main
from agon.errors import RunError
from agon.evaluation import evaluate
from agon.runs import Run, read

TINY = ("--scale", "smoke", "--threads", "1", "--device", "cpu")


def test_a_run_that_trains_is_evaluated(tmp_path: Path) -> None:
    """Its training ends as it would have, with the scores in between."""
    out = tmp_path / "run"
    words = ["train", "first/ring", *TINY, "--steps", "1000000", "--set", "checkpoint_every=5", "--out", str(out)]
    training = subprocess.Popen([sys.executable, "-m", "agon", *words], stderr=subprocess.DEVNULL)
    try:
        while not any(int(name.name) >= 10 for name in (out / "checkpoints").glob("[0-9]*[0-9]")):  # the newest three
            assert training.poll() is None
            time.sleep(0.1)
        steps = []
        for _ in range(3):
            steps += [score.passport["step"] for score in evaluate(Run.open(out), metrics=["pairwise"], n=20)]
        with pytest.raises(RunError, match="is being written by another process"), Run.open(out).locked():
            pass
        assert training.poll() is None
    finally:
        training.terminate()
        training.wait()
    assert steps == sorted(steps)
    assert steps[0] >= 10
    recorded = read(out / "metrics.jsonl")
    assert [record["step"] for record in recorded] == list(dict.fromkeys(steps))


def test_what_another_evaluation_recorded_meanwhile_is_not_recorded_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    assert main(["train", "first/ring", *TINY, "--steps", "1", "--out", str(out)]) == 0
    from agon.evaluation import evaluating

    first = evaluating.METRICS["pairwise"]
    others: list[object] = []

    def slow(evidence: object) -> object:
        if not others:
            others.append(None)
            others.extend(evaluate(Run.open(out), metrics=["pairwise"], n=20))
        return first(evidence)

    monkeypatch.setitem(evaluating.METRICS, "pairwise", slow)
    assert evaluate(Run.open(out), metrics=["pairwise"], n=20) == others[1:]
    assert len(read(out / "metrics.jsonl")) == 1


def test_a_watched_training_takes_its_scores_while_others_read_them(tmp_path: Path) -> None:
    out = tmp_path / "run"
    watch = ("--evaluate", "pairwise", "--evaluate-every", "1", "--evaluate-n", "20")
    assert main(["train", "first/ring", *TINY, "--steps", "2", *watch, "--out", str(out)]) == 0
    assert [record["step"] for record in read(out / "metrics.jsonl")] == [0, 1, 2]
