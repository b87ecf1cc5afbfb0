"""A disk that is full on one node: its training is named, the others go on, and it goes on from its last checkpoint.

Where the other faults of docs/clusters.md are tested, its table says.
"""

import errno
import os
import re
from pathlib import Path

import pytest

from agon.runs import Run
from agon.training import Callback
from agon.training.replicates import ReplicatesError, train_many
from tests.training.compare import assert_same
from tests.training.programs import ROOT, points
from tests.training.test_replicates import ONE_THREAD, alone

PAGE = ROOT / "docs" / "clusters.md"


def fill(training: object, run: Run) -> list[object]:
    """From the 11th step on, the disk has no room for the next file that this process writes."""
    real = os.fsync

    def refuse(handle: int) -> None:
        os.fsync = real
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if max(Run(run.path).kept, default=0) == 10:
        os.fsync = refuse
    return []


@pytest.mark.usefixtures("one_core")
def test_a_full_disk_in_a_worker_is_named_and_its_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    full, well = tmp_path / "full" / "seed-0", tmp_path / "well" / "seed-0"
    experiments = {full: points(), well: points(12)}
    with pytest.raises(ReplicatesError, match=r"1 of 2 trainings failed \(full/seed-0: .*No space left on device"):
        train_many(experiments, compute=ONE_THREAD, callbacks={full: Callback(11, fill)})
    assert Run(full).kept[-1] == 10
    written = {path: path.stat().st_mtime_ns for path in well.rglob("*")}
    capsys.readouterr()
    train_many(experiments, compute=ONE_THREAD)
    assert "goes on from step 10" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in well.rglob("*")} == written
    assert_same(full, alone(points(), 0, tmp_path / "alone"))


def test_every_fault_of_the_page_names_tests_that_are_there() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Faults")[2].partition("\n## ")[0]
    named = re.findall(r"`(test_\w+)`", table)
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 8
    assert [name for name in named if f"def {name}(" not in tests] == []
