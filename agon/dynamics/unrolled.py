"""Unrolled dynamics: a player differentiates through what others will answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from agon.dynamics.dynamics import Dynamics
from agon.dynamics.foresight import Foresight
from agon.dynamics.functional import twin_of
from agon.dynamics.moves import Optimisers
from agon.dynamics.turns import Turns, judges
from agon.errors import SettingError, unknown
from agon.games.game import Batch, Game, Losses


@dataclass(frozen=True)
class Unrolled(Dynamics):
    """A schedule of turns in which some players look ahead at others' next steps.

    A player p that looks ahead at R moves along the whole derivative of its surrogate loss

        f_K(θ_p) = L_p(θ_p, θ_R^K(θ_p)),   θ_R^{k+1} = θ_R^k + Δ_R(∇L_R(θ_p, θ_R^k)),   k < K,

    with Δ_R the live optimisers of R, moments included: both terms of metz2017's equation 12. The
    live players of R, their buffers, flags and moments stay bit-identical. The others in a turn
    move as ever. Whoever generates and is looked ahead at makes its samples anew at every step.

    looks_ahead={"generator": ("critic",)} is the paper; ("encoder", "autoregressor") are anticipated
    together; {"critic": ("generator",)} is its discussion's converse; a player that is in its own
    tuple anticipates its own steps too: {"generator": ("critic", "generator")} is the discussion's
    recursive look-ahead, in which from the second step on each has answered the other's answer.

    Attributes:
        turns: who moves when.
        looks_ahead: player -> whom it looks ahead at; they move together, step by step.
        steps: K, from 0; with 0 this is `turns`.
        batches: "same" uses the turn's batch for all inner steps (metz2017, section 3), "fresh" draws
            one for each.
        checkpoint: keep no inner step's intermediate results, but compute them anew: memory for time.
        extrapolation: s in g_0 + s·(g_K - g_0), with g_0 the gradient without look-ahead: 1 is the
            unrolled gradient. The discussion's cheap variant is steps=1 with s over 1.

    Source: metz2017, equations 6 to 12 and section 4.
    """

    turns: Turns = field(default_factory=Turns)
    looks_ahead: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"generator": ("critic",)})
    steps: int = 5
    batches: Literal["same", "fresh"] = "same"
    checkpoint: bool = False
    extrapolation: float = 1.0

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise SettingError(f"steps of Unrolled: expected a number from 0, got {self.steps}")
        if self.batches not in ("same", "fresh"):
            raise SettingError(f"batches: expected 'same' or 'fresh', got {self.batches!r}")
        for player, others in self.looks_ahead.items():
            if not isinstance(others, tuple) or not others or len(set(others)) != len(others):
                raise SettingError(
                    f"looks_ahead: expected different players for '{player}', e.g. ('critic',), got {others!r}"
                )

    @property
    def second_order(self) -> bool:
        return self.steps > 0

    def shown(self, game: Game) -> int:
        """As `Turns.shown`; a looked-ahead player is shown what its next steps see."""
        drawn = self.turns.shown(game, {p: others for p, others in self.looks_ahead.items() if self.steps})
        fresh = self.steps if self.batches == "fresh" else 0
        moving = [player for group in self.turns.order for player in group]
        return drawn + fresh * sum(bool(judges(game) & set(self.looks_ahead.get(p, ()))) for p in moving)

    def check(self, game: Game) -> None:
        self.turns.check(game)
        moving = {player for group in self.turns.order for player in group}
        for player, others in self.looks_ahead.items():
            for name in (player, *others):
                if name not in game.players:
                    raise SettingError(unknown("player", name, game.players))
            if player not in moving:
                raise SettingError(
                    f"looks_ahead: '{player}' has no turn in {self.turns.order}, so it cannot look ahead"
                )

    def check_optimisers(self, optimisers: Optimisers) -> None:
        for player in {other for others in self.looks_ahead.values() for other in others if self.steps}:
            twin_of(optimisers[player])

    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        if not self.steps:
            return self.turns.step(game, optimisers, draw)

        def moving(movers: tuple[str, ...], batch: Batch, fake: Tensor | None) -> Losses:
            return self.foresight(game, optimisers, draw, batch).move(movers, fake)

        return self.turns.play(game, draw, moving)

    def foresight(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch], batch: Batch) -> Foresight:
        """One turn in which somebody looks ahead."""
        return Foresight(self, game, optimisers, draw, batch)
