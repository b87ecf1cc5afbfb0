"""A sweep trains every run as `train` does, scores it once, and goes on where it was killed."""

import json
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import agon
from agon.cli import main
from agon.cli.sweep import SweepCommand
from agon.data import Images
from agon.errors import RunError, SettingError
from agon.reports import write
from agon.runs import Run
from agon.sweeps import Halving, RandomSearch, SweepFolder, SweepResult, resume, sweep
from agon.sweeps.result import result_of
from agon.sweeps.scoring import Scoring
from agon.sweeps.searching import with_settings
from agon.sweeps.trials import grid
from tests.arena.recorded import STEPS, record_scores, write_run
from tests.sweeps.inline import Inline, Killed
from tests.training.compare import assert_same
from tests.training.programs import ROOT, Fateful, command, finished, points
from tests.training.test_replicates import ONE_THREAD, alone

RATES = {"optimisers.lr": [1e-3, 1e-2]}


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Inline]]:
    """Jobs are done in this process."""
    monkeypatch.setattr("agon.jobs.placing.LocalProcesses", Inline)
    Inline.done, Inline.kills_after = [], None
    yield Inline
    Inline.kills_after = None


def tiny(folder: Path, **changes: object) -> SweepResult:
    """Two learning rates, two seeds, scored by the modes of 100 samples."""
    options = {"over": RATES, "metric": "modes", "seeds": 2, "n": 100, "compute": ONE_THREAD, "show": False}
    return sweep(points(), folder, **{**options, **changes})  # type: ignore[arg-type]


def files(folder: Path) -> dict[Path, int]:
    """When each file of runs was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("seed-*/**/*") if path.is_file()}


@pytest.mark.usefixtures("one_core")
def test_each_run_is_the_run_alone_and_nothing_is_done_twice(tmp_path: Path) -> None:
    """With worker processes; the negative control is another trial's run of the same seed."""
    result = tiny(tmp_path / "sweep")
    for rate in RATES["optimisers.lr"]:
        experiment = agon.Experiment.from_json(agon.experiment.changed(points(), "optimisers.lr", str(rate)).to_json())
        assert_same(alone(experiment, 1, tmp_path / f"{rate}"), tmp_path / "sweep" / f"lr={rate}" / "seed-1")
    with pytest.raises(AssertionError):
        assert_same(tmp_path / "0.001", tmp_path / "sweep" / "lr=0.01" / "seed-1")
    made = files(tmp_path / "sweep")
    assert resume(tmp_path / "sweep", show=False) == result
    assert files(tmp_path / "sweep") == made
    written = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    assert written["result"] == json.loads(result.json)
    assert {row["trial"] for row in written["result"]["table"]} == {"lr=0.001", "lr=0.01"}
    with pytest.raises(RunError, match="holds a sweep already; agon resume"):
        tiny(tmp_path / "sweep")


