"""Games: which networks play, and the loss of each player."""

from agon.games.adversarial import Adversarial
from agon.games.autoregressive import Autoregressive, PatchAutoregressive
from agon.games.auxiliary import AuxiliaryClassifier
from agon.games.classification import Classification
from agon.games.corruption import CORRUPTIONS, Corruption, GaussianCorruption, SaltAndPepper
from agon.games.equilibrium import BoundaryEquilibrium
from agon.games.game import Batch, Game, Losses, buffers_of, modules_of, parameters_of
from agon.games.variational import Variational

GAMES = {
    "adversarial": Adversarial,
    "auxiliary-classifier": AuxiliaryClassifier,
    "boundary-equilibrium": BoundaryEquilibrium,
    "autoregressive": Autoregressive,
    "patch-autoregressive": PatchAutoregressive,
    "variational": Variational,
    "classification": Classification,
}

__all__ = [
    "CORRUPTIONS",
    "GAMES",
    "Adversarial",
    "Autoregressive",
    "AuxiliaryClassifier",
    "Batch",
    "BoundaryEquilibrium",
    "Classification",
    "Corruption",
    "Game",
    "GaussianCorruption",
    "Losses",
    "PatchAutoregressive",
    "SaltAndPepper",
    "Variational",
    "buffers_of",
    "modules_of",
    "parameters_of",
]
