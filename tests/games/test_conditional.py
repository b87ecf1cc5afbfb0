"""Class-conditional games: the optimal projection critic, labels that are obeyed, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agon import Compute, part
from agon.augmentation import DiffAugment
from agon.data import Images, Ring, Source
from agon.dynamics import Dynamics, Extragradient, Turns, Unrolled
from agon.errors import DataError, SettingError
from agon.experiment import Experiment, Part
from agon.games import Adversarial, AuxiliaryClassifier, Batch, parameters_of
from agon.metrics import battle
from agon.networks import classifier, conditional, dcgan, gran, mlp
from agon.networks.labels import ClassNorm
from agon.penalties import R1, GradientPenalty, WeightDecay
from agon.training import Training

DIGITS = Images(path="digits")
SHAPE, CLASSES = DIGITS.shape, 10


class OneHot(nn.Module):
    """A critic of symbols 0, ..., k - 1, whose features are their one-hot rows: any table of logits can be had."""

    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.feature_count = symbols
        self.last = nn.Linear(symbols, 1, bias=False)

    def features(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def logits(self, features: Tensor) -> Tensor:
        return self.last(features).flatten()

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(self.features(x))


def table(symbols: int, classes: int, seed: int) -> Tensor:
    """A joint distribution of symbols and classes, float64."""
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(symbols, classes, generator=rng, dtype=torch.float64).flatten().softmax(0).view(symbols, classes)


def test_the_optimal_logit_is_the_log_ratio_of_the_joint_distributions() -> None:
    """log p(x|y) p(y) / q(x|y) q(y), reached by Newton-like descent on the exact expected loss."""
    symbols, classes = 4, 3
    p, q = table(symbols, classes, 0), table(symbols, classes, 1)
    critic = conditional.ProjectionCritic(critic=OneHot(symbols), classes=classes).double()
    x = torch.eye(symbols, dtype=torch.float64).repeat_interleave(classes, 0)
    y = torch.arange(classes).repeat(symbols)
    optimiser = torch.optim.LBFGS(
        critic.parameters(), max_iter=300, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = critic(x, y).view(symbols, classes)
        value = expected(logits, p, q)
        value.backward()
        return value

    optimiser.step(loss)
    torch.testing.assert_close(critic(x, y).view(symbols, classes), (p / q).log(), rtol=1e-5, atol=1e-5)
    marginal = (p.sum(1) / q.sum(1)).log()
    assert (critic(x, y).view(symbols, classes) - marginal[:, None]).abs().max() > 0.1, "a critic without labels"


def expected(logits: Tensor, p: Tensor, q: Tensor) -> Tensor:
    """The critic's loss of the minimax and the non-saturating objective, E_p[softplus(-D)] + E_q[softplus(D)]."""
    softplus = nn.functional.softplus
    return (p * softplus(-logits)).sum() + (q * softplus(logits)).sum()


def test_a_class_norm_begins_as_the_layer_that_it_replaces() -> None:
    layer = nn.BatchNorm2d(3)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    norm, x = ClassNorm(layer, 4), torch.randn(5, 3, 2, 2)
    norm.label = torch.tensor([0, 1, 2, 3, 0])
    torch.testing.assert_close(norm(x), layer(x))
    with torch.no_grad():
        norm.shift.weight[2] += 1
    torch.testing.assert_close((norm(x) - layer(x))[:, 0, 0, 0], torch.tensor([0.0, 0, 1, 0, 0]), atol=1e-6, rtol=0)


def perceptrons(critic: Part | None = None) -> Part:
    """Two perceptrons for digits, the critic with a projection unless another is given."""
    inner = part(mlp.Generator, shape=SHAPE, latent=24, widths=(64, 64), range=(-1.0, 1.0))
    judge = part(mlp.Critic, shape=SHAPE, widths=(64, 64))
    return part(
        Adversarial,
        generator=part(conditional.ConcatenatedGenerator, generator=inner, classes=CLASSES, size=16),
        critic=critic or part(conditional.ProjectionCritic, critic=judge, classes=CLASSES),
    )


