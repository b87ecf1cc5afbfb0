"""Every recipe that is listed trains, can be written down, and tells what it is."""

import math
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
import torch

from agon import Compute, Experiment, train
from agon.cli import main
from agon.data import Gaussian, Grid, Images, Ring
from agon.dynamics import Unrolled
from agon.errors import SettingError
from agon.evaluation import evaluate, over_time
from agon.experiment import Budget, Part
from agon.metrics import modes_held
from agon.papers import find_item
from agon.recipes import RECIPES, Recipe, Scale
from agon.runs import read
from agon.training import Training
from tests.papers.test_items import COVERING

EVERY = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
VARIANTS = ("-noises", "-tied", "-nobn", "-linear", "-linear-d4", *(f"digit-{k}" for k in range(1, 10)))
OTHERS = ("/lsun-", "/imagenet-", "/stl10-", "/celeba-", "gran5", "-m2", "-m3", "-m4", "-m5", "-k1", "-k5", "-b", "-c")
MANY = [n for n in RECIPES if not n.endswith((*VARIANTS, *OTHERS)) and not any(other in n for other in OTHERS[:4])]
BY_ITEMS = {recipe.name for item in COVERING for recipe in find_item(item).trainings.values()}  # trained for these
ALONE = [name for name in MANY if name not in BY_ITEMS]


def named(paper: str, *choices: tuple[str, ...]) -> set[str]:
    """Every name that one of each tuple of parts makes."""
    return {f"{paper}/{''.join(parts)}" for parts in product(*choices)}


GRANS = ("-gran1", "-gran3", "-gran5")
NAMED = {
    *named("im2016", ("mnist", "cifar10", "lsun-church", "lsun-rooms", "imagenet"), GRANS, ("", "-noises", "-tied")),
    *named("im2016", ("mnist-gran3-long", "mnist-gran3-noises-long", "mnist-gran1-600")),
    *named("im2016", ("mnist-vae", "mnist-dvae", "mnist-draw")),
    *named(
        "argan2018",
        ("cifar10", "stl10-48", "stl10-96", "celeba"),
        ("-s-argan", "-c-argan", "-pargan", "-dcgan", "-wgan-gp"),
    ),
    *named("argan2018", ("cifar10", "stl10-48"), ("-ebgan", "-began")),
    *named("argan2018", ("cifar10",), ("-s-argan-l2", "-s-argan-equation5", "-s-argan-t1", "-s-argan-t2")),
    "argan2018/cifar10-c-argan-one-layer",
    *named("metz2017", ("ring-k0", "ring-k10", "rnn-mnist-k0", "rnn-mnist-k20", "mnist-k0", "mnist-k10")),
    *named("metz2017", ("ring-d10", "ring-k1-far", "ring-k10-fresh", "ring-k10-both", "ring-k10-recursive")),
    "metz2017/ring-logistic",
    *named("metz2017", ("cifar10-k0", "cifar10-k1", "cifar10-k5", "cifar10-k10")),
    *named("yamazaki2017", ("swiss-roll", "ring"), ("-m0", "-m1", "-g0d1", "-g1d0"), ("", "-nobn")),
    *named("yamazaki2017", ("swiss-roll", "ring"), ("-m1", "-g0d1"), ("-endless",)),
    *named("yamazaki2017", tuple(f"mnist-m{k}" for k in range(6)), ("", "-nobn")),
    *named("yamazaki2017", tuple(f"cifar10-m{k}" for k in range(4)), ("", "-nobn")),
    "yamazaki2017/mnist-classifier",
    "yamazaki2017/cifar10-classifier",
    *named("tabak2016", ("gaussian-a", "gaussian-b", "gaussian-c", "mnist-dcgan")),
    *named("tabak2016", tuple(f"mnist-digit-{k}" for k in range(10)), ("", "-linear", "-linear-d4")),
    "radford2015/dcgan",
    "mao2016/lsgan",
    "arjovsky2017/wgan",
    "gulrajani2017/wgan-gp",
    "zhao2016/ebgan",
    "berthelot2017/began",
    "miyato2018/sngan",
    "miyato2018b/projection",
    "odena2017/acgan",
    "huang2024/r3gan",
}


@EVERY
def test_takes_steps(recipe: Recipe) -> None:
    """At its smallest scale, which downloads nothing: finite losses of every player, and finite samples."""
    experiment = recipe.experiment(scale="smoke")
    training = Training(experiment, Compute(threads=1, device="cpu").resolved(), torch.device("cpu"))
    losses = training.advance()
    assert set(losses.players) == set(training.game.players)
    assert all(math.isfinite(value) for value in training.record(losses).values())
    if training.game.generating_players:
        samples = training.samples(training.fixed_latents(3))
        assert samples.shape == (3, *experiment.data.shape)
        assert samples.isfinite().all()


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.usefixtures("one_core")
def test_smoke_scale_trains(name: str, tmp_path: Path) -> None:
    """On its own data, half of the way, with finite losses of every player and samples to look at.

    The recipes of an item that tests/papers/test_items.py makes are trained there.
    """
    trains(RECIPES[name], tmp_path, steps=10)


