"""The words that people type at the command line find what they mean, or a sentence that helps."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import agon
from agon.averaging import Averaging
from agon.cli import main
from agon.cli.shared import assignments
from agon.cli.train import Train
from agon.errors import SettingError, unknown
from agon.experiment import Experiment
from agon.experiment.files import read_experiment
from agon.recipes import RECIPES

CRITIC = ("critic",)


def meant(*settings: str, recipe: str = "first/digits", **options: float) -> Experiment:
    """The experiment that a command line asks for, at smoke scale."""
    command = Train(recipe, Path("unused"), scale="smoke", set_=settings, **options)  # type: ignore[arg-type]
    experiment: Experiment = command.experiment()
    return experiment


@pytest.mark.parametrize(
    ("setting", "read", "value"),
    [
        ("lr=0.003", lambda e: e.optimisers.settings["lr"], 0.003),
        ("optimisers.lr=0.003", lambda e: e.optimisers.settings["lr"], 0.003),
        ("learning_rate=0.003", lambda e: e.optimisers.settings["lr"], 0.003),
        ("optimisers.critic.lr=4e-4", lambda e: e.optimisers["critic"].settings["lr"], 4e-4),
        ("optimisers.critic.lr=4e-4", lambda e: e.optimisers["generator"].settings["lr"], 2e-4),
        ("ema=0.99", lambda e: e.averaging, Averaging(decay=0.99)),
        ("averaging=0.99", lambda e: e.averaging, Averaging(decay=0.99)),
        ("averaging=none", lambda e: e.averaging, None),
        ("n_critic=3", lambda e: e.dynamics.order, (CRITIC, CRITIC, CRITIC, ("generator",))),
        ("size=16", lambda e: (e.data.size, e.data.shape), (16, (1, 16, 16))),
        ("data.resolution=16", lambda e: e.data.shape, (1, 16, 16)),
        ("latent=32", lambda e: e.game.settings["generator"].settings["latent"], 32),
        ("z_dim=32", lambda e: e.game.settings["generator"].settings["latent"], 32),
        ("latent=normal", lambda e: type(e.latent).__name__, "Normal"),
        ("values=(0, 255)", lambda e: e.data.values, (0, 255)),
        ("data.values=[0, 255]", lambda e: e.data.values, (0, 255)),
        ("batch_size=16", lambda e: e.batch, 16),
        ("loss=hinge", lambda e: type(e.game.settings["objective"]).__name__, "Hinge"),
    ],
)
def test_settings_in_other_programs_words(setting: str, read: Callable[[Experiment], object], value: object) -> None:
    assert read(meant(setting)) == value


def test_options_for_what_is_set_most() -> None:
    """Each is what --set does; a rate of all players is one for each where each has its own optimiser."""
    assert meant(lr=0.003) == meant("optimisers.lr=0.003")
    assert meant(batch=16, steps=7) == meant("batch=16", "steps=7")
    apart = meant("optimisers.critic.lr=4e-4", "optimisers.lr=1e-3").optimisers
    assert isinstance(apart, dict)
    assert {player: optimiser.settings["lr"] for player, optimiser in apart.items()} == {
        "generator": 1e-3,
        "critic": 1e-3,
    }


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("dcgan", "radford2015/dcgan"),
        ("DCGAN", "radford2015/dcgan"),
        ("wgan", "arjovsky2017/wgan"),
        ("ring", "first/ring"),
    ],
)
def test_a_recipe_without_its_paper(word: str, name: str) -> None:
    assert agon.recipe(word).name == name


def test_a_name_that_many_have_is_not_guessed() -> None:
    with pytest.raises(SettingError, match=r"'im2016/cifar10-gran1' or 'im2016/cifar10-gran1-noises'.*\.\.\.\?"):
        agon.recipe("gran")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("trian first/digits", "there is no command 'trian'; did you mean 'train'?"),
        ("train first/digit --out x", "there is no recipe 'first/digit'; did you mean 'first/digits'?"),
        ("train nothing --out x", "there is no recipe 'nothing'; agon recipes lists all, agon recipes WORD some"),
        ("train digits --out x --set optimisers=lion", "no optimiser 'lion'; there are: adam, adamw, rmsprop, sgd"),
        ("train digits --out x --set loss=hing", "there is no objective 'hing'; did you mean 'hinge'?"),
        ("train digits --out x --set data.widht=3", "there is no setting of images 'widht'"),
        ("train digits --out x --evaluate FIDD", "there is no metric 'FIDD'; did you mean 'fid'?"),
        ("train missing.yaml --out x", "missing.yaml: expected a file that describes an experiment, found none"),
        (
            "train digits --out x --epochs 10",
            "has no --epochs; a training counts steps: epochs x images / batch, so 10",
        ),
        ("train digits --out x --set epochs=10", "at batch 64 are --steps 9375"),
        ("resume x --num-epochs 3", "a training counts steps: epochs x images / batch, so 3 epochs of 60,000 images"),
        ("train digits --out x --batch-size 32", "agon train has no --batch-size; did you mean --batch?"),
        ("train digits --out x --learning-rate=0.001", "agon train has no --learning-rate; did you mean --lr?"),
        ("train digits --out x --image-size 32", "did you mean --size?"),
        ("train digits --out x --channels 1", "agon train has no --channels; did you mean --set data.channels=1?"),
        ("train digits --out x --ema 0.999", "agon train has no --ema; did you mean --set ema=0.999?"),
        ("train digits --out x --n-critic 5", "agon train has no --n-critic; did you mean --set n_critic=5?"),
        ("train digits --out x --unroll 5", "did you mean --set dynamics.steps=5?"),
        ("train digits --out x --stpes 5", "agon train has no --stpes; did you mean --steps?"),
        (
            "train digits --out x --zzz 5",
            "for all options: agon train --help; --set PART.FIELD=VALUE changes any setting",
        ),
        ("sample x --out y --num-samples 5", "agon sample has no --num-samples; did you mean --n?"),
        ("evaluate x --count=5 --batch 7", "agon evaluate has no --count; did you mean --n?"),
        ("report x --output y", "agon report has no --output; did you mean --out?"),
        ("sample x --out y --epochs 5", "agon sample has no --epochs; for all options: agon sample --help"),
        ("recipes zzz", "no recipe or item has 'zzz' in its name, paper, claim or data; agon recipes lists all"),
    ],
)
def test_the_sentence_that_helps(
    command: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_words_that_no_name_is_like_are_not_replaced() -> None:
    """The negative control: once 'size' was taken for 'seed'."""
    assert unknown("setting", "size", ["seed", "steps"]) == "there is no setting 'size'; there are: seed, steps"
    assert assignments(["game.critic.size=3"]) == [("game.critic.size", "3")]


ENDINGS = "NAME.png, NAME.npz, a folder, or with --interpolate or --training NAME.gif or NAME.mp4"


def test_the_endings_of_samples_are_all_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For any name before torch, and for what a run's samples cannot be."""
    for command, told in (
        (["sample", "pretrained:ring", "--out", "s.xyz"], f"expected {ENDINGS}, or NAME.npz or NAME.csv for points"),
        (["sample", "pretrained:digits", "--n", "1", "--out", "s.csv"], f"expected {ENDINGS}, got s.csv"),
        (
            ["sample", "pretrained:ring", "--n", "1", "--out", "s.png"],
            "expected NAME.npz or NAME.csv, since",
        ),
    ):
        assert main(command) == 2
        assert told in capsys.readouterr().err


