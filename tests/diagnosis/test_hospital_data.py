"""Trainings whose data, or whose use of them, is sick are named, and healthy ones on the same digits are not."""

import shlex
from pathlib import Path

import pytest

from agon.cli.shared import assignments, changed
from agon.diagnosis import Diagnosis, diagnose
from tests.diagnosis.hospital import admit
from tests.diagnosis.hospital_data import HEALTHY, QUICK, SICK

JUDGED = (1, 2, 3, 4)  # seed 0 is the one on which the thresholds were fixed


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the patients lie."""
    return tmp_path_factory.mktemp("hospital")


def seen(name: str, seed: int, ward: Path) -> Diagnosis:
    """Train a patient and diagnose the run; its classes are known in this process."""
    folder = ward / f"{name}-{seed}"
    if not folder.exists():
        admit(SICK[name][1] if name in SICK else HEALTHY[name], seed, folder)
    return diagnose(folder)


@pytest.mark.parametrize("name", [name for name in SICK if name in QUICK])
def test_the_sick_are_named(name: str, ward: Path) -> None:
    """And each remedy that is an option can be typed, and changes the experiment."""
    diagnosis = seen(name, JUDGED[0], ward)
    assert SICK[name][0] in diagnosis.names, diagnosis.lines
    experiment = SICK[name][1]()
    for option in (remedy.option for finding in diagnosis.findings for remedy in finding.remedies if remedy.option):
        first, *words = shlex.split(option)
        assert first == "--set"
        assert changed(experiment, assignments(words)) != experiment


@pytest.mark.parametrize("name", [name for name in HEALTHY if name in QUICK])
def test_the_healthy_are_let_go(name: str, ward: Path) -> None:
    diagnosis = seen(name, JUDGED[0], ward)
    assert diagnosis.healthy, diagnosis.lines
    assert {"lost-classes", "overfitting-critic", "memorisation", "copies", "wrong-range"} <= set(diagnosis.looked_at)
