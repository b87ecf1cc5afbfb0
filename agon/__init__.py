"""agon: differentiable games of generative models, and the dynamics that move their players.

experiment = Experiment(game=part(Adversarial, generator=..., critic=...), data=..., steps=...)
run = train(experiment, "runs/mine")
"""

from agon.averaging import Averaging
from agon.data import Images, Ring, Source, Stream
from agon.dynamics import (
    Dynamics,
    Extragradient,
    Optimistic,
    Turns,
    Unrolled,
    check_unrolling,
    unrolled_loss,
)
from agon.errors import AgonError
from agon.experiment import Experiment, Part, part
from agon.games import Adversarial, Batch, Game, Losses, parameters_of
from agon.latents import Normal, Uniform
from agon.runs import Run
from agon.samples.making import load, sample
from agon.training import Arithmetic, resume, train
from agon.training.replicates import replicate

__version__ = "0.1.0"

__all__ = [
    "Adversarial",
    "AgonError",
    "Arithmetic",
    "Averaging",
    "Batch",
    "Dynamics",
    "Experiment",
    "Extragradient",
    "Game",
    "Images",
    "Losses",
    "Normal",
    "Optimistic",
    "Part",
    "Ring",
    "Run",
    "Source",
    "Stream",
    "Turns",
    "Uniform",
    "Unrolled",
    "__version__",
    "check_unrolling",
    "load",
    "parameters_of",
    "part",
    "replicate",
    "resume",
    "sample",
    "train",
    "unrolled_loss",
]
