"""What every dynamics is: a rule by which the players of a game move."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from agon.dynamics.moves import Optimisers
from agon.games.game import Batch, Game, Losses


@dataclass(frozen=True)
class Dynamics(ABC):
    """A frozen rule; what changes lives in the game and its optimisers."""

    @abstractmethod
    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        """One step: one round of moves.

        Args:
            game: moved in place.
            optimisers: one for each player, over exactly its parameters.
            draw: gives a new batch at each call.

        Returns:
            Detached losses of every player that moved, as each saw it before its last move.
        """

    @property
    def second_order(self) -> bool:
        """Whether a move differentiates through another player's gradient."""
        return False

    @abstractmethod
    def real_batches_per_step(self, game: Game) -> int:
        """How many batches of real samples one step shows to those who judge them: the unit of a budget.

        Those who judge are the players that do not generate; all players, where there are no others.
        """

    @abstractmethod
    def check(self, game: Game) -> None:
        """Raise a SettingError if the rule names players that the game does not have."""

    def check_optimisers(self, optimisers: Optimisers) -> None:  # noqa: B027 - most rules take any
        """Raise a SettingError if the rule cannot move the players by these optimisers."""
