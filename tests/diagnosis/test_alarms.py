"""Alarms: raised at the step where it can be seen, once, recorded, and without changing a bit of the training."""

import json
import shlex
import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import agon
from agon.cli import main
from agon.diagnosis import Alarms, Finding, Log, Remedy, alarms, live, undecided
from agon.diagnosis.live_view import LiveView, Unaveraged, every_kth, thinned
from agon.diagnosis.table import SICKNESSES
from agon.errors import Interrupted, SettingError, StoppedError
from agon.runs import Run
from agon.runs.alarms import read_alarms, rewind
from agon.training import Callback, Training, train
from tests.diagnosis.hospital import COSTLY, HEALTHY, ONE_THREAD, SICK
from tests.training.compare import assert_same
from tests.training.programs import points, small

OFTEN = {"log_every": 1, "sample_every": 1, "checkpoint_every": 5}
HOW = {"compute": ONE_THREAD, "show": False}
FAST = agon.part(torch.optim.Adam, lr=0.5)  # a rate of which the settings' look says so, at once


def finding(severity: str = "serious", sickness: str = "rotation", since: int | None = 6) -> Finding:
    remedy = Remedy("take smaller steps", "--set optimisers.lr=1e-4", "")
    return Finding(
        sickness=sickness,
        severity=severity,  # type: ignore[arg-type]
        since_step=since,
        evidence={"ratio": np.nan},
        sentence="it runs in circles",
        remedies=(remedy,),
    )


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[Finding]]:
    """Step -> what is found there and later, in the place of all looks."""
    script: dict[int, list[Finding]] = {}

    def sick(name: str, view: LiveView, last: bool) -> list[Finding]:
        steps = [step for step in script if step <= view.training.step]
        return script[max(steps)] if name == "rotation" and steps else []

    monkeypatch.setattr(alarms, "sick", sick)
    return script


def test_every_rule_is_of_a_look() -> None:
    assert set(live.RULES) <= set(SICKNESSES)


def test_a_training_is_the_same_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With averaging, batch normalisation and looks that paint with both kinds of weights at every step."""
    monkeypatch.setattr(undecided, "GUESSES", -np.inf)  # then the critic's samples are always made
    monkeypatch.setattr(live, "PAST", 1.0)
    painted: list[int] = []
    monkeypatch.setattr(Unaveraged, "average", property(lambda self: painted.append(self.step)))
    rules = {name: rule._replace(suspect=lambda _: True) for name, rule in live.RULES.items()}
    monkeypatch.setattr(alarms, "RULES", rules)
    monkeypatch.setattr(live, "RULES", rules)
    with_alarms = train(small(13, **OFTEN), tmp_path / "with", alarms=Alarms(), **HOW)  # type: ignore[arg-type]
    without = train(small(13, **OFTEN), tmp_path / "without", **HOW)  # type: ignore[arg-type]
    assert_same(with_alarms.path, without.path)
    assert len(set(painted)) > 3
    assert read_alarms(with_alarms.alarms).ending is not None
    assert not without.alarms.exists()


def test_a_line_for_each_sickness_and_another_if_it_gets_graver(
    tmp_path: Path, raised: dict[int, list[Finding]], capsys: pytest.CaptureFixture[str]
) -> None:
    grave, other = finding("fatal"), finding("notice", "settings", None)
    raised |= {2: [finding()], 4: [finding(), other], 6: [grave], 8: [finding()], 10: []}
    run = train(points(12, **OFTEN), tmp_path / "run", alarms=Alarms(), **HOW)  # type: ignore[arg-type]
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("step ")]
    assert [line.partition(":")[0] for line in told] == ["step 2", "step 4", "step 6"]
    assert "rotation (serious), since step 6: it runs in circles; agon diagnose" in told[0]
    kept = read_alarms(run.alarms)
    assert [(a.step, a.sickness, a.severity) for a in kept.raised] == [
        (2, "rotation", "serious"),
        (4, "settings", "notice"),
        (6, "rotation", "fatal"),
    ]
    assert kept.ending is not None
    assert kept.ending.seen == {"rotation": 8, "settings": 5}
    assert "NaN" not in run.alarms.read_text()


def test_off_looks_at_nothing(tmp_path: Path, raised: dict[int, list[Finding]]) -> None:
    raised[0] = [finding()]
    run = train(points(6, **OFTEN), tmp_path / "run", alarms=Alarms("off"), **HOW)  # type: ignore[arg-type]
    assert not run.alarms.exists()
    with pytest.raises(SettingError, match="stopp"):
        Alarms("stopp")  # type: ignore[arg-type]


def test_a_fault_of_a_look_ends_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def sick(*_: object) -> None:
        raise ZeroDivisionError("of a look")

    monkeypatch.setattr(alarms, "sick", sick)
    run = train(points(6), tmp_path / "run", alarms=Alarms(), **HOW)  # type: ignore[arg-type]
    assert run.kept[-1] == 6
    assert capsys.readouterr().err.count("alarms are left out from here on: ZeroDivisionError('of a look')") == 1


def test_stop_keeps_a_checkpoint_from_before_and_names_the_command(
    tmp_path: Path, raised: dict[int, list[Finding]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The trouble began long before the newest checkpoints; the command goes on from there."""
    raised[56] = [finding("notice", "settings"), finding(since=31)]
    begun = points(90, **{**OFTEN, "checkpoint_every": 3, "keep": 2})
    with pytest.raises(StoppedError) as stopped:
        train(begun, tmp_path / "run", alarms=Alarms("stop"), **HOW)  # type: ignore[arg-type]
    run = Run.open(tmp_path / "run")
    assert run.kept == [0, 3, 6, 9, 12, 18, 24, 36, 48, 54, 56]
    assert "stopped at step 56: rotation (serious), since step 31" in str(stopped.value)
    _, command = str(stopped.value).split("with a remedy: ")
    expected = f"agon train {run.path} --set optimisers.lr=1e-4 --init {run.path}@24 --out {run.path}-treated"
    assert command == expected
    assert main([*shlex.split(command)[1:], "--steps", "2"]) == 0
    assert f"begin as in {run.path}@24 at step 24" in capsys.readouterr().err
    treated = Run.open(tmp_path / "run-treated")
    assert treated.described["optimisers"]["lr"] == 1e-4
    first = {n: t for n, t in treated.checkpoint(0).tensors.items() if n.startswith("game/")}
    assert first
    assert all(torch.equal(tensor, run.checkpoint(24).tensors[name]) for name, tensor in first.items())