def test_the_recipes_to_begin_with_are_at_the_top(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0
    names = [row.split()[0] for row in capsys.readouterr().out.partition("\n\n")[0].splitlines()[2:]]
    first = [name for name in names if name.startswith(("first/", "own"))]
    assert "own" in first
    assert names[: len(first)] == first
    assert sorted(names) == sorted(RECIPES)


def test_recipes_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    """Found by any word of the name, paper, claim or data; with the data on which the cost was measured."""
    assert main(["recipes", "WGAN", "cifar10"]) == 0
    head, names, *rows = capsys.readouterr().out.splitlines()
    assert (head, names.split()) == ("agon train NAME (3)", ["name", "data", "quick", "claim"])
    assert [row.split()[:2] for row in rows if row] == [
        ["argan2018/cifar10-wgan-gp", "cifar10"],
        ["arjovsky2017/wgan", "cifar10"],
        ["gulrajani2017/wgan-gp", "cifar10"],
    ]
    assert main(["recipes", "first/ring"]) == 0
    assert "smoke 0.1 min, quick" in capsys.readouterr().out


TOML = """
steps = 7
batch = 16
[data]
type = "ring"
[game]
type = "adversarial"
[game.generator]
type = "mlp.generator"
shape = [2]
[game.critic]
type = "mlp.critic"
shape = [2]
[optimisers]
type = "adam"
lr = 1e-4
"""


def yaml_of(value: object, indent: str = "") -> str:
    """A mapping as block YAML; 1e-4 stays as people write it."""
    lines = []
    for name, inner in value.items():  # type: ignore[attr-defined]
        if isinstance(inner, dict):
            lines += [f"{indent}{name}:", yaml_of(inner, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {'1e-4' if inner == 1e-4 else inner}")
    return "\n".join(lines)


def test_an_experiment_in_a_file(tmp_path: Path) -> None:
    """The same from TOML, YAML and JSON; what the file leaves out has its default."""
    value = tomllib.loads(TOML)
    (tmp_path / "e.toml").write_text(TOML)
    (tmp_path / "e.json").write_text(json.dumps(value))
    (tmp_path / "e.yaml").write_text(yaml_of(value))
    one, two, three = (read_experiment(tmp_path / f"e.{suffix}") for suffix in ("toml", "json", "yaml"))
    assert one == two == three
    assert (one.steps, one.seed, one.optimiser("critic").make) == (7, 0, torch.optim.Adam)
    (tmp_path / "whole.json").write_text(one.to_json())
    assert read_experiment(tmp_path / "whole.json") == one
    changed = meant("lr=0.5", recipe=str(tmp_path / "e.toml"), seed=3)
    assert (changed.seed, changed.steps, changed.optimiser("critic").settings["lr"]) == (3, 7, 0.5)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("e.json", "{", "cannot be read as an experiment"),
        ("e.toml", "a = ", "cannot be read as an experiment"),
        ("e.yaml", "a: [", "cannot be read as an experiment"),
        ("e.yaml", "- 1", "expected the fields of an experiment, got list"),
        ("e.yaml", "day: 2026-11-29", "there is no setting of experiment 'day'"),
        ("e.json", '{"stpes": 3}', "did you mean 'steps'?"),
        ("e.json", '{"game": {"import": "os:getcwd"}}', "--trust"),
    ],
)
def test_a_file_that_is_none(name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingError) as raised:
        read_experiment(tmp_path / name)
    assert told in str(raised.value)
