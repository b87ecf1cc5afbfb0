"""Fine-tuning: a training begins from the weights of a run, of all players or of one, and says what did not fit."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

import agon
from agon.cli import main
from agon.errors import RunError, SettingError
from agon.networks import mlp
from agon.runs import Checkpoint, Run
from agon.runs.origin import Origin
from agon.training import Compute, replicates
from agon.training.replicates import replicate
from tests.training.compare import assert_same
from tests.training.programs import points, small

ONE_THREAD = Compute(threads=1, device="cpu")
AVERAGED = agon.Averaging(decay=0.9)


def trained(run: Path, experiment: agon.Experiment, **options: object) -> Path:
    agon.train(experiment, run, compute=ONE_THREAD, **{"show": False, **options})  # type: ignore[arg-type]
    return run


def at(run: Path, step: int) -> Checkpoint:
    return Run.open(run).checkpoint(step)


def of(checkpoint: Checkpoint, *prefixes: str) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in checkpoint.tensors.items() if name.startswith(prefixes)}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The averaged weights, without the statistics, which are estimated anew before the first samples."""
    return {n: t for n, t in of(checkpoint, "average/").items() if "running" not in n and "tracked" not in n}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return trained(tmp_path / "source", small(10))


def test_all_weights_statistics_and_the_average_are_those_of_the_run(source: Path, tmp_path: Path) -> None:
    run = trained(tmp_path / "run", small(5, seed=1), init=source)
    begun, last = at(run, 0), at(source, 10)
    assert equal(of(begun, "game/"), of(last, "game/"))
    averages, theirs = weights(begun), weights(last)
    assert averages
    assert equal(averages, theirs)
    assert of(begun, "optimiser/") == {}
    assert not equal(of(at(run, 5), "game/"), of(last, "game/"))
    assert (run / "samples" / "00000000.png").read_bytes() != (source / "samples" / "00000010.png").read_bytes()


def test_with_the_same_latents_the_first_samples_are_the_last_ones_of_the_run(source: Path, tmp_path: Path) -> None:
    run = trained(tmp_path / "run", small(5), init=source)
    assert (run / "samples" / "00000000.png").read_bytes() == (source / "samples" / "00000010.png").read_bytes()


def test_one_player_is_taken_and_the_other_begins_as_without(source: Path, tmp_path: Path) -> None:
    alone = at(trained(tmp_path / "alone", small(5, seed=1)), 0)
    begun = at(trained(tmp_path / "run", small(5, seed=1), init=f"{source}:generator"), 0)
    assert equal(of(begun, "game/generator"), of(at(source, 10), "game/generator"))
    assert equal(of(begun, "game/critic"), of(alone, "game/critic"))
    assert not equal(of(begun, "game/critic"), of(at(source, 10), "game/critic"))


def test_an_average_begins_as_the_weights_where_the_run_had_none(tmp_path: Path) -> None:
    source = trained(tmp_path / "source", points(10))
    begun = at(trained(tmp_path / "run", points(5, averaging=AVERAGED), init=source), 0)
    averages = {name.replace("average/", "game/"): t for name, t in of(begun, "average/").items()}
    assert averages
    assert equal(averages, of(at(source, 10), "game/generator"))


