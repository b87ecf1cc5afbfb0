"""Data that were handed over in Python: a run describes them by a checksum, and resumes only with the same ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from torch import Tensor, nn

import agon
from agon.cli import main
from agon.data import Images, Numeric, of
from agon.errors import DataError, RunError, SettingError
from agon.experiment import Experiment, changed, part
from agon.exports.network import network_of
from agon.networks import mlp
from agon.runs import Run

ONE_THREAD = agon.Compute(threads=1, device="cpu")
RANDOM = np.random.default_rng(0)
POINTS = RANDOM.normal(size=(60, 3)) * [1, 10, 0.1] + [0, 2000, 5]
BYTES = RANDOM.integers(0, 256, (60, 6, 4), dtype=np.uint8)
SERIES = RANDOM.normal(size=(60, 2, 16))
DATA = {"points": POINTS, "images": torch.from_numpy(BYTES)[:, None] / 255, "series": of(SERIES, layout="n c t")}


class SeriesGenerator(nn.Module):
    """z -> two channels of sixteen moments, by a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_shape = (8,)
        self.layer = nn.Linear(8, 4 * 8)
        self.up = nn.ConvTranspose1d(4, 2, 4, stride=2, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        x: Tensor = self.up(torch.relu(self.layer(latent)).reshape(-1, 4, 8))
        return x


class SeriesCritic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(2, 4, 4, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(28, 1), nn.Flatten(0)
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


def experiment(data: Any, steps: int = 6) -> Experiment:
    shape = of(data).shape
    networks = {
        "generator": part(mlp.Generator, shape=shape, latent=4, widths=(8,)),
        "critic": part(mlp.Critic, shape=shape, widths=(8,)),
    }
    if len(shape) == 2:
        networks = {"generator": part(SeriesGenerator), "critic": part(SeriesCritic)}
    settings: dict[str, Any] = {"batch": 16, "log_every": 2, "sample_every": 3, "checkpoint_every": 3, "grid": 4}
    return Experiment(game=part(agon.Adversarial, **networks), data=data, steps=steps, **settings)


def trained(data: Any, to: Path, steps: int = 6) -> Run:
    return agon.train(experiment(data, steps), to, compute=ONE_THREAD, show=False)


def weights(run: Run) -> dict[str, Tensor]:
    checkpoint, _ = run.last_good()
    assert checkpoint is not None
    return dict(checkpoint.tensors)


@pytest.mark.parametrize("kind", DATA)
def test_resumed_with_the_same_data_equals_uninterrupted(tmp_path: Path, kind: str) -> None:
    whole = weights(trained(DATA[kind], tmp_path / "whole"))
    stopped = trained(DATA[kind], tmp_path / "stopped", steps=3)
    of_series = {"experiment": experiment(DATA[kind])} if kind == "series" else {}  # its classes are this module's
    resumed = weights(agon.resume(stopped.path, steps=6, data=DATA[kind], show=False, **of_series))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())


def test_a_copy_is_the_same_and_other_data_are_refused(tmp_path: Path) -> None:
    run = trained(POINTS, tmp_path / "run", steps=3)
    before = (run.path / "log.jsonl").read_bytes()
    other = POINTS.copy()
    other[7, 1] += 1e-9
    with pytest.raises(DataError, match=r"expected the data that the run was begun with, sha256:.*got others"):
        agon.resume(run.path, steps=6, data=other, show=False)
    with pytest.raises(DataError, match=r"handed over in Python, .*agon.resume\(run, data="):
        agon.resume(run.path, steps=6, show=False)
    assert main(["resume", str(run.path), "--steps", "6"]) == 2
    assert (run.path / "log.jsonl").read_bytes() == before
    frame = pandas.DataFrame(POINTS.copy(), columns=["a", "b", "c"])
    agon.resume(run.path, steps=6, data=frame, show=False)  # under other names
    assert weights(run)


def test_a_run_of_a_file_takes_no_data(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", POINTS)
    run = trained(str(tmp_path / "x.npy"), tmp_path / "run", steps=3)
    with pytest.raises(SettingError, match="the run's Numeric reads its data itself; leave `data` out"):
        agon.resume(run.path, data=POINTS, show=False)
    np.save(tmp_path / "x.npy", POINTS * 2)
    with pytest.raises(RunError, match="the data are not those"):
        agon.resume(run.path, steps=6, show=False)


@pytest.mark.parametrize("kind", ["points", "images"])
def test_samples_need_no_data(tmp_path: Path, kind: str) -> None:
    run = trained(DATA[kind], tmp_path / "run", steps=3)
    written = json.loads((run.path / "experiment.json").read_text())["data"]
    assert written["path"].startswith("sha256:")
    assert "content" not in written
    training = agon.load(run.path)
    samples = agon.sample(training, 8)
    assert samples.shape == (8, *of(DATA[kind]).shape)
    assert main(["sample", str(run.path), "--n", "8", "--out", str(tmp_path / "s.npz")]) == 0
    assert main(["report", str(run.path), "--out", str(tmp_path / "r.html")]) == 0
    saved = np.load(tmp_path / "s.npz")["samples"]
    if kind == "points":
        assert np.array_equal(saved, samples.numpy())
        assert abs(saved[:, 1] - 2000).max() < 100  # in the units of the data
    with pytest.raises(DataError, match="handed over in Python"):
        agon.evaluate(run.path, metrics=["pairwise"], n=8)
    scores = agon.evaluate(run.path, metrics=["pairwise"], n=40, data=DATA[kind])
    assert scores[0].name == "pairwise"


def test_the_run_that_a_training_returned_holds_its_data(tmp_path: Path) -> None:
    """Scored at once, it needs nothing again; opened by its path, it does."""
    run = trained(POINTS, tmp_path / "run", steps=3)
    assert agon.evaluate(run, metrics=["pairwise"], n=40) == agon.evaluate(run, metrics=["pairwise"], n=40, data=POINTS)
    longer = agon.resume(run.path, steps=4, data=POINTS, show=False)
    assert agon.evaluate(longer, metrics=["pairwise"], n=40)[0].name == "pairwise"
    seeds = agon.replicate(experiment(POINTS, 3), tmp_path / "many", 2, strategy="batched", show=False)
    assert all(agon.evaluate(one, metrics=["pairwise"], n=40) for one in seeds)
    assert trained("digits", tmp_path / "digits", steps=1).given is None


def test_scaled_samples_are_mapped_back_by_what_the_run_wrote(tmp_path: Path) -> None:
    run = trained(POINTS, tmp_path / "run", steps=3)
    written = json.loads((run.path / "experiment.json").read_text())["data"]
    source = of(POINTS).settled()
    assert isinstance(source, Numeric)
    assert written["offset"] == list(source.offset or ())
    assert written["scale"] == list(source.scale or ())
    training = agon.load(run.path)
    latents = training.fixed_latents(5)
    scaled = training.samples(latents).double()
    offset, scale = (torch.tensor(written[name], dtype=torch.float64) for name in ("offset", "scale"))
    expected = scaled * scale + offset
    assert torch.equal(training.experiment.data.restored(scaled), expected)
    real = np.load(run.path / "samples" / "real.npy")
    assert all(np.abs(POINTS - point).max(axis=1).min() < 1e-3 for point in real)  # real samples, in their units


def test_an_experiment_takes_data_of_any_kind() -> None:
    made = experiment(POINTS)
    assert isinstance(made.data, Numeric)
    assert isinstance(experiment("digits").data, Images)
    with pytest.raises(DataError, match="expected data that agon reads, got int"):
        Experiment(game=made.game, data=7, steps=1)  # type: ignore[arg-type]
    assert Experiment.from_json(made.to_json()) == made
    assert "content" not in made.to_json()
    with pytest.raises(SettingError, match="no setting of numeric 'content'"):
        changed(made, "data.content", "1")
    ring = agon.recipe("first/ring").experiment(POINTS, "smoke")
    assert ring.data.shape == (3,)
    assert agon.recipe("first/digits").experiment(BYTES, "smoke").data.shape == (1, 6, 4)
    with pytest.raises(SettingError, match=r"first/digits is for images, got points of shape \(3,\)"):
        agon.recipe("first/digits").experiment(POINTS)
    with pytest.raises(SettingError, match=r"first/ring is for points and series, got images of shape \(1, 6, 4\)"):
        agon.recipe("first/ring").experiment(BYTES)
    assert agon.recipe("first/ring").experiment(DATA["series"], "smoke").data.shape == (2, 16)


def test_many_seeds_share_the_data(tmp_path: Path) -> None:
    runs = agon.replicate(experiment(POINTS, 3), tmp_path / "many", 2, strategy="batched", show=False)
    assert len(runs) == 2
    from agon.training import replicates

    with pytest.raises(Exception, match="handed over in Python"):
        replicates.resume(tmp_path / "many", steps=4, show=False)
    again = replicates.resume(tmp_path / "many", steps=4, data=POINTS, show=False)
    assert [run.last_good()[0].step for run in again] == [4, 4]  # type: ignore[union-attr]


@pytest.mark.parametrize("ending", [".csv", ".npy"])
def test_a_table_from_the_command_line(tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    file, run = tmp_path / f"table{ending}", tmp_path / "run"
    frame = pandas.DataFrame(POINTS, columns=["a", "b", "c"])
    if ending == ".npy":
        np.save(file, POINTS)
    else:
        frame.to_csv(file, index=False)
    settings = ["--set", "batch=16", "--set", "data.scaling=range", "--threads", "1"]
    assert main(["data", str(file)]) == 0
    assert "scaling  standard; offset " in capsys.readouterr().out
    assert main(["train", "first/ring", "--scale", "smoke", "--data", str(file), "--out", str(run), *settings]) == 0
    assert main(["sample", str(run), "--n", "6", "--out", str(tmp_path / "s.csv")]) == 0
    samples = pandas.read_csv(tmp_path / "s.csv")
    assert list(samples.columns) == (["x0", "x1", "x2"] if ending == ".npy" else ["a", "b", "c"])
    assert samples.shape == (6, 3)
    assert samples.iloc[:, 1].between(1900, 2100).all()
    command = ["evaluate", "--samples", str(tmp_path / "s.csv"), "--data", str(file), "--metrics", "pairwise"]
    assert main(command) == 0
    written = json.loads((run / "experiment.json").read_text())["data"]
    low, high = POINTS.min(0), POINTS.max(0)
    assert np.allclose(written["offset"], (low + high) / 2, rtol=0.5)
    assert main(["resume", str(run), "--steps", "22"]) == 0


def test_another_experiment_is_still_refused(tmp_path: Path) -> None:
    run = trained(POINTS, tmp_path / "run", steps=3)
    with pytest.raises(RunError, match=r"other settings \(batch: 16 -> 8\)"):
        agon.resume(run.path, experiment=changed(experiment(POINTS, 3), "batch", "8"), show=False)


@pytest.mark.parametrize("player", ["generator", "critic"])
def test_an_exported_network_says_how_its_samples_are_scaled(tmp_path: Path, player: str) -> None:
    training = agon.load(trained(POINTS, tmp_path / "run", steps=3).path)
    exported = network_of(training, player, 4)
    samples = exported.description["output" if player == "generator" else "input"]
    source = of(POINTS).settled()
    assert isinstance(source, Numeric)
    assert (samples["offset"], samples["scale"]) == (source.offset, source.scale)
    if player == "critic":
        assert exported.inputs.dtype is torch.float32
        assert exported.inputs.abs().max() < 10  # as the critic was trained, not in the units of the data
