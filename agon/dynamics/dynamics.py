"""The interface of all dynamics: a rule by which the players of a game move."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from agon.dynamics.moves import Optimisers
from agon.games.game import Batch, Game, Losses


@dataclass(frozen=True)
class Dynamics(ABC):
    """A frozen rule by which players move; all state lives in the game and its optimisers."""

    @abstractmethod
    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        """Make one step: one round of moves.

        Args:
            game: updated in place.
            optimisers: one for each player, over exactly its parameters.
            draw: returns a new batch at each call.

        Returns:
            The detached loss of every player that moved, as it was before that player's last move.
        """

    @property
    def second_order(self) -> bool:
        """Whether a move differentiates through another player's gradient."""
        return False

    @property
    def parts(self) -> int:
        """Into how many parts each batch is split, which are computed one after another."""
        return 1

    @abstractmethod
    def real_batches_per_step(self, game: Game) -> int:
        """How many batches of real samples one step shows to the scoring players; a budget counts these.

        The scoring players are those that do not generate, or all players if every player generates.
        """

    @abstractmethod
    def check(self, game: Game) -> None:
        """Raise a SettingError if the rule names players that the game does not have."""

    def check_optimisers(self, optimisers: Optimisers) -> None:  # noqa: B027 - most rules take any
        """Raise a SettingError if the rule cannot move the players by these optimisers."""
