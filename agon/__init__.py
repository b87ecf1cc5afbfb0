"""agon: differentiable games of generative models, and the dynamics that move their players.

run = train(recipe("first/ring").experiment(), "runs/ring")
samples = sample(load(run), 64)
print(*evaluate(run))

`import agon` costs nothing: each name below, and each room such as `agon.networks`, is imported when it is first used.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers and editors read; LAZY says the same to Python
    from agon.arena import battle, compare, skill, tournament
    from agon.averaging import Averaging
    from agon.data import Images, Ring, Source, Stream
    from agon.diagnosis import diagnose
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
    from agon.evaluation import evaluate
    from agon.experiment import Experiment, Part, part
    from agon.exports import export
    from agon.games import Adversarial, Batch, Game, Losses, parameters_of
    from agon.hub import push
    from agon.latents import Normal, Uniform
    from agon.models import Model, load
    from agon.papers import reproduce
    from agon.recipes import find as recipe
    from agon.reports import write as report
    from agon.reports.sweeps import sweep
    from agon.reports.trained import replicate, resume, train
    from agon.runs import Run
    from agon.samples import sample
    from agon.training import Compute

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022 - in reading order
    # from a recipe to a verdict
    "recipe",
    "train",
    "resume",
    "replicate",
    "sweep",
    "Run",
    "load",
    "Model",
    "sample",
    "evaluate",
    "battle",
    "tournament",
    "skill",
    "compare",
    "diagnose",
    "report",
    "reproduce",
    "export",
    "push",
    # an experiment of one's own
    "Experiment",
    "Part",
    "part",
    "Source",
    "Images",
    "Ring",
    "Stream",
    "Normal",
    "Uniform",
    "Averaging",
    "Compute",
    # who plays, and what each player wants
    "Game",
    "Adversarial",
    "Batch",
    "Losses",
    "parameters_of",
    # how the players move
    "Dynamics",
    "Turns",
    "Unrolled",
    "Extragradient",
    "Optimistic",
    "unrolled_loss",
    "check_unrolling",
    # what can go wrong
    "AgonError",
    "__version__",
]

LAZY = {  # public name -> "module", or "module:name" where it has another name there
    "recipe": "agon.recipes:find",
    "train": "agon.reports.trained",
    "resume": "agon.reports.trained",
    "replicate": "agon.reports.trained",
    "sweep": "agon.reports.sweeps",
    "Run": "agon.runs",
    "load": "agon.models",
    "Model": "agon.models",
    "sample": "agon.samples",
    "evaluate": "agon.evaluation",
    "battle": "agon.arena",
    "tournament": "agon.arena",
    "skill": "agon.arena",
    "compare": "agon.arena",
    "diagnose": "agon.diagnosis",
    "report": "agon.reports:write",
    "reproduce": "agon.papers",
    "export": "agon.exports",
    "push": "agon.hub",
    "Experiment": "agon.experiment",
    "Part": "agon.experiment",
    "part": "agon.experiment",
    "Source": "agon.data",
    "Images": "agon.data",
    "Ring": "agon.data",
    "Stream": "agon.data",
    "Normal": "agon.latents",
    "Uniform": "agon.latents",
    "Averaging": "agon.averaging",
    "Compute": "agon.training",
    "Game": "agon.games",
    "Adversarial": "agon.games",
    "Batch": "agon.games",
    "Losses": "agon.games",
    "parameters_of": "agon.games",
    "Dynamics": "agon.dynamics",
    "Turns": "agon.dynamics",
    "Unrolled": "agon.dynamics",
    "Extragradient": "agon.dynamics",
    "Optimistic": "agon.dynamics",
    "unrolled_loss": "agon.dynamics",
    "check_unrolling": "agon.dynamics",
    "AgonError": "agon.errors",
}


def __getattr__(name: str) -> Any:
    """A public name, or a room, at its first use."""
    if name in LAZY:
        module, _, attribute = LAZY[name].partition(":")
        value = getattr(import_module(module), attribute or name)
    elif not name.startswith("_") and find_spec(f"agon.{name}"):
        value = import_module(f"agon.{name}")
    else:
        raise AttributeError(f"module 'agon' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
