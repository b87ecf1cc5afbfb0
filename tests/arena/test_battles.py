"""Battles of runs: from directories and folders, at the command line, and what they leave in the runs."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agon import Run, train
from agon.arena import BattleSettings, against, battle
from agon.averaging import Averaging
from agon.cli import main
from agon.data import Images, Ring, Source
from agon.errors import DataError, RunError, SettingError
from agon.metrics import Battle, Score
from agon.metrics import battle as fight
from agon.recipes import find
from agon.runs import read
from agon.samples.making import load

pytestmark = pytest.mark.usefixtures("one_core")
DIGITS = Images(path="digits")
FEW = BattleSettings(n=60)


def trained(path: Path, seed: int = 0, recipe: str = "first/digits", source: Source = DIGITS) -> Run:
    """Three steps of a recipe at its smallest; the second of a pair draws from averaged weights."""
    experiment = replace(find(recipe).experiment(source, "smoke"), steps=3, seed=seed)
    if seed:
        experiment = replace(experiment, averaging=Averaging(decay=0.5))
    return train(experiment, path, show=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two GANs of digits, one without a critic, one of points; beside them samples in a file and a folder."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agon.training.compute.cores", lambda: 1)
        trained(folder / "one")
        trained(folder / "two", 1)
        trained(folder / "vae", 0, "im2016/mnist-vae")
        trained(folder / "ring", 0, "first/ring", Ring())
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    np.savez(folder / "noise.npz", samples=pixels)
    return folder


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """Copies that a test may write into."""
    return Path(shutil.copytree(made, tmp_path / "runs"))


def opened(runs: Path, *names: str) -> list[Run]:
    return [Run.open(runs / name) for name in names]


def mutual(*runs: Run, settings: BattleSettings) -> Battle:
    """The battle of two runs that both have a critic."""
    found = battle(*runs, settings=settings).mutual
    assert found is not None
    return found


def test_a_battle_is_recorded_in_both_runs_once(runs: Path) -> None:
    """Each time from that run's side; asking again adds nothing; other statistics do."""
    one, two = opened(runs, "one", "two")
    result = battle(one, two, settings=FEW)
    assert battle(one, two, settings=FEW) == result
    records = [read(run.metrics) for run in (one, two)]
    assert [len(each) for each in records] == [1, 1]
    mine, theirs = (Score.read(each[0]) for each in records)
    assert (mine.name, mine.value) == ("battle", result.scores[0].value)
    assert theirs.value == result.scores[1].value == pytest.approx(1 / mine.value)
    assert (mine.detail["opponent"], theirs.detail["opponent"]) == ("two", "one")
    known = {"step": 3, "seed": 0, "asked": 60, "metric": "battle", "opponent_step": 3, "statistics": "reestimated"}
    assert known.items() <= dict(mine.passport).items()
    places = [str(run.path.resolve()) for run in (one, two)]
    assert [each.passport["opponent_path"] for each in (theirs, mine)] == places
    assert {"version", "torch"} <= set(mine.passport)
    battle(one, two, settings=replace_statistics("running"))
    assert [len(read(run.metrics)) for run in (one, two)] == [2, 2]