def test_what_does_not_fit_is_named_and_written_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another latent changes the first layer's shape; a deeper critic has layers that the run does not have."""
    source = trained(tmp_path / "source", points(10))
    deeper = agon.part(mlp.Critic, shape=(2,), widths=(8, 8))
    wider = points(5).game.changed(generator=agon.part(mlp.Generator, shape=(2,), latent=6, widths=(8,)), critic=deeper)  # type: ignore[union-attr]
    run = trained(tmp_path / "run", points(5, game=wider), init=source, show=True)
    told = capsys.readouterr().err
    written = json.loads((run / "init.json").read_text())
    names = {name.removeprefix("game/"): t for name, t in of(at(run, 0), "game/").items()}
    there = {name.removeprefix("game/"): t for name, t in of(at(source, 10), "game/").items()}
    fits = [name for name in names if name in there and names[name].shape == there[name].shape]
    assert 0 < len(fits) < len(names)
    assert sorted(written["loaded"]) == sorted(fits)
    assert {name.partition(" ")[0] for name in written["reshaped"]} == (names.keys() & there.keys()) - set(fits)
    assert set(written["missing"]) == names.keys() - there.keys()
    assert written["step"] == 10
    assert f"{len(fits)} of {len(names)} tensors begin as in {source} at step 10" in told
    assert f"the rest begins at random (missing there: {written['missing'][0]}" in told
    assert "(8, 4), here (8, 6)" in told
    assert all(torch.equal(names[name], there[name]) for name in fits)


