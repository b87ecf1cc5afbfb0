"""Perceptrons of 3 or 16 layers on 10,000 points of the plane: section 4.4, table A.1, appendix C."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from agon.data import Ring, Source, SwissRoll
from agon.experiment import Budget, Experiment, part
from agon.games import Adversarial
from agon.networks import mlp, residual_mlp
from agon.recipes.recipe import Recipe, by_name
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.yamazaki2017.settings import DECAY, suffix, trained

POINTS, HIDDEN, BLOCKS = 10_000, 32, 7
QUICK = Budget(steps=20_000, sample_every=100, checkpoint_every=1_000, grid=2_500)
BUDGETS: Mapping[Scale, Budget] = {
    "smoke": replace(SMOKE, grid=256),
    "quick": QUICK,
    "paper": replace(QUICK, log_every=100, checkpoint_every=5_000, grid=POINTS),
}

PAIRS = {  # whether the generator and the critic are deep, and what that shows
    "m0": (False, False, "shallow networks are stable, and their samples leave the data"),
    "m1": (
        True,
        True,
        "residual networks come closer to the data, and oscillate while the critic is batch-normalised",
    ),
    "g0d1": (False, True, "against a deep critic, a shallow generator's loss only grows"),
    "g1d0": (True, False, "against a shallow critic, a deep generator is stable and stops improving"),
}


def points(data: Source, scale: Scale, *, deep: tuple[bool, bool], normalise: bool) -> Experiment:
    """Perceptrons of 3 or 16 layers on points; generator and critic each have their own depth."""
    common: dict[str, Any] = {"shape": data.shape, "initialisation": "gaussian", "gain": 0.1}
    shallow = {**common, "widths": (HIDDEN, HIDDEN)}
    residual = {**common, "width": HIDDEN, "blocks": BLOCKS}
    of_critic = {"nonlinearity": "leaky-relu", "normalise": normalise}
    generators = {
        False: part(mlp.Generator, latent=32, normalise=True, **shallow),
        True: part(residual_mlp.Generator, latent=32, **residual),
    }
    critics = {
        False: part(mlp.Critic, normalise_first=False, **shallow, **of_critic),
        True: part(residual_mlp.Critic, **residual, **of_critic),
    }
    game = part(Adversarial, generator=generators[deep[0]], critic=critics[deep[1]], penalties=DECAY)
    return trained(game, data, rate=1e-4, budget=BUDGETS[scale])


def _recipe(name: str, source: Source, pair: str, normalise: bool, tail: str = "") -> Recipe:
    deep_generator, deep_critic, claim = PAIRS[pair]
    return Recipe(
        name=f"yamazaki2017/{name}-{pair}{suffix(normalise)}{tail}",
        paper="Yamazaki 2017, " + ("figures 5.1 to 5.6" if pair in ("m0", "m1") else "appendix C"),
        claim=claim if normalise else f"{claim}; here without batch normalisation in the critic, which weakens it",
        data=lambda scale: source,
        make=partial(points, deep=(deep_generator, deep_critic), normalise=normalise),
    )


PLANE = {"swiss-roll": SwissRoll(points=POINTS, noise=0.2), "ring": Ring(points=POINTS)}
TITLES = {"swiss-roll": "Swiss roll", "ring": "Gaussian mixture"}  # the paper's names
ENDLESS = ("m1", "g0d1")  # pairs whose critic may have learned every point (appendix C)
RECIPES = (
    *(_recipe(name, data, pair, bn) for name, data in PLANE.items() for pair in PAIRS for bn in (True, False)),
    *(
        _recipe(name, replace(data, points=None), pair, True, tail="-endless")
        for name, data in PLANE.items()
        for pair in ENDLESS
    ),
)
OF = by_name(RECIPES)
