"""An experiment is complete, checked when it is made, and read back equal from what was written."""

import os
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from agon import Adversarial, Averaging, Experiment, Turns, Uniform, part
from agon.data import SOURCES, Ring
from agon.errors import SettingError
from agon.experiment import PARTS, changed, differences
from agon.experiment.names import TABLES
from agon.networks import dcgan, mlp
from agon.objectives import OBJECTIVES
from agon.penalties import PENALTIES
from agon.recipes import RECIPES


def ring(**changes: object) -> Experiment:
    game = part(
        Adversarial,
        generator=part(mlp.Generator, shape=(2,), widths=[8]),
        critic=part(mlp.Critic, shape=(2,), widths=(8,)),
    )
    return Experiment(**{"game": game, "data": Ring(), "steps": 10, **changes})  # type: ignore[arg-type]


def described() -> list[Experiment]:
    """One experiment for each entry of the rooms' tables that takes no further arguments."""
    yield_ = [recipe.experiment(scale="smoke") for recipe in RECIPES.values()]
    yield_ += [ring(game=ring().game.changed(objective=make())) for make in OBJECTIVES.values()]  # type: ignore[union-attr]
    yield_ += [ring(game=ring().game.changed(penalties=(make(),))) for make in PENALTIES.values()]  # type: ignore[union-attr]
    yield_ += [
        ring(data=make(points=100))
        for name, make in SOURCES.items()
        if name not in ("images", "numeric", "stacked", "dirac", "gaussian")
    ]
    yield_ += [ring(latent=Uniform(low=0.0), averaging=Averaging(), dynamics=Turns((("generator", "critic"),)))]
    yield_ += [ring(optimisers={p: part(torch.optim.SGD, lr=0.1, momentum=0.5) for p in ("generator", "critic")})]
    return yield_


@pytest.mark.parametrize("experiment", described(), ids=lambda e: type(e.data).__name__)
def test_written_and_read_back_equal(experiment: Experiment) -> None:
    again = Experiment.from_json(experiment.to_json())
    assert again == experiment
    assert again.to_json() == experiment.to_json()


def test_each_name_means_one_part() -> None:
    assert len(PARTS) == sum(map(len, TABLES))


def test_defaults_are_written_down() -> None:
    """A later version with other defaults builds the same networks."""
    networks = {"generator": part(dcgan.Generator, shape=(1, 8, 8)), "critic": part(dcgan.Critic, shape=(1, 8, 8))}
    assert '"gain": 0.02' in ring(game=part(Adversarial, **networks)).to_json()


def test_differences_name_every_change() -> None:
    old, new = ring(), replace(changed(ring(), "game.critic.widths", "[16]"), batch=32)
    assert list(differences(old.describe(), new.describe())) == ["batch: 64 -> 32", "game.critic.widths.0: 8 -> 16"]
    assert list(differences(old.describe(), ring().describe())) == []


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("batch", "32", 32),
        ("game.generator.widths", "[4, 4]", (4, 4)),
        ("game.objective", "hinge", OBJECTIVES["hinge"]()),
        ("game.penalties", '["r1"]', (PENALTIES["r1"](),)),
        ("optimisers.lr", "1e-3", 1e-3),
        ("optimisers", "rmsprop", part(torch.optim.RMSprop, lr=2e-4)),  # the rate is kept
        ("game.penalties", "r1", (PENALTIES["r1"](),)),
        ("averaging", "averaging", Averaging()),
        ("averaging", "null", None),
        ("dynamics.order", '[["generator", "critic"]]', (("generator", "critic"),)),
        ("latent", "uniform", Uniform()),
        ("recipe", "17", "17"),
    ],
)
def test_a_setting_by_its_path(path: str, text: str, value: object) -> None:
    owner = changed(ring(), path, text)
    for name in path.split("."):
        owner = owner.settings[name] if hasattr(owner, "settings") else getattr(owner, name)
    assert owner == value


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ring(steps=0), "expected at least 1"),
        (lambda: ring(game=part(mlp.Critic, shape=(2,))).build(), "expected a part that builds a Game"),
        (lambda: part(mlp.Critic, shape=(2,), wdths=(1,)), "did you mean 'widths'"),
        (lambda: part(mlp.Critic, shape="2"), "Critic.shape"),
        (lambda: ring(averaging=Averaging(player="critik")).build(), "did you mean 'critic'"),
        (lambda: ring(optimisers={"critic": part(torch.optim.SGD)}).optimiser("generator"), "one for 'generator'"),
        (lambda: ring(data=SOURCES["gaussian"]()).build(), r"expected samples of the data's shape \(1,\)"),
    ],
)
def test_what_does_not_fit_is_a_sentence(make: "types.FunctionType", told: str) -> None:
    with pytest.raises(SettingError, match=f"(?i){told}"):
        make()


WRONG_TYPES = """
from tests.test_experiment import ring
from agon.errors import SettingError
for wrong in ({"batch": "many"}, {"batch": True}, {"latent": 5}, {"dynamics": None}, {"averaging": 0.9}):
    try:
        ring(**wrong)
        print("made")
    except SettingError as error:
        print(error)
"""


def test_wrong_types_are_sentences_outside_the_tests_too() -> None:
    """In a process of its own: here, the shape checks of the tests would complain first."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", WRONG_TYPES], env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.partition(": expected ")[0] for line in lines] == [
        "Experiment.batch", "Experiment.batch", "Experiment.latent", "Experiment.dynamics", "Experiment.averaging",
    ]  # fmt: skip


def test_a_critic_of_another_shape_is_named() -> None:
    class Column(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :1]

    with pytest.raises(SettingError, match=r"expected one logit a sample.*flatten"):
        changed_game(critic=part(Column)).build()


def changed_game(**settings: object) -> Experiment:
    game = ring().game
    assert not isinstance(game, nn.Module)
    return ring(game=game.changed(**settings))  # type: ignore[union-attr]


THEIRS = """
from torch import nn
class Theirs(nn.Module):
    latent_shape = (3,)
    def __init__(self, *, width: int = 4):
        super().__init__()
        self.layer = nn.Linear(3, 2)
    def forward(self, z):
        return self.layer(z)
"""


def test_their_classes_by_path_and_hash_and_only_with_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs_of_a_user.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    from importlib import import_module

    theirs = import_module("theirs_of_a_user").Theirs
    experiment = changed_game(generator=part(theirs, width=5))
    text = experiment.to_json()
    with pytest.raises(SettingError, match="is not agon's"):
        Experiment.from_json(text)
    assert Experiment.from_json(text, trust=True) == experiment
    (tmp_path / "theirs_of_a_user.py").write_text(THEIRS.replace("Linear(3, 2)", "Linear(3, 2, bias=False)"))
    sys.modules.pop("theirs_of_a_user")
    import linecache

    linecache.clearcache()
    with pytest.raises(SettingError, match="has changed since"):
        Experiment.from_json(text, trust=True)


def test_the_same_seed_builds_the_same_weights() -> None:
    from agon.training.randomness import temporary_stream

    def built(seed: int) -> dict[str, torch.Tensor]:
        with temporary_stream(seed, "init"):
            return ring().build().state_dict()

    before = torch.get_rng_state()
    one, again, other = built(0), built(0), built(1)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
