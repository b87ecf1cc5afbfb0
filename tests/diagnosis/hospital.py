"""A small hospital: trainings made sick on purpose, and healthy ones of several kinds, each in a second or less."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import agon
from agon.data import Ring
from agon.data.toy import Gaussian
from agon.networks import mlp, vae
from agon.objectives import Hinge, LeastSquares, Minimax, NonSaturating, Objective, Relativistic, Wasserstein
from agon.penalties import R1, GradientPenalty, Penalty

ONE_THREAD = agon.Compute(threads=1, device="cpu")
RING = Ring(std=0.2)
LINE = Gaussian(mean=2.0, std=0.5)
Make = Callable[[], agon.Experiment]


class Deaf(mlp.Generator):
    """A generator whose first layer is dead: whatever the latent is, it makes one sample."""

    def __init__(self) -> None:
        super().__init__(shape=(2,), latent=8, widths=(32, 32))

    def forward(self, latent: Tensor) -> Tensor:
        return super().forward(latent * 0)


class Detached(mlp.Generator):
    """A generator whose output carries no gradient."""

    def forward(self, latent: Tensor) -> Tensor:
        x = super().forward(latent)
        return x.detach() + 0 * x


def adam(rate: float) -> agon.Part:
    return agon.part(torch.optim.Adam, lr=rate, betas=(0.5, 0.999))


def game(source: agon.Source = RING, normalise: bool = False, **more: Any) -> agon.Part:
    """Two perceptrons under minimax; `more` are arguments of the game instead."""
    generator = agon.part(mlp.Generator, shape=source.shape, latent=8, widths=(64, 64), normalise=normalise)
    critic = agon.part(mlp.Critic, shape=source.shape, widths=(64,))
    usual = {"generator": generator, "critic": critic, "objective": Minimax()}
    return agon.part(agon.Adversarial, **{**usual, **more})


def training(steps: int = 300, source: agon.Source = RING, **changes: Any) -> agon.Experiment:
    """A training with 20 looks and 30 records."""
    settings: dict[str, Any] = {
        "game": game(source),
        "data": source,
        "steps": steps,
        "batch": 64,
        "optimisers": adam(1e-3),
        "log_every": max(1, steps // 30),
        "sample_every": max(1, steps // 20),
        "checkpoint_every": max(1, steps // 2),
    }
    return agon.Experiment(**{**settings, **changes})


def rates(generator: float, critic: float) -> Mapping[str, agon.Part]:
    return {"generator": adam(generator), "critic": adam(critic)}


def orbit() -> agon.Experiment:
    """A generator and a critic that are lines, under Wasserstein's losses: alternating steps conserve the orbit."""
    generator = agon.part(mlp.Generator, shape=(1,), latent=1, widths=())
    critic = agon.part(mlp.Critic, shape=(1,), widths=())
    bilinear = agon.part(agon.Adversarial, generator=generator, critic=critic, objective=Wasserstein())
    return training(400, LINE, game=bilinear, optimisers=agon.part(torch.optim.SGD, lr=0.1))


def unbounded() -> agon.Experiment:
    """Wasserstein's losses without any bound on the critic, which is much faster than the generator."""
    return training(200, game=game(objective=Wasserstein()), optimisers=rates(1e-4, 1e-2))


def vae_training() -> agon.Experiment:
    source = agon.Images(path="digits", range=(0.0, 1.0))
    autoencoder = agon.part(vae.Vae, shape=source.shape, latent=4, widths=(32,))
    alone = {
        "game": agon.part(agon.games.Variational, autoencoder=autoencoder),
        "dynamics": agon.Turns((("autoencoder",),)),
    }
    return training(300, source, grid=256, **alone)


def damped(
    objective: Objective, penalty: Penalty | None = None, source: agon.Source = RING, steps: int = 200, **changes: Any
) -> agon.Experiment:
    """A training on the ring that a penalty and a generator with batch normalisation make converge."""
    players = game(source, objective=objective, normalise=True, penalties=(penalty or R1(weight=0.5),))
    return training(steps, source, **{"game": players, "optimisers": adam(2e-3), **changes})


def readme() -> agon.Experiment:
    """The first training of the README: ten unrolled steps."""
    generator = agon.part(mlp.Generator, shape=(2,), latent=16)
    critic = agon.part(mlp.Critic, shape=(2,))
    players = agon.part(agon.Adversarial, generator=generator, critic=critic)
    return training(300, game=players, dynamics=agon.Unrolled(looks_ahead={"generator": ("critic",)}, steps=10))


LAGGING = agon.Averaging(decay=0.9999, ramp=False)
FAR = replace(RING, radius=20.0)

SICK: Mapping[str, tuple[str, Make]] = {  # patient -> (the name that is right, how to train it)
    "ring without unrolling": ("rotation", lambda: training(400)),
    "generator with a dead layer": ("ignored-latent", lambda: training(60, game=game(generator=agon.part(Deaf)))),
    "frozen generator": ("idle-player", lambda: training(60, optimisers=rates(1e-12, 1e-3))),
    "detached generator": (
        "idle-player",
        lambda: training(60, game=game(generator=agon.part(Detached, shape=(2,), latent=8))),
    ),
    "frozen critic": ("idle-player", lambda: training(60, optimisers=rates(1e-3, 1e-12))),
    "critic a thousand times as fast": ("overpowering-critic", lambda: training(150, optimisers=rates(1e-5, 1e-2))),
    "Wasserstein without a bound": ("divergence", unbounded),
    "orbit of a bilinear game": ("oscillation", orbit),
    "average that hardly forgets": ("lagging-average", lambda: damped(NonSaturating(), averaging=LAGGING)),
    "slow critic": ("undecided-critic", lambda: training(100, FAR, optimisers=rates(1e-5, 2e-6))),
    "rates of 1": ("settings", lambda: training(60, optimisers=adam(1.0))),
}
HEALTHY: Mapping[str, Make] = {
    "non-saturating, averaged": lambda: damped(NonSaturating(), averaging=agon.Averaging(decay=0.98)),
    "minimax, R1": lambda: damped(Minimax()),
    "least squares, R1": lambda: damped(LeastSquares()),
    "hinge, R1": lambda: damped(Hinge()),
    "WGAN-GP": lambda: damped(Wasserstein(), GradientPenalty(weight=1.0), optimisers=rates(5e-4, 2e-3), steps=400),
    "relativistic, R1": lambda: damped(Relativistic()),
    "minimax, R1, one Gaussian": lambda: damped(Minimax(), source=LINE),
    "VAE of digits": vae_training,
}
QUICK = (  # those that every test run trains
    "generator with a dead layer",
    "frozen generator",
    "critic a thousand times as fast",
    "orbit of a bilinear game",
    "slow critic",
    "rates of 1",
    "non-saturating, averaged",
    "least squares, R1",
    "hinge, R1",
    "WGAN-GP",
    "VAE of digits",
)
COSTLY: Mapping[str, Make] = {"unrolled, ring": readme}  # healthy too, and too slow for each test run


def admit(make: Make, seed: int, folder: Path) -> agon.Run:
    """Train a patient under a seed."""
    return agon.train(replace(make(), seed=seed), folder, compute=ONE_THREAD, show=False)
