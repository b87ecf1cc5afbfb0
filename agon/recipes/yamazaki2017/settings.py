"""Shared by all trainings of the paper: its optimiser and its weight decay."""

from typing import Any

import torch

from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Budget, Experiment, part
from agon.latents import Uniform
from agon.penalties import WeightDecay

BETAS = (0.5, 0.999)
DECAY = (WeightDecay(weight=1e-5, of="generator"), WeightDecay(weight=1e-5, of="critic"))


def trained(game: Any, data: Source, *, rate: float, budget: Budget) -> Experiment:
    """A game trained with Adam at a learning rate, with one batch in each round."""
    return Experiment(
        game=game,
        data=data,
        latent=Uniform(),
        optimisers=part(torch.optim.Adam, lr=rate, betas=BETAS),
        dynamics=Turns(draws="round"),
        **budget.settings,
    )


def titled(model: str, normalise: bool) -> str:
    """A model's name in tables and pictures; the paper's column "BN" has "G, D" or "G"."""
    return model if normalise else f"{model} without BN in D"


def suffix(normalise: bool) -> str:
    """The suffix of a recipe's name."""
    return "" if normalise else "-nobn"