def test_less_than_half_is_a_warning_that_names_the_setting(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a wider critic, the bias of the last layer alone fits; of the run's own networks, everything does."""
    generator = agon.part(mlp.Generator, shape=(2,), latent=5, widths=(8,))
    critic = agon.part(mlp.Critic, shape=(2,), widths=(9,))
    small_run = trained(tmp_path / "small", points(2))
    game = points(5).game.changed(generator=generator, critic=critic)  # type: ignore[union-attr]
    trained(tmp_path / "run", points(5, game=game), init=f"{small_run}:critic", show=True)
    told = capsys.readouterr().err
    assert "warning: less than half fits, so this is hardly a training from" in told
    assert "which these take by --set game.critic.widths=[8]" in told
    assert "generator" not in told.partition("warning")[2].partition("\n")[0]
    trained(tmp_path / "other", points(5), init=small_run, show=True)
    assert "warning" not in capsys.readouterr().err


def test_a_run_of_which_nothing_fits_is_refused_and_nothing_is_written(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"nothing of .*source fits this training \(missing there: "):
        trained(tmp_path / "run", points(5), init=source)
    assert not (tmp_path / "run").exists()


def test_wrong_origins_are_refused(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingError, match="there is no player 'generatr'; did you mean 'generator'"):
        trained(tmp_path / "run", small(5), init=f"{source}:generatr")
    with pytest.raises(RunError, match=r"expected a run directory, got .*none"):
        trained(tmp_path / "run", small(5), init=tmp_path / "none")
    words = ["train", "first/digits", "--init", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "expected a run directory" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_resuming_needs_the_run_no_more(source: Path, tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", small(10, seed=1), init=source)
    run = trained(tmp_path / "run", small(5, seed=1), init=source)
    shutil.rmtree(source)
    agon.resume(run, steps=10, experiment=small(5, seed=1), show=False)
    assert_same(run, whole)


def test_a_training_that_was_killed_before_its_first_checkpoint_begins_again_from_the_run(
    source: Path, tmp_path: Path
) -> None:
    whole = trained(tmp_path / "whole", small(5, seed=1), init=source)
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    for checkpoint in list((run / "checkpoints").iterdir()):
        shutil.rmtree(checkpoint)
    agon.resume(run, show=False)
    assert_same(run, whole)
    for checkpoint in list((run / "checkpoints").iterdir()):
        shutil.rmtree(checkpoint)
    shutil.rmtree(source)
    with pytest.raises(RunError, match="init: expected a run directory"):
        agon.resume(run, show=False)


@pytest.mark.parametrize("strategy", ["processes", "batched"])
def test_every_seed_begins_from_the_run(strategy: str, tmp_path: Path) -> None:
    source = trained(tmp_path / "source", points(10))
    experiment = points(4, init=str(source))
    runs = replicate(experiment, tmp_path / "seeds", 2, compute=ONE_THREAD, strategy=strategy, show=False)
    for run in runs:
        assert equal(of(run.checkpoint(0), "game/"), of(at(source, 10), "game/"))
        assert run.files.holds("init.json")
    assert not equal(of(runs[0].checkpoint(4), "game/"), of(runs[1].checkpoint(4), "game/"))
    shutil.rmtree(source)
    if strategy == "batched":  # a process of each seed goes on as any run does, above
        replicates.resume(tmp_path / "seeds", steps=6, show=False)


def test_the_command_line_begins_from_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["train", "first/ring", "--scale", "smoke", "--threads", "1", "--steps", "4"]
    assert main([*common, "--out", str(tmp_path / "a")]) == 0
    assert main([*common, "--out", str(tmp_path / "b"), "--init", f"{tmp_path / 'a'}:critic", "--seed", "1"]) == 0
    assert f"begin as in {tmp_path / 'a'}:critic at step 4" in capsys.readouterr().err
    assert equal(of(at(tmp_path / "b", 0), "game/critic"), of(at(tmp_path / "a", 4), "game/critic"))


def test_the_other_run_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its description names a class of a module in the current folder, and it is never imported."""
    source = trained(tmp_path / "source", points(10))
    (tmp_path / "planted.py").write_text("raise SystemExit('imported')")
    described = json.loads((source / "experiment.json").read_text())
    described["game"]["critic"] = {"import": "planted:Critic", "sha256": "0" * 64}
    (source / "experiment.json").write_text(json.dumps(described))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    trained(tmp_path / "run", points(2), init=source)


@pytest.mark.parametrize(
    ("text", "path", "player"),
    [
        ("runs/a", "runs/a", ""),
        ("runs/a@b", "runs/a@b", ""),
        ("@5", "@5", ""),
        ("runs/a:critic", "runs/a", "critic"),
        ("a:b/c", "a:b/c", ""),
        (":critic", ":critic", ""),
        ("runs/a:", "runs/a", ""),
        ("hub:owner/name", "hub:owner/name", ""),
        ("hub:owner/name:critic", "hub:owner/name", "critic"),
        ("pretrained:digits", "pretrained:digits", ""),
        ("pretrained:digits:generator", "pretrained:digits", "generator"),
    ],
)
def test_origins_are_read(text: str, path: str, player: str) -> None:
    assert Origin.read(text) == Origin(Path(path), player)


@pytest.mark.parametrize("run", ["runs/a", "hub:owner/name", "pretrained:digits", "a:b/c"])
@pytest.mark.parametrize("player", ["", "critic"])
def test_an_origin_may_have_a_step(run: str, player: str) -> None:
    text = f"{run}@500:{player}" if player else f"{run}@500"
    assert Origin.read(text) == Origin(Path(run), player, 500)
    assert str(Origin.read(text)) == text


def test_a_training_begins_from_the_checkpoint_of_a_step(source: Path, tmp_path: Path) -> None:
    """And a step that was not kept is refused, before anything is written."""
    run = trained(tmp_path / "run", small(2, seed=1), init=f"{source}@5")
    assert equal(of(at(run, 0), "game/"), of(at(source, 5), "game/"))
    assert not equal(of(at(run, 0), "game/"), of(at(source, 10), "game/"))
    with pytest.raises(RunError, match="expected the step of a checkpoint, got 7; it has kept those of 0, 5, 10"):
        trained(tmp_path / "other", small(2), init=f"{source}@7")
    assert not (tmp_path / "other").exists()
    shutil.copytree(source, tmp_path / "source@5")
    assert Origin.read(str(tmp_path / "source@5")) == Origin(tmp_path / "source@5")


def test_a_directory_whose_name_has_a_colon_is_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trained(tmp_path / "run:generator", points(2))
    assert Origin.read("run:generator") == Origin(Path("run:generator"))


def test_a_training_begins_from_a_model_that_agon_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    words = ["train", "first/ring", "--init", "pretrained:ring:generator", "--steps", "1", "--threads", "1"]
    status = main([*words, "--out", str(tmp_path / "run")])
    assert status == 0
    assert json.loads((tmp_path / "run" / "init.json").read_text())["init"] == "pretrained:ring:generator"