def test_a_finding_without_a_remedy_has_a_command_too(tmp_path: Path, raised: dict[int, list[Finding]]) -> None:
    raised[6] = [replace(finding(), remedies=())]
    with pytest.raises(
        StoppedError, match=r"step 5 is from before it; change what is wrong, then: agon train .*@5 --out"
    ):
        train(points(9, **OFTEN), tmp_path / "run", alarms=Alarms("stop"), **HOW)  # type: ignore[arg-type]


def test_a_stopped_training_can_be_resumed(tmp_path: Path, raised: dict[int, list[Finding]]) -> None:
    """It was said once: the same sickness does not stop it again."""
    raised[4] = [finding(since=0)]
    with pytest.raises(StoppedError, match="no checkpoint is older; begin again with a remedy: agon train"):
        train(points(9, **OFTEN), tmp_path / "run", alarms=Alarms("stop"), **HOW)  # type: ignore[arg-type]
    run = agon.resume(tmp_path / "run", alarms=Alarms("stop"), show=False)
    assert run.kept[-1] == 9
    assert [alarm.step for alarm in read_alarms(run.alarms).raised] == [4]


@pytest.mark.parametrize("every", [1, 7, 50])
@pytest.mark.parametrize("kept", [1, 3])
def test_for_each_step_a_checkpoint_of_two_thirds_stays(every: int, kept: int) -> None:
    watching = alarms.Watching.__new__(alarms.Watching)
    watching.action, watching.training = "stop", Training.__new__(Training)
    watching.training.experiment = points(1, checkpoint_every=every)
    steps: list[int] = []
    for step in range(0, 300 * every, every):
        steps.append(step)
        spared = watching.spared(steps)
        steps = [s for s in steps if s in spared or s in steps[-kept:]]
    assert all(later <= 1.5 * earlier for earlier, later in pairwise(steps[2:]))
    assert steps[:3] == [0, every, 2 * every]
    assert len(steps) < 20 + kept


def test_a_resumed_training_raises_the_same(tmp_path: Path) -> None:
    """A frozen critic, of which the settings tell at once and the weights later; a signal comes between."""
    adam = {player: agon.part(torch.optim.Adam, lr=lr) for player, lr in (("generator", 1e-3), ("critic", 1e-12))}
    frozen = points(20, **OFTEN, optimisers=adam, keep=6)
    whole = agon.train(frozen, tmp_path / "whole", **HOW)

    def stop(training: Training, _: object) -> None:
        if training.step == 7:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        agon.train(frozen, tmp_path / "parts", callback=Callback(1, stop), **HOW)
    parts = agon.resume(tmp_path / "parts", show=False)
    assert [alarm.sickness for alarm in read_alarms(whole.alarms).raised] == ["settings", "idle-player"]
    assert read_alarms(parts.alarms).raised == read_alarms(whole.alarms).raised


def test_seeds_say_which_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agon.replicate(points(2, optimisers=FAST), tmp_path / "all", 2, strategy="batched", compute=ONE_THREAD)
    told = capsys.readouterr().err
    sentence = "settings (notice): the learning rate of generator and critic is 0.5, far too large"
    assert all(f"seed-{seed}: step 0: {sentence}" in told for seed in (0, 1))
    assert all(read_alarms(tmp_path / f"all/seed-{seed}/alarms.jsonl").raised for seed in (0, 1))