def test_killed_at_every_moment_it_goes_on(tmp_path: Path, inline: type[Inline]) -> None:
    """After each job in turn: no run is trained or scored twice, and the table is that of a sweep never killed."""
    expected = tiny(tmp_path / "whole")
    inline.done.clear()
    for count in range(4):
        inline.kills_after = count + 1 if count < 3 else None
        begun = (tmp_path / "sweep").exists()
        if count == 3:
            result = resume(tmp_path / "sweep", show=False)
        else:
            with pytest.raises(Killed):
                resume(tmp_path / "sweep", show=False) if begun else tiny(tmp_path / "sweep")
    assert sorted(inline.done) == sorted(set(inline.done))
    assert len(inline.done) == 4
    assert replace(result, directory=expected.directory, comparison=expected.comparison) == expected
    for run in (tmp_path / "sweep").glob("*/seed-*"):
        names = [json.loads(line)["name"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        assert len(names) == len(set(names))


def test_what_diverges_is_a_result_and_not_trained_again(tmp_path: Path, inline: type[Inline]) -> None:
    result = tiny(tmp_path / "sweep", over={"optimisers.lr": [1e30, 1e-2]})
    assert [trial.name for trial in result.trials] == ["lr=0.01", "lr=1e+30"]
    assert result.trials[1].diverged == (0, 1)
    assert "diverged: seed 0, 1" in result.lines[2]
    record = SweepFolder(tmp_path / "sweep").read()
    assert "is not finite any more" in record.diverged["lr=1e+30/seed-0"]
    inline.done.clear()
    resume(tmp_path / "sweep", show=False)
    assert inline.done == []
    page = write(tmp_path / "sweep").read_text()
    assert "is not finite any more" in page
    assert "data:image/png" in page


def test_nothing_but_divergence(tmp_path: Path, inline: type[Inline]) -> None:
    result = tiny(tmp_path / "sweep", over={"optimisers.lr": [1e30, 1e29]})
    assert result.sentence == "No trial has a score: every training diverged."
    assert len(result.lines) > 3
    assert write(tmp_path / "sweep").read_text().count("<section") == 3


def test_the_best_third_goes_on_bit_for_bit(tmp_path: Path, inline: type[Inline]) -> None:
    """Four trials of 20 steps: a rung at step 10 stops two; the others are the runs that never paused."""
    rates = {"optimisers.lr": [1e-4, 1e-3, 1e-2, 3e-2]}
    result = tiny(tmp_path / "sweep", over=rates, halving=Halving(2))
    steps = {trial.name: trial.step for trial in result.trials}
    assert sorted(steps.values()) == [10, 10, 20, 20]
    at_rung = {
        name: [s.value for seed in (0, 1) for s in scores(tmp_path / "sweep" / name / f"seed-{seed}", 10, result.score)]
        for name in steps
    }
    ranking = sorted(at_rung, key=lambda name: sum(filter(None, at_rung[name])))
    assert {name for name, step in steps.items() if step == 20} == set(ranking[:2])
    for name in steps:
        whole = agon.experiment.changed(points(), "optimisers.lr", name.partition("=")[2])
        path = alone(whole, 0, tmp_path / "alone" / name)
        if steps[name] == 20:
            assert_same(tmp_path / "sweep" / name / "seed-0", path)
        else:
            assert Run(tmp_path / "sweep" / name / "seed-0").kept[-1] == 10
    with pytest.raises(SettingError, match="expected one budget for all trials"):
        tiny(tmp_path / "other", over={"steps": [5, 10]}, halving=Halving(2))


def test_who_was_promoted_stays_so_if_it_diverges_later(tmp_path: Path, inline: type[Inline]) -> None:
    """A rung is ranked as it was then, so that nobody else is promoted when the sweep goes on."""
    rates = {"optimisers.lr": [1e-4, 1e-3, 1e-2, 3e-2]}
    result = tiny(tmp_path / "sweep", over=rates, halving=Halving(2))
    folder = SweepFolder(tmp_path / "sweep")
    record = folder.read()
    record.diverged[f"{result.best.name}/seed-0"] = "step 15: the loss is not finite any more"
    folder.write(record)
    inline.done.clear()
    again = resume(tmp_path / "sweep", show=False)
    assert inline.done == []
    assert {trial.name: trial.step for trial in again.trials} == {trial.name: trial.step for trial in result.trials}
    assert next(trial for trial in again.trials if trial.diverged).name == result.best.name


@pytest.mark.parametrize("halving", [Halving(3), Halving(2, first=11)])
def test_halving_that_stops_nobody_is_refused(halving: Halving, tmp_path: Path) -> None:
    rates = {"optimisers.lr": [1e-4, 1e-3, 1e-2, 2e-2, 3e-2]}
    with pytest.raises(SettingError, match="where none is stopped early; leave it out"):
        tiny(tmp_path / "sweep", over=rates, halving=halving)
    assert not (tmp_path / "sweep").exists()


def test_without_halving_nobody_was_stopped_early(tmp_path: Path, inline: type[Inline]) -> None:
    """Trials of other budgets are ranked by their scores, each at its own end."""
    result = tiny(tmp_path / "sweep", over={"steps": [2, 4, 8]})
    assert [trial.mean for trial in result.trials] == sorted(trial.mean for trial in result.trials)
    assert "stopped early" not in "".join(result.lines)
    assert result.comparison is not None


def test_equal_scores_are_not_told_apart(tmp_path: Path, inline: type[Inline]) -> None:
    result = tiny(tmp_path / "sweep", over={"optimisers.lr": ["1e-3", "0.001"]})
    assert result.marks == ("*", "≈")


def test_what_has_not_been_scored_has_not_diverged(tmp_path: Path, inline: type[Inline]) -> None:
    inline.kills_after = 0
    with pytest.raises(Killed):
        tiny(tmp_path / "sweep")
    folder = SweepFolder(tmp_path / "sweep")
    assert result_of(folder, folder.read()).sentence == "No trial has a score: none has been scored yet."


@pytest.mark.parametrize(("kept", "expected"), [(0.2, [0.5]), (0.0, [0.4])])
def test_scores_against_other_images_are_not_those_of_a_sweep(
    kept: float, expected: list[float], tmp_path: Path
) -> None:
    """Those of a user who evaluates a trial against the training images, where the sweep has validation images."""
    run = write_run(tmp_path / "run", {}, data={"type": "images", "validation": kept})
    for split, value in (("validation", 0.5), ("train", 0.4)):
        record_scores(run, {"kid": value}, step=STEPS, metric="kid", n=100, asked=100, seed=0, split=split)
    assert [score.value for score in Scoring("kid", 100).recorded(Run(run))] == expected


def test_values_are_numbers_of_numpy_too(tmp_path: Path, inline: type[Inline]) -> None:
    result = tiny(
        tmp_path / "sweep", over={"optimisers.lr": np.array([1e-3, 1e-2], np.float32), "batch": np.array([8])}
    )
    assert sorted(trial.name for trial in result.trials) == ["lr=0.001,batch=8", "lr=0.01,batch=8"]
    with pytest.raises(SettingError, match=r"expected a sequence of values for each setting, got 0\.1; give \[0\.1\]"):
        tiny(tmp_path / "other", over={"optimisers.lr": 0.1})


def test_a_file_s_seed_is_that_of_its_search(tmp_path: Path, inline: type[Inline]) -> None:
    """From the command line as in Python."""
    experiment = replace(points(2), seed=5)
    (tmp_path / "mine.json").write_text(experiment.to_json())
    search = {"over": {"optimisers.lr": "1e-5..1e-2"}, "seeds": 1, "search": RandomSearch(2)}
    expected = sweep(experiment, tmp_path / "python", metric="modes", n=100, compute=ONE_THREAD, show=False, **search)
    words = ["--over", "optimisers.lr=1e-5..1e-2", "--search", "random", "--trials", "2", "--seeds", "1", "--n", "100"]
    out = tmp_path / "command"
    assert main(["sweep", str(tmp_path / "mine.json"), *words, "--metric", "modes", "--out", str(out)]) == 0
    made = {path.name for path in out.iterdir() if path.is_dir()}
    assert made == {trial.name for trial in expected.trials}


def test_a_recipe_of_time_takes_steps_that_vary(tmp_path: Path, inline: type[Inline]) -> None:
    words = ["--over", "steps=2,3", "--seeds", "1", "--metric", "kid", "--n", "60", "--extractor", "pixels"]
    assert main(["sweep", "own", "--data", "digits", *words, "--out", str(tmp_path / "sweep")]) == 0


def scores(run: Path, step: int, name: str) -> list[agon.runs.scores.ScoreRecord]:
    """The scores of a name at a step."""
    return [it for it in agon.runs.scores.read_scores(run / "metrics.jsonl") if (it.step, it.name) == (step, name)]


@pytest.mark.parametrize("until", [7, 10])
def test_a_paused_training_goes_on_as_if_it_never_stopped(tmp_path: Path, until: int) -> None:
    """At a step with a checkpoint of its own, and at one without."""
    whole = alone(points(), 0, tmp_path / "whole")
    paused = agon.training.train(points(), tmp_path / "paused", compute=ONE_THREAD, show=False, until=until)
    assert paused.kept[-1] == until
    assert json.loads(paused.experiment)["steps"] == 20
    agon.training.resume(paused.path, show=False)
    assert_same(paused.path, whole)


def test_foreign_classes_need_trust(tmp_path: Path, inline: type[Inline], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    foreign = points(critic=agon.part(Fateful, diverges=9, dies=9))
    inline.kills_after = 1
    options = {"over": RATES, "metric": "modes", "n": 100, "compute": ONE_THREAD, "show": False}
    with pytest.raises(Killed):
        sweep(foreign, tmp_path / "sweep", **options)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="is not agon's"):
        resume(tmp_path / "sweep", show=False)
    assert inline.done == ["lr=0.001/seed-0"]


def test_other_failures_are_named_and_tried_again(
    tmp_path: Path, inline: type[Inline], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RunError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("agon.sweeps.scoring.evaluate", full)
        with pytest.raises(RunError, match=r"4 of 4 trainings failed .*could not be scored \(the disk is full\)"):
            tiny(tmp_path / "sweep")
    result = resume(tmp_path / "sweep", show=False)
    assert len(inline.done) == 8
    assert all(len(trial.values) == 2 for trial in result.trials)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--metric", "modes"], "expected settings to vary, got none; an example is --over lr="),
        (["--over", "lr", "--metric", "modes"], "expected PATH=V1,V2,..., got 'lr'"),
        (["--over", "lr=1e-3,,1", "--metric", "modes"], "expected values between the commas"),
        (["--over", "lr=1", "--over", "lr=2", "--metric", "modes"], "expected each setting once"),
        (["--over", "lr=1e-3,1e-2"], "--metric: expected what decides, out of is, fid"),
        (["--over", "lr=1e-3,1e-2", "--metric", "fdi"], "did you mean 'fid'"),
        (["--over", "lr=1e-3,1e-2", "--metric", "modes", "--jobs", "0"], "--jobs: expected at least 1, got 0"),
        (["--over", "rate=1,2", "--metric", "modes"], "trial rate=1: there is no setting of experiment 'rate'"),
        (["--over", "lr=1e-3..1e-2", "--metric", "modes"], "--search random --trials N draws from it"),
    ],
)
def test_what_the_command_refuses(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep"
    assert main(["sweep", "first/ring", "--scale", "smoke", "--out", str(out), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_the_command(tmp_path: Path, inline: type[Inline], capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sweep"
    command = ["sweep", "first/ring", "--scale", "smoke", "--steps", "4", "--over", "n_critic=1,2", "--seeds", "1"]
    assert main([*command, "--metric", "modes", "--n", "50", "--device", "cpu", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^Best of 2 trials by jensen-shannon \(lower is better\): n_critic=[12]\.$", told, re.MULTILINE)
    assert told.splitlines()[-2:] == [str(out / "sweep.json"), str(out / "report.html")]
    assert {path.name for path in out.glob("n_critic=*")} == {"n_critic=1", "n_critic=2"}
    assert main(["resume", str(out)]) == 0
    assert capsys.readouterr().out == told
    assert main(["resume", str(out), "--steps", "9"]) == 2
    assert main(["resume", str(out), "--alarms", "stop"]) == 2
    assert main(["report", str(out), "--out", str(tmp_path / "page.html")]) == 0


@pytest.mark.evidence
def test_killed_for_real(tmp_path: Path) -> None:
    """SIGKILL of the command in the middle; then `agon resume` ends with the table of a sweep never killed."""
    options = ["--scale", "smoke", "--steps", "600", "--over", "lr=1e-4,1e-3", "--seeds", "2", "--metric", "modes"]
    whole, out = tmp_path / "whole", tmp_path / "sweep"
    arguments = ["sweep", "first/ring", *options, "--n", "200", "--device", "cpu"]
    assert finished(command(*arguments, "--out", whole))[0] == 0
    process = command(*arguments, "--out", out)
    while not any(out.glob("*/seed-*/metrics.jsonl")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert finished(process)[0] == -signal.SIGKILL
    status, told, _ = finished(command("resume", out))
    assert status == 0
    tables = [json.loads((folder / "sweep.json").read_text())["result"]["table"] for folder in (whole, out)]
    assert tables[0] == tables[1]
    for run in whole.glob("*/seed-*"):
        assert_same(run, out / run.relative_to(whole))
    assert "Best of 2 trials" in told


def test_a_sweep_with_a_name_has_the_papers_choice_and_what_is_given_instead(tmp_path: Path) -> None:
    """im2016 held 10,000 of MNIST's 60,000 training images out; trials differ in their rates alone."""
    command = SweepCommand("im2016/rates", tmp_path, n=100)
    command._complete()
    over, train = command._checked()
    assert (train.recipe, command.metric, command.n, command.seeds) == ("im2016/mnist-gran3", "kid", 100, 2)
    assert {path: len(values) for path, values in over.items()} == {
        "optimisers.generator.lr": 4,
        "optimisers.critic.lr": 4,
    }
    recipe = agon.recipe(train.recipe)
    made = recipe.experiment(Images(path="digits", size=28), "smoke")
    assert made.data.validation == pytest.approx(10_000 / 60_000)
    assert made.data.held_out == "validation"
    trials = [with_settings(made, settings) for settings in grid(over)]
    rates = {tuple(each.optimisers[player].settings["lr"] for player in ("generator", "critic")) for each in trials}
    assert len(rates) == 16
    assert all(replace(each, optimisers=made.optimisers) == made for each in trials)


def test_sweeps_with_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "im2016", "rates", "chosen"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "im2016/rates"
    assert main(["recipes", "im2016"]) == 0
    assert "agon sweep NAME (1)" in capsys.readouterr().out
