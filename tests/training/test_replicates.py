"""Each replicate is the training that is run alone, whatever happens to the others."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import agon
from agon.cli import main
from agon.errors import AgonError, Interrupted, RunError, SettingError
from agon.jobs import Ended, Outcome
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import QUIET
from agon.training.replicates import STRATEGIES, ReplicatesError, resume
from agon.training.replicates.folder import Folder, Plan, make_plan
from tests.test_progress import Clock, Terminal, terminal
from tests.training.compare import assert_same
from tests.training.programs import ROOT, Fateful, command, finished, points, small
from tests.training.test_stopping import only_sentence, wait_for_step

ONE_THREAD = agon.Compute(threads=1, device="cpu")
__all__ = ["terminal"]  # a fixture


def alone(experiment: agon.Experiment, seed: int, run: Path) -> Path:
    """The run of one seed, trained by itself."""
    return agon.train(replace(experiment, seed=seed), run, compute=ONE_THREAD, show=False).path


def assert_the_same_run(one: Path, other: Path) -> None:
    """Bit for bit, the written choices included."""
    assert_same(one, other)
    assert (one / "experiment.json").read_text() == (other / "experiment.json").read_text()
    choices = [json.loads((run / "arithmetic.json").read_text()) for run in (one, other)]
    assert [choice.pop("cores") > 0 for choice in choices] == [True, True]  # a test may give a process others
    assert choices[0] == choices[1]


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agon.training.compute.cores", lambda: 2)


@pytest.mark.usefixtures("two_cores")
def test_each_replicate_is_the_run_that_is_trained_alone(tmp_path: Path) -> None:
    """Three seeds on two cores, so that one process trains two of them; batch normalisation and averages."""
    experiment = small(12, seed=7)
    runs = agon.replicate(experiment, tmp_path / "all", 3, show=False)
    assert [run.path for run in runs] == [tmp_path / "all" / f"seed-{seed}" for seed in (7, 8, 9)]
    for seed in (7, 8, 9):
        assert_the_same_run(tmp_path / "all" / f"seed-{seed}", alone(experiment, seed, tmp_path / str(seed)))
    with pytest.raises(AssertionError):  # the negative control
        assert_same(tmp_path / "7", tmp_path / "all" / "seed-8")


@pytest.mark.usefixtures("one_core")
def test_those_that_fail_are_named_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed 1 becomes NaN, the process of seed 2 is killed, and another process trains the rest."""
    monkeypatch.syspath_prepend(str(ROOT))
    doomed = points(critic=agon.part(Fateful, diverges=1, dies=2))
    with pytest.raises(ReplicatesError) as caught:
        agon.replicate(doomed, tmp_path / "all", 4)
    told = str(caught.value)
    assert "2 of 4 replicates failed" in told
    assert "seed 1: the loss of generator is not finite any more at step" in told
    assert "seed 2: its process was ended by SIGKILL" in told
    assert told.endswith(f"go on with: agon resume {tmp_path / 'all'}")
    assert len(caught.value.runs) == 4
    for seed in (0, 3):
        assert_the_same_run(tmp_path / "all" / f"seed-{seed}", alone(doomed, seed, tmp_path / str(seed)))
    shown = capsys.readouterr().err
    assert {line.partition(":")[0] for line in shown.splitlines() if line.startswith("seed-")} == {
        *(f"seed-{seed}" for seed in range(4))
    }
    assert shown.splitlines()[-1] == "2 of 4 done  2 failed"


class Foreseen:
    """Means that end as a test says, without a process."""

    def __init__(self, folder: Folder, plan: Plan, alarms: object) -> None:
        for seed in plan.seeds[:2]:
            folder.run(seed).path.mkdir()
            (folder.run(seed).path / "experiment.json").touch()

    def run(self, progress: MultiProgress) -> Outcome:
        return self.outcome

    outcome: Outcome


