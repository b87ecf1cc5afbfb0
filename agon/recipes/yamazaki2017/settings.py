"""What all trainings of the paper share: an experiment of its optimiser, its decay and its marks."""

from typing import Any, NamedTuple

import torch

from agon.data import Source
from agon.dynamics import Turns
from agon.experiment import Experiment, part
from agon.latents import Uniform
from agon.penalties import WeightDecay
from agon.recipes.scales import Scale

BATCH: dict[Scale, int] = {"smoke": 16, "quick": 64, "paper": 64}
BETAS = (0.5, 0.999)
DECAY = (WeightDecay(weight=1e-5, of="generator"), WeightDecay(weight=1e-5, of="critic"))


class Marks(NamedTuple):
    """A training's length, and what it leaves behind.

    Attributes:
        steps: of both networks.
        log: steps from one record to the next.
        sample: from one look at the fixed latents to the next.
        checkpoint: from one to the next.
        kept: samples of the fixed latents.
    """

    steps: int
    log: int
    sample: int
    checkpoint: int
    kept: int


def trained(game: Any, data: Source, scale: Scale, *, rate: float, marks: Marks) -> Experiment:
    """A game on data by Adam at a rate, one batch a round."""
    return Experiment(
        game=game,
        data=data,
        latent=Uniform(),
        optimisers=part(torch.optim.Adam, lr=rate, betas=BETAS),
        dynamics=Turns(draws="round"),
        batch=BATCH[scale],
        steps=marks.steps,
        log_every=marks.log,
        sample_every=marks.sample,
        checkpoint_every=marks.checkpoint,
        grid=marks.kept,
    )


def titled(model: str, normalise: bool) -> str:
    """A model as tables and pictures call it; the paper's column "BN" has "G, D" or "G"."""
    return model if normalise else f"{model} without BN in D"


def suffix(normalise: bool) -> str:
    """Of a recipe's name."""
    return "" if normalise else "-nobn"
