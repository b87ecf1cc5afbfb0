"""Games through an augmentation: the same game between the transformed distributions, under every dynamics."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import agon
from agon import Experiment, part
from agon.augmentation import Adaptive, DiffAugment, Flip, Pipeline
from agon.data import Images
from agon.dynamics import Extragradient, Optimistic, Turns, Unrolled
from agon.dynamics.unrolled.compiled import CompiledUnrolled, tracing
from agon.errors import SettingError
from agon.experiment import augmented, changed, differences
from agon.games import Adversarial, Batch, Classification, parameters_of
from agon.games import augmented as games_augmented
from agon.networks import classifier, dcgan
from agon.objectives import OBJECTIVES, LeastSquares, Minimax, Wasserstein
from agon.penalties import R1, R2, GradientPenalty
from agon.runs import Run
from agon.training.replicates.equivalence import refuse_unequal
from agon.training.replicates.folder import make_plan
from tests.dynamics.differences import by_differences, surrogate
from tests.dynamics.test_compiled import COMPILER, flat, same
from tests.dynamics.test_moves import SIMULTANEOUS, assert_identical, state
from tests.dynamics.test_unrolled_exact import RULES, assert_close
from tests.training.compare import assert_same

SHAPE, N = (1, 3, 3), 6
AUGMENTATIONS = {
    "diffaugment": DiffAugment(),
    "ada": Adaptive(interval=1, images=40, initial=0.4),  # p moves by 0.15 with each of the critic's moves
}


def game_of(augmentation: Any, **settings: Any) -> Adversarial:
    """Tiny smooth networks of 3x3 images, in float64."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 9), nn.Tanh(), nn.Unflatten(1, SHAPE))
    generator.latent_shape = (2,)  # type: ignore[assignment]
    critic = nn.Sequential(nn.Flatten(), nn.Linear(9, 3), nn.Tanh(), nn.Linear(3, 1), nn.Flatten(0))
    settings = {"objective": Minimax(), **settings}
    return Adversarial(generator=generator, critic=critic, augmentation=augmentation, **settings).double()