@pytest.mark.parametrize(
    ("ended", "number", "error", "status", "told"),
    [
        ({0: "", 1: "nan", 2: ""}, 0, ReplicatesError, 3, "1 of 3 replicates failed (seed 1: nan); {}/seed-1"),
        ({0: "", 1: "", 2: "nan"}, 0, ReplicatesError, 3, "1 of 3 replicates failed (seed 2: nan); {}"),
        ({0: "nan", 1: "", 2: "nan"}, 0, ReplicatesError, 3, "2 of 3 replicates failed (seeds 0, 2: nan); {}"),
        ({0: "", 1: "nan"}, 15, Interrupted, 143, "SIGTERM: stopped; 1 of 3 replicates are done; {}"),
        ({0: "", 1: "nan", 2: ""}, 2, ReplicatesError, 3, "1 of 3 replicates failed (seed 1: nan); {}/seed-1"),
    ],
)
def test_the_last_sentence_says_how_to_go_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ended: dict[int, str],
    number: int,
    error: type[AgonError],
    status: int,
    told: str,
) -> None:
    """Seeds 0 and 1 were begun: a run can go on alone; seed 2 goes on with the directory."""
    outcome = Outcome({f"seed-{seed}": Ended(3 if why else 0, why) for seed, why in ended.items()}, number)
    monkeypatch.setattr(Foreseen, "outcome", outcome, raising=False)
    monkeypatch.setitem(STRATEGIES, "foreseen", Foreseen)
    with pytest.raises(error) as caught:
        agon.replicate(points(), tmp_path / "all", 3, strategy="foreseen", show=False)
    assert str(caught.value) == told.format(f"go on with: agon resume {tmp_path}/all")
    assert caught.value.status == status


@pytest.mark.usefixtures("one_core")
def test_a_signal_stops_all_and_resume_goes_on_with_those_not_begun_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM reaches the whole group, as from a scheduler: every worker hears it twice."""
    folder = tmp_path / "all"
    marks = {"checkpoint_every": 40, "sample_every": 200, "log_every": 100}
    sets = [f"--set={name}={value}" for name, value in marks.items()]
    begin = ("train", "first/ring", "--scale", "smoke", "--steps", 200, "--device", "cpu", *sets)
    process = command(*begin, "--seeds", 8, "--out", folder)
    wait_for_step(folder / "seed-0", 40)
    os.killpg(process.pid, signal.SIGTERM)
    status, _, err = finished(process)
    assert status == 128 + signal.SIGTERM
    assert only_sentence(err).endswith(f"of 8 replicates are done; go on with: agon resume {folder}")
    begun = {seed for seed in range(8) if Folder(folder).begun(seed)}
    assert 0 in begun
    assert 7 not in begun
    assert not re.search(r"seed-\d: (?!done)", err), "to be stopped is no failure"
    # the rest of seed 0, and seed 7 from its beginning; the others in between are no other case
    text = (folder / "replicates.json").read_text()
    few = re.sub(r'"seeds": \[[^\]]*\]', '"seeds": [0, 7]', text)
    (folder / "replicates.json").write_text(few)
    assert main(["resume", str(folder)]) == 0
    told = capsys.readouterr()
    assert told.out.strip() == str(folder / "report.html")
    assert f"seed-0: {folder}/seed-0 goes on from step" in told.err
    assert "seed-7: done" in told.err
    experiment = agon.Experiment.from_json(agon.Run.open(folder / "seed-0").experiment)
    for seed in (0, 7):
        assert_the_same_run(folder / f"seed-{seed}", alone(experiment, seed, tmp_path / str(seed)))


def test_a_longer_budget_is_the_longer_training(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "all")
    alone(points(13), 3, folder.run(3).path)
    folder.write(make_plan(points(13), (3,), ONE_THREAD))
    with pytest.raises(RunError, match="a budget of 13 steps; expected as many or more, got 12"):
        resume(folder.path, steps=12)
    with pytest.raises(RunError, match="batch: 16 -> 8"):
        resume(folder.path, experiment=points(13, batch=8))
    with folder.locked(), pytest.raises(RunError, match="written by another process"):
        resume(folder.path)
    with pytest.raises(SettingError, match="there is no strategy 'threads'"):
        resume(folder.path, strategy="threads")
    resume(folder.path, steps=20, show=False)
    assert_the_same_run(folder.run(3).path, alone(points(20), 3, tmp_path / "alone"))


@pytest.mark.parametrize("name", ["replicates.json", "experiment.json", "thesis.tex"])
def test_a_taken_directory_is_refused_before_anything_is_begun(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(RunError, match="already"):
        agon.replicate(points(), tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_cannot_be_replicated_is_one_sentence(tmp_path: Path) -> None:
    class Local(Fateful):
        """Of a function: no other process can import it."""

    ready = points().build()
    ready_inside = points(critic=ready.critic)
    local = points(critic=agon.part(Local, diverges=8, dies=9))
    for experiment, seeds, told in (
        (points(game=ready), 2, "got a ready agon"),
        (ready_inside, 2, "got a ready agon"),
        (local, 2, "at the top of a module or script"),
        (points(), 0, "expected a number from 1, or seeds that differ, got 0"),
        (points(), (1, 1), "expected a number from 1, or seeds that differ"),
        (points(), (-1,), "0 <= seed"),
        (points(steps=5, data=agon.Images(path="digits")), 2, "give it the data.s shape"),
    ):
        with pytest.raises(SettingError, match=told):
            agon.replicate(experiment, tmp_path / "all", seeds, show=False)
        assert not (tmp_path / "all" / "replicates.json").exists()
    with pytest.raises(SettingError, match="expected one device for each replicate, got devices=2"):
        agon.replicate(points(), tmp_path / "all", 2, compute=agon.Compute(devices=2))
    with pytest.raises(RunError, match="expected a directory of replicates"):
        resume(tmp_path / "nowhere")


SCRIPT = """
import os