def test_records_of_later_steps_go_when_a_run_resumes(tmp_path: Path) -> None:
    """Damage is left out: a line cut by a crash, and records that are none."""
    file = tmp_path / "alarms.jsonl"
    lines: list[object] = [{"step": step, **finding().plain, "evidence": {}} for step in (5, 20)]
    lines += [{"step": "x"}, [1], {"step": 21, "looked_at": ["rotation"], "looks": 2, "seen": {"a": "b"}}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 3')
    assert [alarm.step for alarm in read_alarms(file).raised] == [5, 20]
    rewind(file, 10)
    assert [alarm.step for alarm in read_alarms(file).raised] == [5]
    assert read_alarms(file).ending is None
    assert read_alarms(tmp_path / "nothing").raised == ()


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    run = train(points(2), tmp_path_factory.mktemp("live") / "run", **HOW)  # type: ignore[arg-type]
    return agon.load(run)


def view(training: Training, centres: list[float], sizes: list[float]) -> LiveView:
    """Clouds every 10 steps, as if recorded in a training."""
    rng = np.random.default_rng(0)
    clouds = {10 * i: c + s * rng.normal(size=(200, 2)) for i, (c, s) in enumerate(zip(centres, sizes, strict=True))}
    training.step = 10 * (len(centres) - 1)
    return LiveView(
        run=Run(Path("nowhere")),
        settings={},
        experiment=None,
        log=Log(np.empty(0, dtype=int), {}),
        looks={},
        training=training,
        clouds=clouds,
        reference=rng.normal(size=(200, 2)),
    )


def test_a_collapse_that_lasts_is_raised(training: Training) -> None:
    """It has to be there at two thirds, with enough snapshots, and the samples must not come nearer meanwhile."""
    n = 14
    sizes = [1.0, 0.6, *[0.1] * (n - 2)]
    lasting = view(training, [0.1 * min(i, 3) + 1.0 for i in range(n)], sizes)
    names = [found.sickness for found in live.sick("collapse", lasting, last=False)]
    assert names == ["collapse"]
    new = view(training, [1.0] * n, [*[1.0] * (n - 3), 0.1, 0.1, 0.1])
    assert live.sick("collapse", new, last=True)
    assert not live.sick("collapse", new, last=False), "it was not there at two thirds"
    nearer = view(training, [3.0 - 0.1 * i for i in range(n)], sizes)
    assert live.sick("collapse", nearer, last=True)
    assert not live.sick("collapse", nearer, last=False), "the samples come nearer"
    early = view(training, [1.0] * 8, sizes[:8])
    assert live.sick("collapse", early, last=True)
    assert not live.sick("collapse", early, last=False), "there were too few snapshots"


def test_large_samples_and_many_snapshots_are_thinned() -> None:
    assert thinned(np.zeros((64, 12_288))).shape == (64, 1_024)
    assert thinned(np.zeros((1_024, 2))).shape == (1_024, 2)
    for n in (1, 2, 31, 32, 33, 500):
        chosen = every_kth(range(n), 32)
        assert len(chosen) <= 32
        assert chosen[-1] == n - 1


def alarms_of(make: object, seed: int, folder: Path) -> tuple[set[str], int | None]:
    """What is raised before the last step under a seed, and the first of these steps."""
    experiment = replace(make(), seed=seed)  # type: ignore[operator]
    run = train(experiment, folder, alarms=Alarms(), **HOW)  # type: ignore[arg-type]
    early = [alarm for alarm in read_alarms(run.alarms).raised if alarm.step < experiment.steps]
    return {alarm.sickness for alarm in early}, early[0].step if early else None


@pytest.mark.evidence
def test_healthy_trainings_raise_no_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the hospital's healthy patients, under five seeds: alarms that the final diagnosis does not confirm."""
    false = []
    for name, make in {**HEALTHY, **COSTLY}.items():
        for seed in range(5):
            folder = tmp_path / f"{name}-{seed}"
            names, step = alarms_of(make, seed, folder)
            if unconfirmed := names - set(agon.diagnose(folder).names):
                false.append(f"{name}, seed {seed}, step {step}: {', '.join(unconfirmed)}")
    with capsys.disabled():
        print(f"\nfalse alarms: {false or 'none'}")
    assert len(false) <= 1


@pytest.mark.evidence
def test_a_rotating_ring_is_stopped_and_treated(tmp_path: Path) -> None:
    """The command that the sentence has makes the ring healthy, from the weights before the trouble."""
    experiment = replace(SICK["ring without unrolling"][1](), checkpoint_every=20)
    with pytest.raises(StoppedError, match="rotation") as stopped:
        agon.train(experiment, tmp_path / "sick", alarms=Alarms("stop"), **HOW)
    command = str(stopped.value).split("with a remedy: ")[1]
    assert main([*shlex.split(command)[1:], "--threads", "1"]) == 0
    assert "rotation" not in agon.diagnose(tmp_path / "sick-treated").names
