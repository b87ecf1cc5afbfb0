"""How well the critic does in units of its own objective, which makes objectives comparable.

relative = (loss of the critic - its penalties) / (its loss when it gives every sample the same, best logit). An
objective that fixes a scale of logits has such a loss: 2 log 2 for minimax and non-saturating, 1/4 for least squares,
2 for hinge, log 2 for relativistic. 1 means that the critic cannot tell real from generated samples, 0 that it is
sure and right. Wasserstein's logits have no scale, and energies another meaning: for them there is no such number.
"""

import numpy as np
import torch

from agon.diagnosis.batch_statistics import normalises
from agon.diagnosis.geometry import energy
from agon.diagnosis.painting import in_training_mode, latents, painted
from agon.diagnosis.view import RunView
from agon.games import Adversarial, Game
from agon.objectives import MarginEnergy, Objective, Wasserstein

EVEN = 1.2  # the largest class by the smallest, up to which as many samples of each say the same


def objective_of(view: RunView) -> Objective | None:
    """The objective of the run's critic; None where the game has none, or its logits have no scale."""
    game = _built(view)
    if not isinstance(game, Adversarial):
        return None
    return None if isinstance(game.objective, Wasserstein | MarginEnergy) else game.objective


def without_objective(view: RunView) -> str:
    """Why `objective_of` has none: the run cannot be loaded, or its game fixes no scale."""
    return view.live if isinstance(view.live, str) else "the game has no critic whose objective fixes a scale of logits"


def relative_loss(view: RunView, objective: Objective) -> np.ndarray:
    """The critic's relative loss at each record, "r"; NaN where it was not logged."""
    game = _built(view)
    assert isinstance(game, Adversarial)
    names = {f"penalty/{type(penalty).__name__}" for penalty in game.penalties if penalty.player == "critic"}
    penalties = sum((np.nan_to_num(view.log.get(name)) for name in names), np.zeros(len(view.log)))
    return (view.log.get("loss/critic") - penalties) / undecided(objective)


def undecided(objective: Objective) -> float:
    """The loss of a critic that gives every sample the boundary's logit.

    >>> from agon.objectives import Hinge, LeastSquares
    >>> undecided(Hinge()), undecided(LeastSquares())
    (2.0, 0.25)
    """
    same = torch.full((1,), objective.boundary or 0.0)
    return float(objective.critic(same, same))


def judged(view: RunView) -> float | None:
    """The energy distance from the real samples of what the critic judges: of the live weights in training mode.

    The snapshots of a run that averages weights are not these, nor those of a generator with batch normalisation, or
    those with as many samples of each class where the data have not. None where there are no samples, or no real ones.
    """
    normalised = not isinstance(view.live, str) and normalises(view.live)
    averaged = view.experiment is not None and view.experiment.averaging is not None
    if normalised or averaged or _of_unequal_classes(view):
        if isinstance(view.live, str) or view.real is None:
            return None
        paint = in_training_mode if normalised else painted
        return energy(paint(view, view.live, *latents(view.live)), view.real)
    return None if view.shown is None else energy(list(view.shown[0].values())[-1], view.shown[1])


def _of_unequal_classes(view: RunView) -> bool:
    """Whether the generator takes classes of which the data have more and less."""
    if isinstance(view.live, str) or not view.live.game.generated_classes:
        return False
    counts = view.live.class_counts
    return counts is not None and bool(counts.max() > EVEN * counts.min())


def _built(view: RunView) -> Game | None:
    """The game of the last checkpoint; None if the run cannot be loaded."""
    return None if isinstance(view.live, str) else view.live.game
