"""Tournaments of runs: by hand, how often everything passes, what is kept, who is left out, and at the command line."""

import json
import os
import shutil
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agon.arena import TournamentResult, TournamentSettings, tournament
from agon.arena.tournaments import entrants, judging
from agon.arena.tournaments.grids import kept_grid
from agon.arena.tournaments.naming import named
from agon.averaging import Averaging
from agon.cli import main
from agon.data import Images, Ring, Source
from agon.data.order import generator
from agon.errors import DataError, NotInstalledError, RunError
from agon.metrics.auroc import auroc
from agon.metrics.gam.critic import Judge
from agon.metrics.gam.entrants import mapped
from agon.recipes import find
from agon.runs import Checkpoint, Run
from agon.runs.entered import entries
from agon.samples.making import load
from agon.training import train

pytestmark = pytest.mark.usefixtures("one_core")
DIGITS = Images(path="digits")
FEW = TournamentSettings(n=50)
RUNNING = replace(FEW, statistics="running")


def trained(path: Path, recipe: str = "first/digits", source: Source = DIGITS, **settings: Any) -> None:
    """Two steps of a recipe at its smallest."""
    train(replace(find(recipe).experiment(source, "smoke"), steps=2, **settings), path, show=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two GANs of digits, the second with an average, a VAE from 0 to 1, one of points, and samples in a file."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agon.training.compute.cores", lambda: 1)
        trained(folder / "one")
        trained(folder / "two", averaging=Averaging(decay=0.5))
        trained(folder / "vae", "im2016/mnist-vae")
        trained(folder / "ring", "first/ring", Ring())
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    np.savez(folder / "noise.npz", samples=pixels)
    return folder


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """Copies that a test may write into."""
    return Path(shutil.copytree(made, tmp_path / "runs"))