def drawn(game: Adversarial, seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    real, latent = torch.rand(N, *SHAPE, generator=rng) * 2 - 1, torch.randn(N, 2, generator=rng)
    noise = {name: tensor.double() for name, tensor in game.noise((N, *SHAPE), rng).items()}
    return Batch(real.double(), latent.double(), noise)


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_it_is_the_game_between_transformed_samples(objective: str) -> None:
    """To the bit, penalties included: they are about what the critic sees."""
    penalties = (R1(weight=1.0), R2(weight=1.0), GradientPenalty(weight=1.0))
    settings: dict[str, Any] = {"objective": OBJECTIVES[objective](), "penalties": penalties}
    game, plain = game_of(DiffAugment(), **settings), game_of(None, **settings)
    batch = drawn(game)
    augmentation = game.augmentation
    assert isinstance(augmentation, DiffAugment)
    real = augmentation(batch.real, batch.noise["augmentation/real"])
    fake = augmentation(game.generate(batch.latent), batch.noise["augmentation/fake"])
    found = game(batch, of=("generator", "critic"))
    expected = plain(batch._replace(real=real), fake, of=("generator", "critic"))
    assert_identical(found.players, expected.players)
    assert not torch.equal(found.players["critic"], plain(batch, of=("critic",)).players["critic"])
    x = batch.real
    assert torch.equal(game.realness(x), plain.realness(x))  # a battle asks about samples as they are


def test_real_and_generated_samples_get_draws_of_their_own() -> None:
    game = game_of(DiffAugment(), penalties=(GradientPenalty(),))
    noise = game.noise((N, *SHAPE), torch.Generator().manual_seed(0))
    assert set(noise) == {"epsilon", "augmentation/real", "augmentation/fake"}
    assert not torch.equal(noise["augmentation/real"], noise["augmentation/fake"])
    assert set(game_of(None).noise((N, *SHAPE), torch.Generator())) == set()


def test_adaptive_at_probability_0_is_the_game_without_it() -> None:
    game, plain = game_of(Adaptive()), game_of(None)
    batch = drawn(game)
    found, expected = (g(batch, of=("generator", "critic")) for g in (game, plain))
    assert_identical(found.players, expected.players)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_generator_s_gradient_is_that_of_finite_differences(name: str) -> None:
    game = game_of(AUGMENTATIONS[name])
    batch = drawn(game)

    def value() -> float:
        with torch.no_grad():
            return float(game(batch, of=("generator",)).players["generator"])

    loss = game(batch, of=("generator",)).players["generator"]
    found = torch.autograd.grad(loss, parameters_of(game, "generator"))
    assert any(g.abs().max() > 1e-3 for g in found)
    assert_close(found, by_differences(game, "generator", value))


def warmed(game: Adversarial, rule: str, steps: int = 2) -> dict[str, torch.optim.Optimizer]:
    """Each player's own, with moments of a few steps already made."""
    optimisers = {player: RULES[rule](parameters_of(game, player)) for player in game.players}
    for seed in range(1, steps + 1):
        Turns(SIMULTANEOUS).step(game, optimisers, lambda seed=seed: drawn(game, seed))
    return optimisers


def gradients(dynamics: Any, game: Adversarial, optimisers: Any, batch: Batch) -> list[Any]:
    """What a step moves the generator along, on copies."""
    game, optimisers = copy.deepcopy((game, optimisers))
    dynamics.step(game, optimisers, lambda: batch)
    return [p.grad for p in parameters_of(game, "generator")]


@pytest.mark.parametrize(("name", "rule"), [("diffaugment", "adam"), ("ada", "sgd")])
def test_an_unrolled_gradient_is_that_of_finite_differences(name: str, rule: str) -> None:
    """Through the critic's real steps on a copy, in which ADA's p changes from step to step."""
    game = game_of(AUGMENTATIONS[name])
    optimisers = warmed(game, rule)
    batch, others = drawn(game), ("critic",)

    def value() -> float:
        return surrogate(game, optimisers, "generator", others, [batch] * 2, batch)

    alone = Turns((("generator",),))
    found, first_order = (gradients(each, game, optimisers, batch) for each in (Unrolled(alone, steps=2), alone))
    assert_close(found, by_differences(game, "generator", value))
    assert any(not torch.allclose(a, b, rtol=1e-3) for a, b in zip(found, first_order, strict=True))


@pytest.mark.parametrize("dynamics", [Turns(), Unrolled(steps=2), Extragradient(), Optimistic()], ids=type)
def test_p_moves_once_with_each_of_the_critic_s_moves(dynamics: Any) -> None:
    """A look-ahead moves a p of its own, and the generator's move none."""
    game = game_of(AUGMENTATIONS["ada"])
    adaptation = game.adaptation
    assert adaptation is not None
    optimisers, batch = warmed(game, "sgd", steps=0), drawn(game)
    Turns((("generator",),)).step(game, optimisers, lambda: batch)
    assert adaptation.p == pytest.approx(0.4)
    r = float(game(batch, of=("critic",)).seen["augmentation/overfitting"])
    dynamics.step(game, optimisers, lambda: batch)
    assert float(adaptation.p) == pytest.approx(0.4 + (N / 40) * (1 if r > 0.6 else -1))
    assert not adaptation.p.requires_grad


def test_p_rises_against_a_critic_that_knows_the_samples_and_falls_against_one_that_does_not() -> None:
    for separation, rises in ((50.0, True), (0.0, False)):
        game = game_of(Adaptive(images=600, interval=2, initial=0.5))
        adaptation = game.adaptation
        assert adaptation is not None
        game.critic = Mean(separation)
        optimisers = {player: torch.optim.SGD(parameters_of(game, player), lr=0.0) for player in game.players}
        for seed in range(4):
            batch = drawn(game, seed)
            bright = batch._replace(real=batch.real.abs() * 0.1 + 0.9)  # still bright when its pixels have moved
            Turns((("critic",),)).step(game, optimisers, lambda bright=bright: bright)
        assert float(adaptation.p) == pytest.approx(0.5 + (1 if rises else -1) * 4 * N / 600)


class Mean(nn.Module):
    """D(x) = slope · mean of |x|: 0 everywhere, or positive."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope).double())

    def forward(self, x: Tensor) -> Tensor:
        return self.slope * x.abs().flatten(1).mean(1)


@pytest.mark.parametrize(("objective", "boundary"), [(LeastSquares(), 0.5), (Wasserstein(), None), (Minimax(), 0.0)])
def test_r_is_about_the_objective_s_boundary(objective: Any, boundary: float | None) -> None:
    game = game_of(Adaptive(), objective=objective)
    batch = drawn(game)
    real, fake = game.realness(batch.real), game.realness(game.generate(batch.latent))
    expected = torch.sign(real - (fake if boundary is None else boundary)).mean()
    seen = game(batch, of=("critic",)).seen
    assert torch.equal(seen["augmentation/overfitting"], expected)
    assert seen["augmentation/images"] == N
    plain = game_of(DiffAugment(), objective=objective)
    assert "augmentation/overfitting" not in plain(drawn(plain), of=("critic",)).seen


def test_processes_keep_one_p(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has half of the batch, and moves p by the whole; the other's half is told by hand."""
    game = game_of(Adaptive(interval=1, images=100, initial=0.5))
    batch, r = drawn(game), (1.0, 0.0)  # 0.5 together: below the target
    monkeypatch.setattr(games_augmented.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(games_augmented.dist, "get_world_size", lambda: 2)
    images = game(batch, of=("critic",)).seen["augmentation/images"]
    assert images == 2 * N
    for own, other in (r, r[::-1]):
        copied = copy.deepcopy(game)
        monkeypatch.setattr(games_augmented, "total", lambda value, other=other: value + other)
        copied.after_update("critic", {"augmentation/overfitting": torch.tensor(own), "augmentation/images": images})
        assert float(copied.adaptation.p) == pytest.approx(0.5 - 2 * N / 100)


def stepped(dynamics: Unrolled, game: Adversarial, optimisers: Any) -> dict[str, Any]:
    """Everything of both players after a step of copies."""
    game, optimisers = copy.deepcopy((game, optimisers))
    dynamics.step(game, optimisers, lambda: drawn(game, 5))
    return {player: state(game, player, optimisers) for player in game.players}


def test_a_look_ahead_through_diffaugment_is_made_of_steps_and_their_vjps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions that are compiled; ADA's p changes after a move, as a part of the compiled round."""
    monkeypatch.setattr(tracing, "compiled", flat)
    for name in ("diffaugment", "ada"):
        game, plain = game_of(AUGMENTATIONS[name]), Unrolled(Turns(SIMULTANEOUS), steps=3)
        optimisers, dynamics = warmed(game, "adam"), CompiledUnrolled.of(plain)
        same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
        assert dynamics.working


@pytest.mark.evidence
def test_a_compiled_look_ahead_through_diffaugment_is_the_eager_one() -> None:
    game, plain = game_of(AUGMENTATIONS["diffaugment"]), Unrolled(steps=3)
    optimisers, dynamics = warmed(game, "adam"), CompiledUnrolled.of(plain)
    same(stepped(dynamics, game, optimisers), stepped(plain, game, optimisers))
    assert dynamics.working is COMPILER


def described(steps: int = 6, augment: Sequence[Any] = (Flip(),), **settings: Any) -> Experiment:
    data = Images(path="digits")
    sizes = {"shape": data.shape, "width": 2}
    game = part(
        Adversarial,
        generator=part(dcgan.Generator, latent=4, **sizes),
        critic=part(dcgan.Critic, **sizes),
        augmentation=Adaptive(interval=2, images=100, initial=0.4),
    )
    every = {"log_every": 1, "sample_every": 3, "checkpoint_every": 3, "grid": 4}
    return Experiment(game=game, data=data, steps=steps, batch=8, augment=augment, **{**every, **settings})


def test_p_and_its_sums_come_back_bit_for_bit(tmp_path: Path) -> None:
    """Stopped between two changes of p, with augmented data too."""
    compute = agon.Compute(threads=1, device="cpu")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    agon.train(described(6), whole, compute=compute, show=False)
    agon.train(described(3), parts, compute=compute, show=False)
    middle = Run.open(parts).last_good()[0]
    assert middle is not None
    assert middle.tensors["game/adaptation.moves"] == 1
    assert middle.tensors["game/adaptation.p"] != torch.tensor(0.4)
    agon.resume(parts, steps=6, show=False)
    assert_same(whole, parts)


def test_seeds_together_are_what_they_are_alone() -> None:
    """Each with a p of its own."""
    for dynamics in (Turns(), Unrolled(steps=1)):
        experiment = described(dynamics=dynamics, augment=())
        refuse_unequal(make_plan(experiment, 2, agon.Compute(threads=1, device="cpu", compile="off")))


def test_an_experiment_reads_back_and_an_older_one_has_no_augmentation() -> None:
    experiment = described(augment=(Flip(),))
    assert Experiment.from_json(experiment.to_json()) == experiment
    plain = augmented(described(augment=()), ())
    assert isinstance(plain.game, agon.Part)
    plain = Experiment(**{**vars(plain), "game": plain.game.changed(augmentation=None)})
    older = plain.describe()
    del older["augment"], older["game"]["augmentation"]
    assert list(differences(older, plain.describe())) == []
    assert [line.partition(":")[0] for line in differences(older, experiment.describe())] == [
        "augment",
        "game.augmentation",
    ]


def test_words_switch_augmentations_on_for_the_data_s_range() -> None:
    data = Images(path="digits", range=(0.0, 1.0))
    plain = Experiment(game=part(Adversarial, generator=NETWORK, critic=NETWORK), data=data, steps=1)
    chosen = augmented(plain, ["ada", "flip", "colour"])
    assert [type(a).__name__ for a in chosen.augment] == ["Flip", "Colour"]
    assert isinstance(chosen.game, agon.Part)
    assert chosen.game.settings["augmentation"] == Adaptive(of=Pipeline(range=(0.0, 1.0)))
    assert augmented(plain, ["diffaugment"]).game.settings["augmentation"].range == (0.0, 1.0)  # type: ignore[union-attr]


NETWORK = part(nn.Linear, in_features=1, out_features=1)
JUDGE = part(classifier.Classifier, shape=(1, 8, 8), classes=10)


@pytest.mark.parametrize(
    ("game", "words", "message"),
    [
        (
            part(Adversarial, generator=NETWORK, critic=NETWORK),
            ["ada", "diffaugment"],
            "expected one of diffaugment, ada",
        ),
        (part(Adversarial, generator=NETWORK, critic=NETWORK), ["flop"], "did you mean 'flip'"),
        (part(Classification, classifier=JUDGE), ["ada"], "expected a game with a critic for ada, got Classification"),
    ],
)
def test_words_that_make_no_sense(game: Any, words: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        augmented(Experiment(game=game, data=Images(path="digits"), steps=1), words)


def test_a_mismatch_with_the_data_is_refused_before_training() -> None:
    digits = Images(path="digits", range=(0.0, 1.0))
    experiment = Experiment(**{**vars(described(augment=())), "data": digits})
    with pytest.raises(SettingError, match=r"data's range \(0.0, 1.0\)") as caught:
        agon.training.Training(experiment, agon.Compute(device="cpu").resolved(), torch.device("cpu"))
    assert "--set game.augmentation.of.range='[0.0, 1.0]'" in caught.value.typed
    with pytest.raises(SettingError, match=r"augment: expected .*Augmentation.*, got .*Adaptive"):
        changed(described(augment=()), "augment", "ada")


def test_p_does_not_depend_on_the_parts_of_a_batch_or_on_who_looks_ahead() -> None:
    """It counts the images of all parts; a critic that looks ahead adapts it by its own pass."""

    def p_after(dynamics: Any) -> float:
        game = game_of(Adaptive(of=Flip(), interval=1, images=40, target=-0.9))
        optimisers = {player: torch.optim.SGD(parameters_of(game, player), lr=1e-3) for player in game.players}
        for step in range(3):
            seen = dynamics.step(game, optimisers, lambda step=step: drawn(game, step)).seen
        assert float(seen.get("augmentation/images", seen.get("ahead/augmentation/images"))) == N
        return float(game.adaptation.p)

    whole = p_after(Turns())
    assert whole == pytest.approx(3 * N / 40)
    assert p_after(Turns(accumulate=3)) == pytest.approx(whole)
    assert p_after(Unrolled(looks_ahead={"critic": ("generator",)}, steps=1)) == pytest.approx(whole)
