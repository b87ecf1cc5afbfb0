"""Trainings that are sick on purpose are named, and healthy ones of several kinds are not."""

import shlex
from contextlib import suppress
from pathlib import Path

import pytest

from agon.cli.shared import assignments, changed
from agon.diagnosis import Diagnosis, diagnose
from agon.errors import DivergedError
from tests.diagnosis.hospital import COSTLY, HEALTHY, QUICK, SICK, admit

FIXED = (0, 1)  # the seeds on which the thresholds were fixed
JUDGED = (2, 3)
ALL = (*FIXED, *JUDGED, 4)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the patients lie."""
    return tmp_path_factory.mktemp("hospital")


def seen(name: str, seed: int, ward: Path) -> Diagnosis:
    """Train a patient, who may diverge, and diagnose the run; its classes are known in this process."""
    make = SICK[name][1] if name in SICK else {**HEALTHY, **COSTLY}[name]
    folder = ward / f"{name}-{seed}"
    if not folder.exists():
        with suppress(DivergedError):
            admit(make, seed, folder)
    return diagnose(folder)


@pytest.mark.parametrize("seed", JUDGED)
@pytest.mark.parametrize("name", [name for name in SICK if name in QUICK])
def test_the_sick_are_named(name: str, seed: int, ward: Path) -> None:
    diagnosis = seen(name, seed, ward)
    assert SICK[name][0] in diagnosis.names, diagnosis.lines


@pytest.mark.parametrize("name", [name for name in HEALTHY if name in QUICK])
def test_the_healthy_are_let_go(name: str, ward: Path) -> None:
    """And each was looked at: a run of which nothing can be seen would be let go as well."""
    diagnosis = seen(name, JUDGED[0], ward)
    assert diagnosis.healthy, diagnosis.lines
    assert len(diagnosis.looked_at) > 4


@pytest.mark.parametrize("name", ["critic a thousand times as fast", "orbit of a bilinear game", "slow critic"])
def test_remedies_can_be_typed(name: str, ward: Path) -> None:
    """Each option changes the experiment of the run for which it is proposed."""
    options = [remedy.option for finding in seen(name, JUDGED[0], ward).findings for remedy in finding.remedies]
    experiment = SICK[name][1]()
    for option in filter(None, options):
        first, *words = shlex.split(option)
        assert first == "--set"
        assert changed(experiment, assignments(words)) != experiment


@pytest.mark.evidence
def test_the_hospital(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of docs/diagnosis.md: who was found, under which names, and false alarms."""
    lines = ["| patient | right name | found | told first | other names |", "|---|---|---|---|---|"]
    missed, alarms = [], 0
    for name in (*SICK, *HEALTHY, *COSTLY):
        names = [seen(name, seed, ward).names for seed in ALL]
        right = SICK[name][0] if name in SICK else ""
        named, first = sum(right in found for found in names), sum(found[:1] == [right] for found in names)
        others = sorted({other for found in names for other in found} - {right})
        counts = f"{named} of {len(ALL)} | {first}" if right else "- | -"
        lines.append(f"| {name} | {right or 'healthy'} | {counts} | {', '.join(others) or '-'} |")
        missed += [name] if right and named < len(ALL) - 1 else []
        alarms += 0 if right else sum(bool(found) for found in names)
    with capsys.disabled():
        print("\n".join(["", *lines, f"false alarms: {alarms} of {len(ALL) * len((*HEALTHY, *COSTLY))}"]))
    assert not missed
    assert alarms <= 2
