"""Many runs are scored by several processes, once each, with the numbers of one; what takes too long is named."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agon.cli import main
from agon.runs import read
from tests.sweeps.inline import Inline
from tests.training.programs import ROOT, points
from tests.training.test_replicates import alone

OPTIONS = ["--metrics", "modes,pairwise", "--n", "60"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two trained runs, never scored."""
    folder = tmp_path_factory.mktemp("runs")
    for name, width in (("narrow", 4), ("wide", 8)):
        alone(points(4, width=width), 0, folder / name)
    return folder


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Inline]]:
    """Jobs are done in this process."""
    monkeypatch.setattr("agon.jobs.placing.LocalProcesses", Inline)
    Inline.done, Inline.kills_after, Inline.late = [], None, frozenset()
    yield Inline
    Inline.late = frozenset()


def copied(runs: Path, folder: Path) -> list[str]:
    """The paths of copies of all runs."""
    return [str(shutil.copytree(run, folder / run.name)) for run in sorted(runs.iterdir())]


def values(run: str) -> list[tuple[str, float]]:
    """The recorded scores of a run."""
    return [(record["name"], record["value"]) for record in read(Path(run) / "metrics.jsonl")]


@pytest.mark.usefixtures("one_core")
def test_two_processes_record_the_scores_of_one(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    shared, serial = copied(runs, tmp_path / "shared"), copied(runs, tmp_path / "serial")
    assert main(["evaluate", *shared, *OPTIONS, "--jobs", "2"]) == 0
    told = capsys.readouterr().out
    assert main(["evaluate", *serial, *OPTIONS]) == 0
    assert told.replace(str(tmp_path / "shared"), str(tmp_path / "serial")) == capsys.readouterr().out
    for one, other in zip(shared, serial, strict=True):
        assert values(one) == values(other)
        assert len(values(one)) == len(dict(values(one))) > 2, "each score once"
    assert values(shared[0]) != values(shared[1])


def test_a_run_that_takes_too_long_is_named_and_not_scored_by_the_command_itself(
    runs: Path, tmp_path: Path, inline: type[Inline], capsys: pytest.CaptureFixture[str]
) -> None:
    narrow, wide = copied(runs, tmp_path)
    inline.late = frozenset({wide})
    assert main(["evaluate", narrow, wide, *OPTIONS, "--minutes-per-job", "1"]) == 124
    told = capsys.readouterr()
    assert f"{wide}: it could not be scored (it took longer than 1 minute and was stopped)" in told.err
    assert "pairwise" in told.out
    assert inline.done == [narrow]
    assert values(narrow)
    assert not (Path(wide) / "metrics.jsonl").exists()


def test_what_a_metric_refuses_is_said_once_for_each_run(
    runs: Path, tmp_path: Path, inline: type[Inline], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = copied(runs, tmp_path)
    assert main(["evaluate", *paths, "--metrics", "modes,reconstruction", "--n", "1", "--jobs", "2"]) == 2
    assert inline.done == paths
    assert "agon: " in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--jobs", "2"], ["--minutes-per-job", "5"]])
def test_samples_and_folders_are_no_jobs(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (["--samples", str(tmp_path)], [str(tmp_path), "--out", str(tmp_path / "x")]):
        assert main(["evaluate", *more, *options]) == 2
        assert "expected runs, and no --samples or --out" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path), "--jobs", "0"]) == 2
    assert "--jobs: expected at least 1, got 0" in capsys.readouterr().err
