"""Trainings that are sick on purpose are named, healthy ones of several kinds are not, and remedies are tried."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from agon.cli.shared import assignments, changed
from agon.errors import RunError
from tests.diagnosis import ward
from tests.diagnosis.hospital import HEALTHY, QUICK, SICK
from tests.diagnosis.prescriptions import ENDED, SEEDS, TREATED, finding_of, follow_up, treated, treatment
from tests.diagnosis.ward import JUDGED, PATIENTS, alarms, diagnosed, missed
from tests.sweeps.inline import Inline
from tools import hospital
from tools.answers import answered

ALLOWED = 1  # seed of five under which a sickness may be missed
ONE_ALARM_IN = 50  # healthy runs


@pytest.fixture(scope="module")
def beds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the patients lie."""
    return tmp_path_factory.mktemp("hospital")


@pytest.mark.parametrize("name", [name for name in SICK if name in QUICK])
def test_the_sick_are_named(name: str, beds: Path) -> None:
    diagnosis = diagnosed(name, JUDGED[0], beds)
    assert PATIENTS[name].right in diagnosis.names, diagnosis.lines


@pytest.mark.parametrize("name", [name for name in HEALTHY if name in QUICK])
def test_the_healthy_are_let_go(name: str, beds: Path) -> None:
    """And each was looked at: a run of which nothing can be seen would be let go as well."""
    diagnosis = diagnosed(name, JUDGED[0], beds)
    assert diagnosis.healthy, diagnosis.lines
    assert len(diagnosis.looked_at) > 4


@pytest.mark.parametrize("name", ["critic a thousand times as fast", "orbit of a bilinear game", "slow critic"])
def test_remedies_can_be_typed(name: str, beds: Path) -> None:
    """Each option changes the experiment of the run for which it is proposed."""
    findings = diagnosed(name, JUDGED[0], beds).findings
    options = [remedy.option for finding in findings for remedy in finding.remedies]
    experiment = PATIENTS[name].make()
    for option in filter(None, options):
        words = [word for word in shlex.split(option) if word != "--set"]
        assert option.startswith("--set")
        assert changed(experiment, assignments(words)) != experiment


@pytest.mark.parametrize("name", ["orbit of a bilinear game", "frozen generator"])
def test_the_first_remedy_cures(name: str, beds: Path) -> None:
    """The two cheapest of docs/prescriptions.json, as the finding prints them, with the same budget and seed."""
    finding = finding_of(name, JUDGED[0], beds)
    assert finding is not None
    remedy = next(remedy for remedy in finding.remedies if remedy.option)
    experiment = replace(PATIENTS[name].make(), seed=JUDGED[0])
    assert treatment(experiment, remedy).steps == experiment.steps
    left = follow_up(experiment, remedy, beds / f"{name}-treated")
    assert PATIENTS[name].right not in left
    assert ENDED not in left


def test_the_page_has_the_numbers_of_the_files() -> None:
    """docs/diagnosis.md is what `python -m tools.hospital` makes of docs/hospital.json and docs/prescriptions.json."""
    text = hospital.PAGE.read_text(encoding="utf-8")
    assert hospital.page(text) == text
    found = ward.census(hospital.read(hospital.HOSPITAL))
    assert set(found) == set(PATIENTS), "every patient was visited"
    assert len({name for name, patient in PATIENTS.items() if patient.right}) >= 10
    assert set(hospital.read(hospital.PRESCRIPTIONS)) == set(TREATED)


@pytest.mark.evidence
def test_the_hospital(beds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of docs/diagnosis.md: who was found, under which names, and false alarms."""
    found = {name: {str(seed): ward.seen(name, seed, beds) for seed in JUDGED} for name in PATIENTS}
    wrong, (false, of) = missed(found), alarms(found)
    with capsys.disabled():
        print("\n".join(["", *ward.table(found), f"false alarms: {false} of {of}"]))
    assert all(count <= ALLOWED for count in wrong.values()), wrong
    assert false <= of / ONE_ALARM_IN


@pytest.mark.evidence
@pytest.mark.parametrize("name", TREATED)
def test_prescriptions(name: str, beds: Path) -> None:
    """Of the remedies that are printed, one at least removes the sickness under every seed."""
    rows = treated(name, SEEDS, beds)
    cured = {
        option: all(PATIENTS[name].right not in row["names"] and ENDED not in row["names"] for row in seeds.values())
        for option, seeds in rows.items()
    }
    assert any(cured.values()), rows


def answer(name: str, seed: int, folder: Path) -> list[object]:
    """An answer without a training."""
    if name == "missing":
        raise RunError("there is nobody of this name")
    return [name, seed, folder.name]


def test_the_wards_jobs_answer_for_each_name_and_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old answers do not count, and who fails is named."""
    monkeypatch.setattr("agon.jobs.placing.LocalProcesses", Inline)
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "old-1.json").write_text("[]")
    found = answered(answer, ["old", "new"], [0, 1], tmp_path, 2, "processes")
    assert found == {(name, seed): [name, seed, tmp_path.name] for name in ("old", "new") for seed in (0, 1)}
    with pytest.raises(RunError, match=r"2 of 2 jobs ended, 1 failed \(missing-0: there is nobody"):
        answered(answer, ["new", "missing"], [0], tmp_path, 2, "processes")
