"""More patients: games of one, three and four players, with labels, and with time steps, on small digits."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import agon
from agon.games import Autoregressive, Classification, PatchAutoregressive
from agon.networks import argan, classifier, cnn, gran, mlp
from agon.networks.conditional import ConcatenatedGenerator, ProjectionCritic
from agon.objectives import LeastSquares, Minimax, NonSaturating
from agon.penalties import R1
from tests.diagnosis.hospital import FAR, RING, Make, adam, damped, game, rates, training

DIGITS = agon.Images(path="digits", range=(-1.0, 1.0))
SHAPE = DIGITS.shape
FEATURES = (16, 2, 2)


class Stale(mlp.Generator):
    """A generator whose running statistics hardly move away from those of its first weights."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for module in self.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.momentum = 1e-5


class Forgetful(gran.Generator):
    """A GRAN that does not hear the latent of its last time step."""

    def forward(self, latent: Tensor) -> Tensor:
        return super().forward(torch.cat([latent[:, :-1], 0 * latent[:, -1:]], dim=1))


def perceptron(**changes: Any) -> agon.Part:
    """A generator of digits."""
    settings = {"shape": SHAPE, "latent": 16, "widths": (64, 64), "normalise": True, "range": DIGITS.range}
    return agon.part(mlp.Generator, **{**settings, **changes})


def critic() -> agon.Part:
    return agon.part(mlp.Critic, shape=SHAPE, widths=(64,))


def of_digits(players: agon.Part, steps: int = 300, **changes: Any) -> agon.Experiment:
    return training(steps, DIGITS, **{"game": players, "grid": 256, "optimisers": adam(1e-3), **changes})


def adversarial(**parts: Any) -> agon.Part:
    usual = {"generator": perceptron(), "critic": critic(), "penalties": (R1(weight=0.1),)}
    return agon.part(agon.Adversarial, **{**usual, "objective": NonSaturating(), **parts})


def conditional() -> agon.Experiment:
    generator = agon.part(ConcatenatedGenerator, generator=perceptron(latent=24), classes=10, size=8)
    labelled = agon.Images(path="digits", range=(-1.0, 1.0), labelled=True)
    judge = agon.part(ProjectionCritic, critic=critic(), classes=10)
    players = adversarial(generator=generator, critic=judge)
    return training(300, labelled, game=players, grid=250, optimisers=adam(1e-3))


def painter(make: type[gran.Generator] = gran.Generator, **changes: Any) -> agon.Part:
    settings = {"shape": SHAPE, "latent": 16, "kernels": (16,), "kernel": 4, "hidden": 32, "range": DIGITS.range}
    return agon.part(make, **{**settings, **changes})


def autoregressive(kind: type[Autoregressive] = Autoregressive, **more: agon.Part) -> agon.Experiment:
    """Three players, or four, who move together, after two moves of the generator alone."""
    players = {
        "generator": perceptron(),
        "encoder": agon.part(cnn.Encoder, shape=SHAPE, layers=((4, 2, 8), (4, 2, 16))),
        "autoregressor": agon.part(argan.Autoregressor, features=FEATURES, hidden=16),
    }
    order: Sequence[tuple[str, ...]] = (("generator",), ("generator",), (*players, *more))
    together = agon.Turns(tuple(order))
    return of_digits(agon.part(kind, **players, **more), 200, dynamics=together, optimisers=adam(5e-4))


def classification() -> agon.Experiment:
    labelled = agon.Images(path="digits", range=(-1.0, 1.0), labelled=True)
    judge = agon.part(classifier.Classifier, shape=SHAPE, classes=10, widths=(8,), kernel=3, hidden=32, dropout=0.0)
    alone = {"game": agon.part(Classification, classifier=judge), "dynamics": agon.Turns((("classifier",),))}
    return training(200, labelled, **alone)


def stale() -> agon.Experiment:
    generator = agon.part(Stale, shape=RING.shape, latent=8, widths=(64, 64), normalise=True)
    players = game(generator=generator, penalties=(R1(weight=0.5),))
    return training(200, game=players, optimisers=adam(2e-3))


def deaf_step() -> agon.Experiment:
    return of_digits(adversarial(generator=painter(Forgetful, steps=3, noise="every")), 60)


SICK_GAMES: Mapping[str, tuple[str, Make]] = {
    "statistics that stay behind": ("batch-statistics", stale),
    "GRAN deaf at its last step": ("ignored-latent", deaf_step),
    "digits before a critic that hardly moves": (
        "collapse",
        lambda: of_digits(
            adversarial(generator=perceptron(normalise=False), objective=LeastSquares(), penalties=()),
            200,
            optimisers=rates(5e-3, 5e-6),
        ),
    ),
    "generator a hundred times as fast": (
        "rotation",
        lambda: of_digits(adversarial(penalties=()), 200, optimisers=rates(2e-2, 2e-4)),
    ),
    "saturating loss, far from the data": (
        "overpowering-critic",
        lambda: training(150, FAR, optimisers=rates(1e-4, 1e-2)),
    ),
}
HEALTHY_GAMES: Mapping[str, Make] = {
    "digits, R1": lambda: of_digits(adversarial()),
    "digits, conditional": conditional,
    "digits, GRAN": lambda: of_digits(
        adversarial(generator=painter(steps=2, noise="every"), penalties=(R1(weight=0.5),)), 250
    ),
    "digits, three players": autoregressive,
    "digits, four players": lambda: autoregressive(
        PatchAutoregressive, patch=agon.part(argan.Patch, features=FEATURES)
    ),
    "digits, classifier": classification,
    "minimax, R1, extragradient": lambda: damped(Minimax(), dynamics=agon.Extragradient()),
}