def variant(run: Path, path: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> Path:
    """A copy of a run with other weights in its checkpoint."""
    shutil.copytree(run, path)
    copy = Run(path)
    step = copy.kept[-1]
    checkpoint = copy.checkpoint(step)
    tensors = {
        name: change(tensor) if name.startswith(("game/", "average/")) and tensor.is_floating_point() else tensor
        for name, tensor in checkpoint.tensors.items()
    }
    copy.save(Checkpoint(step, tensors, checkpoint.state))
    return path


def scaled(factor: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda tensor: tensor * factor


def shaken(seed: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Weights with a little noise of their own."""
    rng = torch.Generator().manual_seed(seed)
    return lambda tensor: tensor + 0.1 * torch.rand(tensor.shape, generator=rng)


class Passes:
    """Counts generations and scorings, and stops the tournament at the scoring of a number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.generations = self.scorings = 0
        self.last: int | None = None
        painted, scored = entrants.painted, judging.scored

        def generating(*arguments: Any) -> Any:
            self.generations += 1
            return painted(*arguments)

        def scoring(*arguments: Any) -> Any:
            if self.scorings == self.last:
                raise KeyboardInterrupt
            self.scorings += 1
            return scored(*arguments)

        monkeypatch.setattr(entrants, "painted", generating)
        monkeypatch.setattr(judging, "scored", scoring)

    def reset(self) -> "tuple[int, int]":
        counted = self.generations, self.scorings
        self.generations, self.scorings, self.last = 0, 0, None
        return counted


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    return Passes(monkeypatch)


def play(*words: Path | str, out: Path | None = None, settings: TournamentSettings = RUNNING, **options: Any) -> Any:
    return tournament(words, out, settings=settings, show=False, **{"references": False, **options})


def same(one: TournamentResult, other: TournamentResult) -> bool:
    return json.dumps(one.plain()) == json.dumps(other.plain())


def test_an_area_by_hand(made: Path) -> None:
    """The VAE's samples, mapped from (0, 1) to (-1, 1), before the critic of a run, against held-out real samples."""
    result = play(made / "one", made / "vae")
    judge, vae = load(made / "one"), load(made / "vae")
    latents = vae.experiment.latent.sample(50, vae.game.latent_shape, generator("tournament", 0))
    with torch.no_grad():
        fake = judge.game.eval().realness(mapped(vae.samples(latents), (0.0, 1.0), (-1.0, 1.0)))
        test = judge.experiment.data.open(seed=0, split="test")
        held = result.protocol["real"]["statistics"]
        real = judge.game.realness(test.draw(test.count, 0, 0, 1).real[held : held + 50])
    found = auroc(fake.double().numpy(), real.double().numpy())
    assert result.matrix.critics == ("one",)
    assert result.matrix.generators == ("one", "vae")
    assert result.matrix.area("vae", "one") == pytest.approx(found.value, abs=1e-9)
    assert result.matrix.errors[1, 0] == pytest.approx(found.error, abs=1e-9)


def test_everything_passes_once(made: Path, passes: Passes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four generators, the floor and the ceiling before two critics, and the held-out real samples before each; with
    blocks of at most 256 samples, one training in memory at a time, and no second pass for what is kept."""
    sizes, alive, most = [], weakref.WeakSet(), []
    realness, loaded = Judge.realness, entrants.load

    def judging_block(judge: Judge, x: torch.Tensor) -> Any:
        sizes.append(len(x))
        return realness(judge, x)

    def loading(*arguments: Any, **options: Any) -> Any:
        training = loaded(*arguments, **options)
        alive.add(training)
        most.append(len(alive))
        return training

    monkeypatch.setattr(Judge, "realness", judging_block)
    monkeypatch.setattr(entrants, "load", loading)
    result = play(made / "one", made / "two", made / "vae", made / "noise.npz", references=True)
    assert passes.reset() == (4, 2 * 6 + 2)
    real = result.protocol["real"]
    assert sum(sizes) == 2 * (4 * 50 + 40 + real["contestant"] + real["compared"])
    assert max(sizes) <= 256
    assert max(most) == 1


def test_one_more_run_costs_one_generation_and_its_meetings(made: Path, tmp_path: Path, passes: Passes) -> None:
    """After ten: 2·10 + 1 scorings of samples, and one of the real ones by the new critic; and nothing for nothing."""
    few = TournamentSettings(n=12, statistics="running")
    words = [variant(made / "one", tmp_path / f"run-{i}", scaled(1 + i / 20)) for i in range(11)]
    out = tmp_path / "out"
    play(*words[:10], out=out, settings=few)
    assert passes.reset() == (10, 100 + 10)
    grown = play(*words, out=out, settings=few)
    assert passes.reset() == (1, 21 + 1)
    assert same(play(*words[::-1], out=out, settings=few), grown)
    assert passes.reset() == (0, 0)
    play(*words[:2], out=out, settings=replace(few, seed=1))
    assert passes.reset()[0] == 2, "another seed is another content"


def test_an_interrupted_tournament_goes_on(made: Path, tmp_path: Path, passes: Passes) -> None:
    """Stopped between any two scorings: together not one more, and the same result."""
    words = (made / "one", made / "two", made / "noise.npz")
    whole = play(*words)
    total = passes.reset()
    assert total == (2, 2 * 3 + 2)
    for stop in (0, 1, 4, 7):
        out = tmp_path / str(stop)
        passes.last = stop
        with pytest.raises(KeyboardInterrupt):
            play(*words, out=out)
        assert not (out / "tournament.json").exists()
        passes.last = None
        assert same(play(*words, out=out), whole)
        assert passes.reset() == total


def test_what_was_kept_and_is_damaged_is_made_again(made: Path, tmp_path: Path) -> None:
    words, out = (made / "one", made / "noise.npz"), tmp_path / "out"
    whole = play(*words, out=out, settings=FEW)
    for file in sorted((out / "cache").rglob("*.*")):
        for content in (b"", file.read_bytes()[:-9]):
            for other in (out / "cache" / "areas").iterdir():
                other.unlink()
            file.write_bytes(content)
            assert same(play(*words, out=out, settings=FEW), whole), file


def test_a_copy_ties(made: Path, tmp_path: Path) -> None:
    """With re-estimated statistics, too; other weights do not, the negative control."""
    copy = variant(made / "two", tmp_path / "copy", scaled(1.0))
    other = variant(made / "two", tmp_path / "other", shaken(0))
    areas = play(made / "two", copy, other, settings=FEW).matrix
    assert areas.generators == areas.critics == ("copy", "other", "two")
    assert (areas.areas[0] == areas.areas[2]).all()
    assert (areas.areas[:, 0] == areas.areas[:, 2]).all()
    assert (areas.areas[0] != areas.areas[1]).any()


def test_seeds_checkpoints_and_folders_enter(made: Path, tmp_path: Path) -> None:
    """A folder of seeds is one contestant; RUN@2 is a checkpoint, RUN@0 the run before its training."""
    shutil.copytree(made / "one", tmp_path / "seeds" / "one")
    trained(tmp_path / "seeds" / "two", seed=1)
    words = (tmp_path / "seeds", f"{made / 'one'}@2", f"{made / 'one'}@0", made / "two")
    result = play(*words, references=True)
    assert result.left_out == {}
    assert dict(result.matrix.contestants) == {
        "one@0": "one@0",
        "one@2": "one@2",
        "seeds/one": "seeds",
        "seeds/two": "seeds",
        "two": "two",
        "untrained": "untrained",
        "real": "real",
    }
    assert result.matrix.critics == ("one@2", "seeds/one", "seeds/two", "two")
    assert result.matrix.area("one@2", "two") == result.matrix.area("seeds/one", "two")
    assert result.matrix.area("one@0", "two") != result.matrix.area("one@2", "two")
    assert same(play(*words[::-1], references=True), result)
    real = result.matrix.areas[result.matrix.generators.index("real")]
    assert (np.abs(real - 0.5) < 0.25).all()
    with pytest.raises(DataError, match=r"noise\.npz@3"):
        play(f"{made / 'noise.npz'}@3")


def test_runs_with_a_name_are_called_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a path with an @ in it is a path, if there is one."""
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "odd@3").mkdir()
    given = [*entries("pretrained:digits"), *entries(tmp_path / "odd@3"), *entries("pretrained:digits@0")]
    assert [entry.step for entry in given] == [None, None, 0]
    found, unreadable = named(given, reserved=["real"])
    assert [each.name for each in found] == ["odd@3", "pretrained:digits", "pretrained:digits@0"]
    assert not unreadable
    assert named(given[::-1] + given, reserved=["odd@3"])[0][0].name == str(tmp_path / "odd@3")


def test_who_cannot_meet_is_left_out_with_a_sentence(runs: Path) -> None:
    """And the rest goes on: unfinished, damaged and diverged runs, other data, other shapes, and a lost experiment."""
    damaged, unfinished = (variant(runs / "one", runs / name, scaled(1.1)) for name in ("damaged", "unfinished"))
    tensors = next((damaged / "checkpoints").rglob("tensors.safetensors"))
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"x")
    described = json.loads((unfinished / "experiment.json").read_text())
    (unfinished / "experiment.json").write_text(json.dumps({**described, "steps": 9}))
    variant(runs / "one", runs / "diverged", scaled(float("nan")))
    variant(runs / "one", runs / "lost", scaled(1.2))
    (runs / "lost" / "experiment.json").write_text("{")
    np.savez(runs / "large.npz", samples=np.zeros((9, 9, 9, 1), dtype=np.uint8))
    names = ("one", "two", "damaged", "unfinished", "diverged", "lost", "ring", "large.npz", "noise.npz")
    result = play(*(runs / name for name in names))
    assert result.matrix.generators == ("noise.npz", "one", "two")
    expected = {
        "damaged": "tensors.safetensors does not have the checksum",
        "unfinished": "is not finished, or has diverged: its last checkpoint is of step 2 of 9",
        "diverged": "its training has diverged",
        "ring": "it was trained on samples of shape (2,), not (1, 8, 8)",
        "large.npz": "expected samples of shape (1, 8, 8), got (1, 9, 9)",
        str(runs / "lost"): "experiment.json is not JSON",
    }
    assert expected.keys() == result.left_out.keys()
    assert all(words in result.left_out[name] for name, words in expected.items())
    assert any(line.startswith("left out: diverged: ") for line in result.lines)
    alone = play(runs / "one", runs / "two", runs / "noise.npz")
    assert alone.matrix.areas.tolist() == result.matrix.areas.tolist()
    with pytest.raises(DataError, match="expected at least one run with a critic; damaged: checkpoint"):
        play(damaged, unfinished)
    with pytest.raises(DataError, match="expected at least one run with a critic"):
        play(runs / "vae")
    with pytest.raises(DataError, match="got samples alone"):
        play(runs / "noise.npz")


def test_data_that_changed_are_refused(runs: Path) -> None:
    """A run whose data are no longer those that it was begun with."""
    copy = Run(variant(runs / "one", runs / "other", scaled(1.0)))
    checkpoint = copy.checkpoint(2)
    copy.save(Checkpoint(2, checkpoint.tensors, {**checkpoint.state, "fingerprint": "0" * 64}))
    assert "their checksums differ" in play(runs / "one", runs / "other").left_out["other"]


def test_the_result_reads_back(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON, as rows, and as data frames; without pandas a sentence."""
    result = play(made / "one", made / "noise.npz", out=tmp_path / "out", references=True)
    assert same(TournamentResult.read(tmp_path / "out"), result)
    rows = result.tables["areas"]
    assert [row["generator"] for row in rows] == ["noise.npz", "one", "untrained", "real"]
    assert [row["at home"] for row in rows] == [False, True, False, False]
    assert [row["area"] for row in rows] == result.matrix.areas[:, 0].tolist()
    frames = result.to_pandas()
    assert frames["areas"]["area"].tolist() == result.matrix.areas[:, 0].tolist()
    assert set(frames) == set(result.tables)
    assert len(frames["ratings"]) == 5
    monkeypatch.setattr("agon.arena.tabulating.installed", lambda package: False)
    with pytest.raises(NotInstalledError, match="pip install pandas"):
        result.to_pandas()
    (tmp_path / "out" / "tournament.json").write_text("{}")
    with pytest.raises(RunError, match="expected the result of a tournament"):
        TournamentResult.read(tmp_path / "out")


def test_the_first_samples_are_kept_as_a_picture(made: Path, tmp_path: Path) -> None:
    """For the page of the tournament, of every generator, whatever its range: a folder's as they are in it."""
    play(made / "one", made / "vae", made / "noise.npz", out=tmp_path / "out", references=True, settings=RUNNING)
    kept = {name: kept_grid(tmp_path / "out", name) for name in ("one", "vae", "noise.npz", "real", "untrained")}
    assert all(images is not None and images.shape == (16, 1, 8, 8) for images in kept.values())
    given = np.load(made / "noise.npz")["samples"].transpose(0, 3, 1, 2)
    assert (kept["noise.npz"] == given[:16]).all()


def test_the_command(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The matrix by rating, the critics, and where the result is; and refusals before anything is measured."""
    out = tmp_path / "out"
    words = ["tournament", str(made / "one"), str(made / "two"), "--out", str(out), "--n", "20"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    left = [str(out / name) for name in ("tournament.json", "report.html", "matrix.png")]
    assert printed.splitlines()[-3:] == left
    assert all(map(os.path.isfile, left))
    assert "untrained" in (out / "report.html").read_text()
    for row in ("samples of", "real ", "untrained ", "[1] ", "[2] ", "at home"):
        assert any(line.startswith(row) for line in printed.splitlines()), row
    for arguments, complaint in (
        (["--out", str(out)], "expected runs, folders of runs, or samples, got none"),
        ([str(made / "missing"), "--out", str(out)], "there is no such path"),
        ([str(made / "one"), "--out", str(made / "one")], "expected a folder for a tournament alone"),
        ([str(made / "one"), "--out", str(made)], "holds other files already"),
        ([str(made / "one"), "--out", str(out), "--n", "0"], "at least 1 sample"),
    ):
        assert main(["tournament", *arguments]) == 2
        assert complaint in capsys.readouterr().err


def test_a_full_disk_ends_the_tournament(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence, and not with everybody left out; then it goes on."""
    words, out, written = (made / "one", made / "two"), tmp_path / "out", []
    replaced = Path.replace

    def full(path: Path, target: Path) -> Path:
        written.append(target)
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        return replaced(path, target)

    whole = play(*words)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(RunError, match="No space left on device"):
            play(*words, out=out)
    assert same(play(*words, out=out), whole)


def test_a_folder_in_use_is_refused(made: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "cache").mkdir()
    with FileLock(tmp_path / "out" / "tournament.lock"), pytest.raises(RunError, match="written by another process"):
        play(made / "one", out=tmp_path / "out")


def test_real_data_before_a_fixed_critic_tie() -> None:
    """Held-out real samples against others of the same data: the interval holds 1/2 in about 95 of 100 draws."""
    rng = np.random.default_rng(0)
    population = np.concatenate([rng.normal(size=5000), rng.exponential(size=5000), np.full(2000, 0.25)])
    held = 0
    for _ in range(400):
        drawn = rng.permutation(population)[:600]
        low, high = auroc(drawn[:300], drawn[300:]).interval
        held += low <= 0.5 <= high
    assert 0.92 <= held / 400 <= 0.975
