"""agon: differentiable games of generative models, and the dynamics that move their players.

experiment = Experiment(game=part(Adversarial, generator=..., critic=...), data=..., steps=...)
run = train(experiment, "runs/mine")
"""

from agon.averaging import Averaging
from agon.dynamics import Dynamics, Turns
from agon.errors import AgonError
from agon.experiment import Experiment, Part, part
from agon.games import Adversarial, Batch, Game, Losses
from agon.latents import Normal, Uniform
from agon.runs import Run
from agon.training import Arithmetic, resume, train

__version__ = "0.1.0"

__all__ = [
    "Adversarial",
    "AgonError",
    "Arithmetic",
    "Averaging",
    "Batch",
    "Dynamics",
    "Experiment",
    "Game",
    "Losses",
    "Normal",
    "Part",
    "Run",
    "Turns",
    "Uniform",
    "__version__",
    "part",
    "resume",
    "train",
]
