"""Who does what in a round, and the cut of a schedule into rounds that a program can make."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from agon.dynamics.turns import Turns
from agon.dynamics.unrolled.dynamics import Unrolled
from agon.games.game import Game


class RoundPlan(NamedTuple):
    """Turns of which the last has one player that looks ahead.

    Attributes:
        player: the player that looks ahead, and moves in the last turn.
        others: the players that it looks ahead at; if it is one of them, it anticipates its own steps too.
        movers: those of the others that move themselves; empty if none has a turn.
        own_turns: how many turns the movers have before the last.
        together: whether they also move in the last.
        shared: whether one batch, and one pass of the generator, serves the whole round.
        regenerates: whether each pass of the look-ahead generates its own samples, because a generating player is
            looked ahead at. Otherwise the player generates all samples.
        fresh: how many batches only inner steps see, one for each.
        extrapolation: s in g_0 + s·(g_K - g_0).
        checkpointed: recompute inner steps instead of storing what their derivative needs.
    """

    player: str
    others: tuple[str, ...]
    movers: tuple[str, ...]
    own_turns: int
    together: bool
    shared: bool
    regenerates: bool
    fresh: int
    extrapolation: float
    checkpointed: bool

    @classmethod
    def of(cls, rule: Unrolled, game: Game) -> "RoundPlan | None":
        """The plan of a rule; None if its turns are another kind of round."""
        *before, last = rule.turns.order
        looking = [player for player in last if player in rule.looks_ahead]
        if len(looking) != 1:
            return None
        player, others, shared = looking[0], rule.looks_ahead[looking[0]], rule.turns.draws == "round"
        plain, generating = set(last) - {player}, set(game.generating_players)
        moving = [set(group) for group in before] + [plain] * bool(plain)
        movers = tuple(other for other in others if moving and other in moving[0])
        regenerates = bool(generating & set(others))
        if any(group != set(movers) for group in moving) or player in movers or rule.looks_ahead.keys() & set(movers):
            return None
        if (regenerates and shared and before) or not (regenerates or generating == {player}):
            return None
        return cls(
            player,
            others,
            movers,
            len(before),
            bool(plain),
            shared and not regenerates,
            regenerates,
            rule.steps if rule.batches == "fresh" else 0,
            rule.extrapolation,
            rule.checkpoint,
        )

    @property
    def turn_batches(self) -> int:
        """How many batches the turns draw."""
        return 1 if self.shared else self.own_turns + 1

    @property
    def batches(self) -> int:
        """How many batches the round draws: those of its turns, and then those of the inner steps."""
        return self.turn_batches + self.fresh

    @property
    def generates_inside(self) -> bool:
        """Whether inner steps generate their own samples, which is most of their work."""
        return self.regenerates or bool(self.fresh)


def rounds_of(rule: Unrolled) -> Iterator[Turns]:
    """Cut a schedule after each turn in which a player looks ahead; it is played by playing its parts in order.

    It stays whole where one batch serves all its turns.
    """
    waiting: list[tuple[str, ...]] = []
    for index, group in enumerate(rule.turns.order, start=1):
        waiting.append(group)
        looks = rule.turns.draws == "turn" and bool(rule.looks_ahead.keys() & set(group))
        if looks or index == len(rule.turns.order):
            yield replace(rule.turns, order=tuple(waiting))
            waiting = []
