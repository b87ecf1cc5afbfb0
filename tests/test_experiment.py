"""An experiment is complete, checked when it is made, and read back equal from what was written."""

import os
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from inspect import isabstract
from pathlib import Path

import pytest
import torch
from torch import nn

import agon
from agon import Adversarial, Averaging, Experiment, Part, Turns, Uniform, part
from agon.data import SOURCES, Ring
from agon.errors import SettingError
from agon.experiment import PARTS, changed, differences
from agon.experiment.names import TABLES
from agon.networks import dcgan, mlp
from agon.objectives import OBJECTIVES, Objective
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


def test_the_page_of_settings_has_every_name() -> None:
    """But for those of networks and schedules, which have pages of their own, and the only rule of averages."""
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()
    missing = {name for table in TABLES for name in table if f"`{name}`" not in page}
    elsewhere = [table for table in TABLES if {"cnn.generator", "step-lr"} & set(table)]
    assert missing <= {"averaging"}.union(*elsewhere)


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


class Cubed(Objective):
    """An objective of a user's, not a dataclass."""

    boundary = 0.0

    def critic(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return (fake - real).mean()

    def generator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return -fake.mean()


class Plain(nn.Linear):
    """A network that needs no argument."""

    latent_shape = (2,)

    def __init__(self) -> None:
        super().__init__(2, 1)


class Texture(nn.Linear):
    """A generator that needs an argument."""

    def __init__(self, width: int) -> None:
        super().__init__(width, 2)


CRITIC = part(mlp.Critic, shape=(2,))
INSTEAD: list[tuple[Callable[[], object], str]] = [
    (
        lambda: part(Adversarial, generator=Texture, critic=CRITIC),
        "got the class Texture; write agon.part(Texture, ...)",
    ),
    (lambda: part(Adversarial, generator=CRITIC, critic=Plain), "got the class Plain; write agon.part(Plain)"),
    (
        lambda: ring(game=ring().game.changed(objective=Cubed)),
        "expected Objective, got the class Cubed; write Cubed()",
    ),
    (lambda: ring(game=ring().game.changed(penalties=[PENALTIES["r1"]])), "(list); write R1()"),
    (lambda: ring(game=Adversarial), "got the class Adversarial; write agon.part(Adversarial, ...)"),
    (lambda: ring(data=Ring), "data: expected data, got the class Ring; write Ring()"),
    (lambda: ring(dynamics=Turns), "got the class Turns; write Turns()"),
    (lambda: ring(latent=Uniform), "got the class Uniform; write Uniform()"),
    (lambda: ring(averaging=Averaging), "got the class Averaging; write Averaging()"),
    (lambda: ring(optimisers=torch.optim.Adam), "got the class Adam; write agon.part(Adam)"),
    (lambda: ring(optimisers={"critic": torch.optim.Adam}), "write agon.part(Adam)"),
    (
        lambda: Adversarial(generator=Plain, critic=Plain()),
        "generator: expected an instance, got the class Plain; write Plain()",
    ),
    (lambda: Adversarial(generator=Plain(), critic=Plain(), objective=Cubed), "got the class Cubed; write Cubed()"),
]


@pytest.mark.parametrize(("make", "told"), INSTEAD)
def test_a_class_in_the_place_of_an_instance_or_a_part(make: Callable[[], object], told: str) -> None:
    with pytest.raises(SettingError) as raised:
        make()
    assert told in str(raised.value)


def test_a_class_that_makes_nothing_of_that_kind_gets_no_advice() -> None:
    """The negative control."""
    with pytest.raises(SettingError, match=r"expected int, got the class int$"):
        ring(steps=int)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ring(step=10), "there is no setting of Experiment 'step'; did you mean 'steps'?"),
        (lambda: ring(epochs=10), "epochs x images / batch, so 10 epochs of 60,000 images at batch 64 are steps=9375"),
        (lambda: Experiment(game=ring().game, data=Ring()), "Experiment: missing a required argument: 'steps'"),
        (lambda: Ring(stdd=0.1), "there is no setting of Ring 'stdd'; did you mean 'std'?"),
        (lambda: Turns(acumulate=2), "there is no setting of Turns 'acumulate'; did you mean 'accumulate'?"),
        (lambda: OBJECTIVES["hinge"](margins=2), "there is no setting of Hinge 'margins'"),
    ],
)
def test_a_wrong_keyword_in_python(make: Callable[[], object], told: str) -> None:
    with pytest.raises(SettingError) as raised:
        make()
    assert told in str(raised.value)


PUBLIC = [value for name in agon.__all__ if is_dataclass(value := getattr(agon, name)) and isinstance(value, type)]


@pytest.mark.parametrize("make", [make for make in PUBLIC if make is not Part and not isabstract(make)])
def test_every_public_class_of_settings_refuses_a_wrong_keyword(make: type) -> None:
    with pytest.raises(SettingError, match="there is no setting of"):
        make(nonsense=1)


def test_none_is_a_word_where_the_setting_knows_it(tmp_path: Path) -> None:
    """And nothing where the setting can have nothing."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,5\n")
    source = agon.data.Numeric(path=str(tmp_path / "t.csv"))
    assert changed(source, "scaling", "none").scaling == "none"
    assert changed(source, "scaling", '"none"').scaling == "none"
    assert changed(agon.data.Images(path=str(tmp_path), size=8), "size", "none").size is None