def begun(game: Part, data: Source = DIGITS, dynamics: Turns = Turns(draws="round")) -> Training:  # noqa: B008
    adam = part(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    experiment = Experiment(game=game, data=data, steps=1, batch=64, optimisers=adam, dynamics=dynamics)
    return Training(experiment, Compute(threads=1, device="cpu").resolved(), torch.device("cpu"))


def obedience(training: Training, steps: int = 400) -> float:
    """The share of samples that least squares on real digits, 95 % right on those, take for what was asked for."""
    for _ in range(steps):
        training.advance()
    real, label = DIGITS.take(1_600)
    ones = torch.ones(1_600, 1)
    x = torch.cat([real.flatten(1), ones], 1)
    weights = torch.linalg.solve(x.T @ x + torch.eye(x.shape[1]), x.T @ torch.eye(CLASSES)[label])
    asked = torch.arange(500) % CLASSES
    samples = training.samples(torch.randn(500, *training.game.latent_shape), asked)
    taken = (torch.cat([samples.flatten(1), ones[:500]], 1) @ weights).argmax(1)
    return float((taken == asked).float().mean())


def shuffled(folder: Path) -> Images:
    """The digits, each with the label of another one."""
    real = DIGITS.stored("train")
    label = DIGITS.take(len(real)).label[torch.randperm(len(real), generator=torch.Generator().manual_seed(0))]
    np.savez(folder / "shuffled.npz", images=real.numpy()[:, 0], labels=label.numpy())
    return Images(path=str(folder / "shuffled.npz"))


def test_a_generator_draws_the_class_that_is_asked_for() -> None:
    torch.manual_seed(0)
    assert obedience(begun(perceptrons())) > 0.5


def test_not_where_labels_are_shuffled(tmp_path: Path) -> None:
    torch.manual_seed(0)
    assert obedience(begun(perceptrons(), shuffled(tmp_path))) < 0.25


def test_not_where_the_critic_sees_no_labels() -> None:
    torch.manual_seed(0)
    assert obedience(begun(perceptrons(part(mlp.Critic, shape=SHAPE, widths=(64, 64))))) < 0.25


def test_real_and_generated_samples_have_the_same_labels_and_a_penalty_gets_them() -> None:
    """x̂ lies between two samples of one label: the penalty of the label's own critic is the same term."""
    critic = conditional.ProjectionCritic(critic=mlp.Critic(shape=(2,), widths=(4,)), classes=3).double()
    generator = conditional.ConcatenatedGenerator(generator=mlp.Generator(shape=(2,), latent=4), classes=3, size=2)
    game = Adversarial(generator=generator.double(), critic=critic, penalties=(GradientPenalty(), R1()))
    rng = torch.Generator().manual_seed(0)
    label = torch.tensor([0, 2, 1, 2])
    noise = {n: t.double() for n, t in game.noise((4, 2), rng).items()}
    batch = Batch(torch.randn(4, 2).double(), torch.randn(4, 2).double(), noise, label)
    fake = generator(batch.latent, label).detach()
    mixed = torch.lerp(fake, batch.real, noise["epsilon"]).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(mixed, label).sum(), mixed)
    seen = game.losses(batch, of=("critic",)).seen
    torch.testing.assert_close(seen["penalty/GradientPenalty"], 10 * (gradient.norm(dim=1) - 1).square().mean())
    torch.testing.assert_close(seen["logit/fake"], critic(fake, label).mean().detach())
    assert not torch.allclose(critic(fake, label), critic(fake, label.flip(0)))


def acgan(**settings: object) -> AuxiliaryClassifier:
    inner = dcgan.Generator(shape=SHAPE, latent=8, width=4)
    given = {
        "generator": conditional.NormalisedGenerator(generator=inner, classes=CLASSES),
        "critic": dcgan.Critic(shape=SHAPE, width=4),
        "classifier": classifier.Classifier(shape=SHAPE, classes=CLASSES, widths=(4,), hidden=8, dropout=0.0),
    }
    return AuxiliaryClassifier(**{**given, **settings})  # type: ignore[arg-type]


def test_the_auxiliary_classifier_adds_its_cross_entropy() -> None:
    """L_G = L_GAN + weight · CE(fake), L_C = CE(real) + generated · CE(fake), L_D as it is."""
    game, entropy = acgan(weight=0.3, generated=0.7), nn.functional.cross_entropy
    batch = Batch(torch.randn(6, *SHAPE), torch.randn(6, 8), {}, torch.arange(6))
    fake = game.generate_for(batch)
    of_fake, of_real = (entropy(game.classifier(x), batch.label) for x in (fake, batch.real))
    plain = Adversarial(generator=game.generator, critic=game.critic).losses(batch, fake, of=("generator", "critic"))
    losses = game.losses(batch, fake, of=("generator", "critic", "classifier")).players
    torch.testing.assert_close(losses["generator"], plain.players["generator"] + 0.3 * of_fake)
    torch.testing.assert_close(losses["critic"], plain.players["critic"])
    torch.testing.assert_close(losses["classifier"], of_real + 0.7 * of_fake)


def test_the_auxiliary_classifier_sees_what_the_critic_sees() -> None:
    """Through an augmentation, the game is the one between the transformed samples."""
    augmentation, plain = DiffAugment(), acgan()
    game = acgan(augmentation=augmentation)
    game.load_state_dict(plain.state_dict())
    noise = game.noise((6, *SHAPE), torch.Generator().manual_seed(0))
    batch = Batch(torch.rand(6, *SHAPE), torch.randn(6, 8), noise, torch.arange(6))
    fake = game.generate_for(batch)
    seen = batch._replace(real=augmentation(batch.real, noise["augmentation/real"]))
    of = ("generator", "critic", "classifier")
    expected = plain.losses(seen, augmentation(fake, noise["augmentation/fake"]), of=of).players
    for player, loss in game.losses(batch, fake, of=of).players.items():
        assert torch.equal(loss, expected[player])