import agon
from agon.networks import mlp
from tests.training.programs import points


class Mine(mlp.Critic):
    def __init__(self, width: int) -> None:
        super().__init__(shape=(2,), widths=(width,))


def replicate(folder: str) -> None:
    agon.replicate(points(critic=agon.part(Mine, width=6)), folder, (0,))


if __name__ == "__main__":
    one_thread = agon.Compute(threads=1, device="cpu")
    agon.train(points(critic=agon.part(Mine, width=6)), "alone", compute=one_thread)
    replicate("all")
    os.environ["UNGUARDED"] = "yes"
if "UNGUARDED" in os.environ:
    replicate("never")
"""


def test_classes_of_a_script_reach_the_workers(tmp_path: Path) -> None:
    """The script is imported again; where that would begin everything anew, it is one sentence."""
    (tmp_path / "mine.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "mine.py"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert_the_same_run(tmp_path / "all" / "seed-0", tmp_path / "alone")
    assert '"__main__:Mine"' in agon.Run.open(tmp_path / "alone").experiment
    told = done.stderr.splitlines()[-1]
    assert told.startswith("agon.errors.SettingError: each worker imports your script")
    assert told.endswith('put agon.replicate(...) under if __name__ == "__main__":')
    assert done.stderr.count("Traceback") == 1, "the script's own"
    assert not (tmp_path / "never" / "seed-0").exists()


def test_a_file_gets_a_line_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    with MultiProgress({"seed-0": 100, "seed-1": 100}, stream=stream, clock=clock) as progress:
        for step in range(100):
            clock.now += 0.25
            progress.update("seed-0", step, 100, {"loss/critic": 1.0})
            progress.update("seed-1", step // 2, 100)
        progress.done("seed-0")
        progress.fail("seed-1", "the disk is full")
    assert stream.getvalue().splitlines() == [
        "0 of 2 done  0:48 left  seed-0 19 %  seed-1 9 %",
        "0 of 2 done  0:42 left  seed-0 39 %  seed-1 19 %",
        "0 of 2 done  0:36 left  seed-0 59 %  seed-1 29 %",
        "0 of 2 done  0:31 left  seed-0 79 %  seed-1 39 %",
        "0 of 2 done  0:26 left  seed-0 99 %  seed-1 49 %",
        "seed-0: done",
        "seed-1: the disk is full",
        "1 of 2 done  1 failed",
    ]
    assert QUIET == 5.0


def test_a_terminal_gets_a_bar_for_each_that_runs(terminal: Terminal) -> None:
    clock = Clock()
    with MultiProgress({"seed-0": 10, "seed-1": 10}, stream=terminal, clock=clock) as progress:
        for step in range(11):
            clock.now += 1
            progress.update("seed-0", step, 10, {"loss/[red]": 0.5})
        progress.say("seed-0: [bold]a line that stays")
        progress.done("seed-0")
    shown = terminal.getvalue()
    assert "seed-0  step 10/10 (100 %)" in shown
    assert "loss/[red] 0.5" in shown
    assert "[bold]a line that stays" in shown
    assert "1 of 2 done" in shown
    assert shown.endswith("\x1b[?25h"), "the cursor is given back"