@pytest.mark.evidence
@EVERY
def test_every_smoke_scale_trains(recipe: Recipe, tmp_path: Path) -> None:
    trains(recipe, tmp_path)


def trains(recipe: Recipe, folder: Path, steps: int | None = None) -> None:
    experiment = recipe.experiment(scale="smoke")
    experiment = replace(experiment, steps=steps or experiment.steps)
    run = train(experiment, folder / "run", show=False)
    last = read(run.log)[-1]
    assert last["step"] == experiment.steps
    assert all(math.isfinite(value) for value in last.values())
    assert isinstance(experiment.game, Part)
    game = experiment.game.make
    assert {name for name in last if name.startswith("loss/")} == {f"loss/{player}" for player in game.players}
    assert bool(list(run.samples.glob(f"{experiment.steps:08d}.*"))) == bool(game.generating_players)


@EVERY
def test_is_written_down_and_read_back(recipe: Recipe) -> None:
    """At every scale, and on other data than its own."""
    for scale in get_args(Scale):
        shape = recipe.data(scale).shape
        other = Images(path="digits", size=28) if len(shape) == 3 else Gaussian() if shape == (1,) else Grid()
        experiment = recipe.experiment(other, scale)
        assert Experiment.from_json(experiment.to_json()) == experiment
        assert experiment.recipe == f"{recipe.name} --scale {scale}"


def test_the_papers_trainings_have_their_names() -> None:
    """Each table of names, and no other recipe of these papers."""
    papers = {name.partition("/")[0] for name in NAMED}
    assert {name for name in RECIPES if name.partition("/")[0] in papers} == NAMED


def test_the_list_tells_name_paper_claim_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0
    table = capsys.readouterr().out
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert main(["recipes", name]) == 0
        told = capsys.readouterr().out
        for part in (name, recipe.claim):
            assert part in table
        for part in (name, recipe.paper, recipe.claim, *recipe.minutes):
            assert part in told
        assert set(recipe.minutes) == set(get_args(Scale))


@pytest.mark.evidence
def test_the_first_recipe_finds_every_digit(tmp_path: Path) -> None:
    """All 10 classes in 500 samples, with a mean confidence of at least 0.9: what `make demo` claims."""
    run = train(RECIPES["first/digits"].experiment(), tmp_path / "run")
    classes, confidence = evaluate(run)
    assert classes.value == 10
    assert confidence.value >= 0.9


def test_figure_1_differs_in_the_look_ahead_alone() -> None:
    """The two rows are one experiment but for K."""
    for scale in get_args(Scale):
        without = RECIPES["metz2017/ring-k0"].experiment(scale=scale)
        ahead = RECIPES["metz2017/ring-k10"].experiment(scale=scale)
        assert isinstance(ahead.dynamics, Unrolled)
        assert (ahead.dynamics.steps, ahead.dynamics.looks_ahead) == (10, {"generator": ("critic",)})
        assert replace(ahead, dynamics=ahead.dynamics.turns, recipe=without.recipe) == without


@pytest.mark.evidence
@pytest.mark.parametrize(("name", "spreads"), [("metz2017/ring-k0", False), ("metz2017/ring-k10", True)])
def test_unrolling_spreads_what_otherwise_rotates(name: str, spreads: bool, tmp_path: Path) -> None:
    """Figure 1's claim in its first 3,000 rounds, from round 2,000 on: even shares, or one mode after another."""
    experiment = replace(RECIPES[name].experiment(), steps=3000, sample_every=25)
    run = train(experiment, tmp_path / "run", show=False)
    divergence = evaluate(run, n=10_000)[2].value
    held = modes_held(list(over_time(run, Ring()).values())[80:]).value
    assert (divergence < 0.1, held) == (True, 0) if spreads else (divergence > 1, held) == (True, 8)


def test_a_budget_has_the_experiments_own_numbers() -> None:
    """Every field and every default, so that a budget left out and one of defaults are the same experiment."""
    defaults = {field.name: field.default for field in fields(Experiment)}
    for field in fields(Budget):
        assert field.default == defaults[field.name], field.name
    plain = RECIPES["first/ring"].experiment(scale="smoke")
    budget = Budget(steps=7, batch=3, log_every=2, sample_every=4, checkpoint_every=5, grid=6)
    assert {name: getattr(replace(plain, **budget.settings), name) for name in budget.settings} == budget.settings


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 1, "log_every": -1}, {"steps": 1, "batch": 2**21}])
def test_a_budget_that_no_experiment_has_is_a_sentence(wrong: dict[str, int]) -> None:
    name = list(wrong)[-1]
    with pytest.raises(SettingError, match=rf"budget\.{name}: expected 1 to .*, got"):
        Budget(**wrong)
