"""Trackers have what the log, the scores and the snapshots have, offline, and never change or end a training."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.optim import Adam

from agon import Compute, Experiment, Run, part, resume, train
from agon.data import Images
from agon.diagnosis import Alarms
from agon.errors import SettingError
from agon.games import Adversarial
from agon.networks import mlp
from agon.runs.tracking import TRACKERS
from agon.training import Callback

ONE = Compute(device="cpu", threads=1)


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tracker reaches a network, whatever the environment says."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


def experiment(steps: int = 4) -> Experiment:
    source = Images(path="digits")
    game = part(
        Adversarial,
        generator=part(mlp.Generator, shape=source.shape, latent=4, widths=(8,)),
        critic=part(mlp.Critic, shape=source.shape, widths=(8,)),
    )
    return Experiment(
        game=game, data=source, steps=steps, batch=8, grid=4, log_every=1, sample_every=2, checkpoint_every=2
    )


def scores(*_: object) -> list[SimpleNamespace]:
    return [SimpleNamespace(name="kid", value=0.5)]


def history(run: Path, name: str) -> list[tuple[int, float]]:
    """The step and the value of each record that MLflow has."""
    client = MlflowClient((run / "mlruns").resolve().as_uri())
    identity = json.loads((run / "tracking.json").read_text())["id"]
    return [(metric.step, metric.value) for metric in client.get_metric_history(identity, name)]


def test_mlflow_has_the_log_the_scores_and_the_pictures_once(tmp_path: Path) -> None:
    """Also where a resumed training repeats steps that it has had."""
    run = train(experiment(), tmp_path / "run", compute=ONE, show=False, track="mlflow", callback=Callback(2, scores))
    logged = [(record["step"], record["loss/critic"]) for record in run_log(run)]
    assert history(run.path, "loss/critic") == logged
    assert history(run.path, "score/kid") == [(0, 0.5), (2, 0.5), (4, 0.5)]
    (newest,) = sorted((run.path / "checkpoints").glob("*4"))
    (newest / "state.json").write_text("{}")  # as if the machine had died in it
    resume(run.path, show=False, steps=6)
    assert [step for step, _ in history(run.path, "loss/critic")] == [1, 2, 3, 4, 5, 6]
    pictures = [path.name.split("+") for path in run.path.rglob("mlruns/**/images/*.png")]
    assert sorted((name, int(step)) for name, _, step, *_ in pictures) == [("samples", step) for step in (0, 2, 4, 6)]


def test_wandb_is_offline_and_goes_on_under_its_id(tmp_path: Path) -> None:
    run = train(experiment(2), tmp_path / "run", compute=ONE, show=False, track="wandb")
    identity = json.loads((run.path / "tracking.json").read_text())
    assert identity["step"] == 2
    resume(run.path, show=False, steps=4)
    kept = sorted(path.name for path in (run.path / "wandb").glob("offline-run-*"))
    assert kept
    assert {name.rpartition("-")[2] for name in kept} == {identity["id"]}
    assert list((run.path / "wandb").rglob("samples_2_*.png"))


def test_a_tracker_changes_no_bit(tmp_path: Path) -> None:
    with_one = train(experiment(), tmp_path / "with", compute=ONE, show=False, track="mlflow")
    without = train(experiment(), tmp_path / "without", compute=ONE, show=False)
    one, two = (run.last_good()[0] for run in (with_one, without))
    assert one is not None
    assert two is not None
    assert all(torch.equal(one.tensors[name], two.tensors[name]) for name in one.tensors)
    assert not (without.path / "tracking.json").exists()


def test_a_failing_tracker_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(TRACKERS["mlflow"], "add", fail)
    run = train(experiment(), tmp_path / "run", compute=ONE, show=False, track="mlflow")
    assert len(run_log(run)) == 4
    assert capsys.readouterr().err.count("mlflow is left out from here on: disk full") == 1


def test_an_unknown_tracker_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="there is no tracker 'wandbb'; did you mean 'wandb'"):
        train(experiment(), tmp_path / "run", track="wandbb", show=False)
    assert not (tmp_path / "run").exists()


def test_tensorboard_has_the_pictures(tmp_path: Path) -> None:
    run = train(experiment(), tmp_path / "run", compute=ONE, show=False)
    events = EventAccumulator(str(run.path / "tensorboard")).Reload()
    assert [image.step for image in events.Images("samples")] == [0, 2, 4]
    assert [scalar.step for scalar in events.Scalars("loss/critic")] == [1, 2, 3, 4]


def test_alarms_are_text(tmp_path: Path) -> None:
    """In TensorBoard and in MLflow; the rate is one of which the settings' look says so."""
    fast = replace(experiment(), optimisers=part(Adam, lr=0.5))
    run = train(fast, tmp_path / "run", compute=ONE, show=False, track="mlflow", alarms=Alarms())
    events = EventAccumulator(str(run.path / "tensorboard")).Reload()
    (text,) = {event.tensor_proto.string_val[0] for event in events.Tensors("alarms/text_summary")[:1]}
    assert b"step 0: settings (notice): the learning rate of" in text
    identity = json.loads((run.path / "tracking.json").read_text())["id"]
    tags = MlflowClient((run.path / "mlruns").resolve().as_uri()).get_run(identity).data.tags
    assert "settings (notice)" in tags["alarms.0"]


def run_log(run: Run) -> list[dict[str, float]]:
    return [json.loads(line) for line in run.log.read_text().splitlines()]
