"""Who plays, and what each player wants."""

from agon.games.adversarial import Adversarial
from agon.games.game import Batch, Game, Losses, buffers_of, modules_of, parameters_of

GAMES = {"adversarial": Adversarial}

__all__ = ["GAMES", "Adversarial", "Batch", "Game", "Losses", "buffers_of", "modules_of", "parameters_of"]