@pytest.mark.parametrize("busy", ["one", "two"])
def test_a_run_that_is_being_written_is_refused_at_once(busy: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is measured, whichever of the two it is; and neither has a record."""
    monkeypatch.setattr("agon.arena.battles.battling.load", lambda *_, **__: pytest.fail("measured first"))
    one, two = opened(runs, "one", "two")
    (writer,) = opened(runs, busy)
    with writer.scoring(), pytest.raises(RunError, match=f"{busy}: its scores are being written by another process"):
        battle(one, two, settings=FEW)
    (writer,) = opened(runs, "one")
    with writer.scoring(), pytest.raises(RunError, match="one: its scores are being written by another process"):
        against(one, runs / "noise.npz", settings=FEW)
    assert not read(one.metrics)
    assert not read(two.metrics)


def test_nobody_else_writes_the_runs_meanwhile(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    def watched(*arguments: Any, **settings: Any) -> Any:
        for run in opened(runs, "one", "two"):
            with pytest.raises(RunError, match="are being written"), run.scoring(0):
                pass
            refused.append(run.path.name)
        return fight(*arguments, **settings)

    monkeypatch.setattr("agon.arena.battles.battling.battle_of_games", watched)
    battle(*opened(runs, "one", "two"), settings=FEW)
    assert refused == ["one", "two"]
    for run in opened(runs, "one", "two"):
        with run.scoring(0):
            pass


def test_runs_that_train_may_fight(runs: Path) -> None:
    one, two = opened(runs, "one", "two")
    with one.locked(), two.locked():
        assert battle(*opened(runs, "one", "two"), settings=FEW).mutual


def test_a_run_may_fight_itself(runs: Path) -> None:
    found = mutual(*opened(runs, "one", "one"), settings=FEW)
    assert (found.sample.value, found.names) == (1.0, ("one", "one"))


def test_runs_of_one_name_are_called_by_the_shortest_ends_that_differ(runs: Path) -> None:
    shutil.copytree(runs / "two", runs / "other" / "one")
    found = mutual(*opened(runs, "one", "other/one"), settings=FEW)
    assert found.names == ("runs/one", "other/one")


def replace_statistics(name: str) -> BattleSettings:
    return replace(FEW, statistics=name)


def test_the_other_way_round_mirrors(runs: Path) -> None:
    one, two = opened(runs, "one", "two")
    found, other = mutual(one, two, settings=FEW), mutual(two, one, settings=FEW)
    assert (other.first, other.second) == (found.second, found.first)
    assert other.winner == {"first": "second", "second": "first", "tie": "tie"}[found.winner]


def test_samples_come_from_averaged_weights_and_critics_from_live_ones(runs: Path) -> None:
    """By hand: the share of what `training.samples` makes that the opponent's critic takes for real."""
    one, two = opened(runs, "one", "two")
    found = mutual(one, two, settings=replace(FEW, statistics="running"))
    judge, maker, raw = load(one), load(two), load(two, weights="live")
    from agon.data.order import generator

    latents = maker.experiment.latent.sample(60, maker.game.latent_shape, generator("battle", 0))
    with torch.no_grad():
        logits = judge.game.eval().realness(maker.samples(latents))
        live = judge.game.realness(raw.game.eval().generate(latents))
    assert found.first.foreign == (int((logits > 0).sum()), 60)
    assert not torch.allclose(logits, live), "the negative control: the live generator makes other samples"


def test_a_run_without_a_critic_is_judged_by_the_other(runs: Path) -> None:
    """On either side; its samples are mapped from (0, 1) to the judge's (-1, 1)."""
    one, vae = opened(runs, "one", "vae")
    for pair in ((one, vae), (vae, one)):
        result = battle(*pair, settings=FEW)
        assert result.mutual is None
        score, same = result.scores
        assert score == same
        assert (score.name, score.n) == ("error", 60)
        assert (score.detail["judge"], score.detail["opponent"]) == ("one", "vae")
    records = [read(run.metrics) for run in (one, vae)]
    assert [len(each) for each in records] == [1, 1]
    places = [(each[0]["judge_path"], each[0]["opponent_path"]) for each in records]
    assert places == 2 * [(str(one.path.resolve()), str(vae.path.resolve()))]
    with pytest.raises(DataError, match="expected at least one run with a critic, got variational and variational"):
        battle(vae, vae, settings=FEW)


def test_samples_of_a_file_are_judged(runs: Path) -> None:
    (one,) = opened(runs, "one")
    score = against(one, runs / "noise.npz", settings=FEW)
    assert (score.n, score.detail["opponent"]) == (40, str(runs / "noise.npz"))
    assert against(one, runs / "noise.npz", settings=replace(FEW, n=30)).n == 30
    assert len(read(one.metrics)) == 2
    assert read(one.metrics)[0]["opponent_path"] == str((runs / "noise.npz").resolve())
    with pytest.raises(SettingError, match="expected at least 1 sample, got 0"):
        against(one, runs / "noise.npz", settings=replace(FEW, n=0))
    np.savez(runs / "large.npz", samples=np.zeros((9, 9, 9, 1), dtype=np.uint8))
    with pytest.raises(DataError, match=r"samples of shape \(1, 8, 8\), got 9 of \(1, 9, 9\)"):
        against(one, runs / "large.npz", settings=FEW)


def test_arrays_that_are_no_bytes_are_judged_by_their_values(runs: Path) -> None:
    """The same pixels from -1 to 1 get the same error; without their values they are refused."""
    (one,) = opened(runs, "one")
    with np.load(runs / "noise.npz") as file:
        np.savez(runs / "numbers.npz", samples=file["samples"] / np.float32(127.5) - np.float32(1))
    found = against(one, runs / "numbers.npz", values=(-1.0, 1.0), settings=FEW)
    assert found.value == against(one, runs / "noise.npz", settings=FEW).value
    with pytest.raises(DataError, match="values"):
        against(one, runs / "numbers.npz", settings=FEW)
    told = ("--against", str(runs / "numbers.npz"), "--values", "-1", "1", "--n", "60")
    assert main(["battle", str(runs / "one"), *told]) == 0
    assert len(read(one.metrics)) == 2, "the command asked what was asked before"


def test_points_fight_too(runs: Path) -> None:
    """An endless source has as many test samples as are asked for."""
    (ring,) = opened(runs, "ring")
    found = mutual(ring, ring, settings=FEW)
    assert (found.sample.value, found.first.test.n) == (1.0, 60)
    assert found.train is None, "none of them was seen twice"


def test_each_critic_judges_the_images_that_it_was_trained_on(runs: Path, tmp_path: Path) -> None:
    """By hand, of two runs on different parts of one set; both judge the same test images."""
    part = trained(tmp_path / "part", source=replace(DIGITS, validation=0.5))
    (one,) = opened(runs, "one")
    found = mutual(one, part, settings=replace(FEW, statistics="running"))
    for judgement, run in ((found.first, one), (found.second, part)):
        training = load(run, weights="live")
        images = training.experiment.data.take(60).real
        with torch.no_grad():
            logits = training.game.eval().realness(images)
        assert judgement.train == (int((logits <= 0).sum()), 60)
    assert not torch.equal(load(one).experiment.data.take(60).real, load(part).experiment.data.take(60).real)


def test_other_data_are_a_sentence(runs: Path, tmp_path: Path) -> None:
    one, ring = opened(runs, "one", "ring")
    with pytest.raises(DataError, match=r"samples of one shape, got one on \(1, 8, 8\) and ring on \(2,\)"):
        battle(one, ring)
    threes = trained(tmp_path / "threes", source=Images(path="digits", only=3))
    with pytest.raises(DataError, match="expected runs on the same data, got one and threes with other test samples"):
        battle(one, threes)
    with pytest.raises(SettingError, match="n: expected at least 1 sample, got 0"):
        battle(one, one, settings=BattleSettings(n=0))
    with pytest.raises(SettingError, match=r"seed: expected 0 <= seed < 2\^63, got -1"):
        BattleSettings(seed=-1)
    with pytest.raises(SettingError, match=r"bound of at least 1, got 0\.9"):
        BattleSettings(tie=0.9)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str], str]:
    capsys.readouterr()
    status = main(["battle", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err


def test_the_command_prints_the_papers_rows(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Table 1 for two critics, Table 2 for one, with the uncertainty below."""
    few = ("--n", 60)
    status, rows, _ = told(capsys, runs / "one", runs / "two", *few, "--calibrate")
    assert status == 0
    assert rows[0].split() == ["Battler", "r_test", "r_sample", "Winner"]
    assert rows[1].startswith("one vs. two  ")
    assert rows[2].partition(":")[0] in ("one wins", "two wins", "unfair", "undecided")
    assert rows[3].startswith("by areas, ")
    assert ["calibrated on" in row for row in rows[-2:]] == [True, True]
    status, rows, _ = told(capsys, runs / "one", runs / "vae", *few)
    assert (status, rows[0]) == (0, "vae has no critic, so the other's alone judges:")
    assert rows[1].split() == ["Battler", "Error"]
    status, rows, _ = told(capsys, runs / "one", "--against", runs / "noise.npz", runs / "noise.npz", *few)
    assert (status, len(rows)) == (0, 5)
    assert rows[1].startswith(f"one vs. {runs / 'noise.npz'}  ")
    records = (runs / "one" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(record)["name"] for record in records] == ["battle", "error", "error"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["one"], "expected two run directories, or one and --against FOLDER, got 1 runs and 0 folders"),
        (["one", "two", "--against", "noise.npz"], "got 2 runs and 1 folders"),
        (["one", "nowhere"], "nowhere, which does not exist"),
        (["one", "--against", "nowhere.npz"], "nowhere.npz"),
        (["vae", "--against", "noise.npz"], "in which nobody judges"),
        (["one", "two", "--values", "0", "1"], "--values: expected with --against alone"),
        (["one", "two", "--tie", "0.5"], "expected a bound of at least 1, got 0.5"),
        (["one", "two", "--statistics", "moving"], "moving"),
    ],
)
def test_wrong_words(arguments: list[str], complaint: str, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and nothing is recorded."""
    where = [runs / word if word in ("one", "two", "vae", "nowhere") or "." in word else word for word in arguments]
    where = [word.name if isinstance(word, Path) and word.name == "0.5" else word for word in where]
    status, _, err = told(capsys, *where, *(() if "tie" in arguments else ("--n", 60)))
    assert status == 2
    assert len(err.splitlines()) == 1
    assert complaint in err
    assert not (runs / "one" / "metrics.jsonl").exists()
