"""Every training leaves a page in its directory: from Python, interrupted, diverged; and never fails because of it."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

import agon
from agon.errors import DivergedError, Interrupted, NotInstalledError, RunError
from agon.reports import trained
from agon.training import Callback, Compute
from tests.reports.page import read_page, section

ONE = {"compute": Compute(device="cpu", threads=1), "show": False}


def ring() -> agon.Experiment:
    return replace(agon.recipe("first/ring").experiment(scale="smoke"), steps=2, sample_every=1, log_every=1)


def test_train_and_resume_from_python_leave_a_page(tmp_path: Path) -> None:
    run = agon.train(ring(), tmp_path / "run", **ONE)
    page = read_page(run.path / "report.html")
    assert "2 of 2 steps" in page.words()
    assert section(page, "samples").all("img")
    agon.resume(run.path, steps=3, show=False)
    assert "3 of 3 steps" in read_page(run.path / "report.html").words()


def test_seeds_from_python_leave_one_page(tmp_path: Path) -> None:
    agon.replicate(ring(), tmp_path / "seeds", 2, strategy="batched", **ONE)
    words = read_page(tmp_path / "seeds" / "report.html").words()
    assert "2 runs compared" in words
    assert "seed: 0, 1" in words


def test_an_interrupted_training_leaves_a_page(tmp_path: Path) -> None:
    def stop(training: agon.training.Training, _: object) -> None:
        if training.step == 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        agon.train(replace(ring(), steps=9), tmp_path / "run", callback=Callback(1, stop), **ONE)
    page = read_page(tmp_path / "run" / "report.html")
    assert "2 of 9 steps" in page.words()
    assert "It can go on from its last checkpoint" in section(page, "resume").words()


@pytest.mark.parametrize("error", [Interrupted("stopped", 2), DivergedError("a loss is not finite")])
def test_what_ends_a_training_that_has_begun_leaves_a_page(make_run, error: Exception) -> None:
    run = make_run()

    def train(directory: Path) -> None:
        raise error

    with pytest.raises(type(error)):
        trained.leaving_page(train)(directory=run)
    assert "1,000 of 1,000 steps" in read_page(run / "report.html").words()


def test_a_training_that_is_refused_changes_no_page(make_run) -> None:
    """The negative control: the directory belongs to another run."""
    run = make_run()
    (run / "report.html").write_text("of an earlier run")
    with pytest.raises(RunError, match="holds a run already"):
        agon.train(ring(), run, **ONE)
    assert (run / "report.html").read_text() == "of an earlier run"


def test_a_page_that_cannot_be_written_is_one_line(make_run, monkeypatch, capsys) -> None:
    def missing(*_: object) -> None:
        raise NotInstalledError("expected jinja2, which is not installed; pip install")

    run = make_run()
    monkeypatch.setattr(trained, "write", missing)
    trained.leave_page(run)
    complaint = capsys.readouterr().err
    assert "no report" in complaint
    assert f"agon report {run}" in complaint
    (run / "experiment.json").write_text("torn")
    monkeypatch.undo()
    trained.leave_page(run)
    assert len(capsys.readouterr().err.splitlines()) == 1