class Bare(nn.Module):
    """A user's critic that wants labels and does not say how many classes there are."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return x.flatten(1).sum(1) * label


class Deaf(nn.Sequential):
    """It states classes, and takes no labels."""

    classes = CLASSES


def generator(classes: int = CLASSES) -> nn.Module:
    return conditional.NormalisedGenerator(generator=dcgan.Generator(shape=SHAPE, width=4), classes=classes)


def projection(classes: int = CLASSES) -> nn.Module:
    return conditional.ProjectionCritic(critic=dcgan.Critic(shape=SHAPE, width=4), classes=classes)


REFUSALS = {
    "forward takes 'label', but it does not state": lambda: Adversarial(generator=generator(), critic=Bare()),
    r"expected forward\(self, x, label\), got 1": lambda: Adversarial(generator=generator(), critic=Deaf()),
    "expected as many in both networks, got 10 .* and 4": lambda: Adversarial(
        generator=generator(), critic=projection(4)
    ),
    "torch's batch normalisation, got Generator with none": lambda: conditional.NormalisedGenerator(
        generator=mlp.Generator(shape=(2,)), classes=2
    ),
    "less than the 64 numbers of Generator's latent": lambda: conditional.ConcatenatedGenerator(
        generator=mlp.Generator(shape=(2,)), classes=2, size=64
    ),
    "expected a critic with features": lambda: conditional.ProjectionCritic(critic=nn.Linear(2, 1), classes=2),
    "classes: expected a number over 0, got 0": lambda: projection(0),
    "expected a generator that takes labels, got Generator": lambda: acgan(generator=dcgan.Generator(shape=SHAPE)),
    "expected a number over 0, got -1": lambda: acgan(weight=-1.0),
    "got the classifier; give its optimiser a weight_decay": lambda: acgan(penalties=(WeightDecay(of="classifier"),)),
    r"expected logits of shape \(n, 10\).*got \('n', 3\)": lambda: acgan(
        classifier=classifier.Classifier(shape=SHAPE, classes=3)
    ).check(SHAPE),
    "expected a label for each of 2 inputs, got none": lambda: Adversarial(
        generator=generator(), critic=projection()
    ).generate(torch.zeros(2, 100)),
}


@pytest.mark.parametrize("sentence", REFUSALS)
def test_a_contradiction_is_a_sentence(sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        REFUSALS[sentence]()


def test_data_without_classes_or_with_others_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected data with classes, got none"):
        Adversarial(generator=generator(), critic=projection()).check_source(Ring())
    with pytest.raises(SettingError, match="expected the 10 of the data in the networks, got 4"):
        Adversarial(generator=generator(4), critic=projection(4)).check_source(DIGITS)
    real, label = DIGITS.stored("train"), DIGITS.take(1_617).label.clone()
    label[:7] = -1
    np.savez(tmp_path / "some.npz", images=real.numpy()[:, 0], labels=label.numpy())
    with pytest.raises(DataError, match="expected a label for every sample, got"):
        begun(perceptrons(), Images(path=str(tmp_path / "some.npz"))).advance()


def test_a_critic_that_needs_labels_does_not_battle_and_acgans_does() -> None:
    game = Adversarial(generator=generator(), critic=projection())
    with pytest.raises(DataError, match="expected critics that judge samples alone"):
        battle(game, game, torch.randn(20, *SHAPE))
    training = begun(part_of_acgan(), dynamics=Turns((("critic", "classifier"), ("generator",))))
    test = DIGITS.take(40, split="test").real
    with training.painting() as paint:
        fought = battle(training.game, training.game, test, generate=(paint, paint), statistics="running")
    assert fought.first.test.n == 40


def part_of_acgan() -> Part:
    inner = part(dcgan.Generator, shape=SHAPE, latent=8, width=4)
    return part(
        AuxiliaryClassifier,
        generator=part(conditional.NormalisedGenerator, generator=inner, classes=CLASSES),
        critic=part(dcgan.Critic, shape=SHAPE, width=4),
        classifier=part(classifier.Classifier, shape=SHAPE, classes=CLASSES, widths=(4,), hidden=8),
    )


@pytest.mark.parametrize(
    "dynamics", [Turns(), Extragradient(), Unrolled(steps=1)], ids=lambda each: type(each).__name__
)
def test_a_recomputed_pass_has_the_labels_of_the_first(dynamics: Dynamics) -> None:
    """A conditional GRAN whose activations are recomputed moves as the one that keeps them."""

    def moved(checkpoint: bool) -> list[Tensor]:
        torch.manual_seed(0)
        painter = gran.Generator(shape=SHAPE, latent=4, steps=2, kernels=(4,), hidden=4, checkpoint=checkpoint)
        generator = conditional.NormalisedGenerator(generator=painter, classes=CLASSES)
        game = Adversarial(generator=generator, critic=mlp.Critic(shape=SHAPE, widths=(8,))).double()
        batch = Batch(torch.rand(8, *SHAPE).double(), torch.randn(8, 4).double(), {}, torch.arange(8))
        optimisers = {player: torch.optim.Adam(parameters_of(game, player)) for player in game.players}
        dynamics.step(game, optimisers, lambda: batch)
        assert "label" not in "".join(game.state_dict())
        return [p.detach() for p in game.parameters()]

    assert all(torch.equal(one, other) for one, other in zip(moved(False), moved(True), strict=True))
