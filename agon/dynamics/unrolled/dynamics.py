"""Unrolled dynamics: a player differentiates through the others' next steps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.dynamics.dynamics import Dynamics
from agon.dynamics.functional import functional_of
from agon.dynamics.moves import Gradients, Optimisers, apply_gradients, freeze, gradients_of, preserve_buffers
from agon.dynamics.turns import Turns, scoring_players
from agon.dynamics.unrolled.functional_module import eager_modules
from agon.dynamics.unrolled.surrogate import Surrogate
from agon.dynamics.unrolled.unroll import NamedGradients
from agon.errors import Change, SettingError, unknown
from agon.games.game import Batch, Game, Losses, named_parameters_of

AHEAD = "ahead/"  # prefix of the scalars that were seen while looking ahead


@dataclass(frozen=True)
class Unrolled(Dynamics):
    """A schedule of turns in which some players look ahead at others' next steps.

    A player p that looks ahead at players R moves along the whole derivative of its surrogate loss

        f_K(θ_p) = L_p(θ_p, θ_R^K(θ_p)),   θ_R^{k+1} = θ_R^k + Δ_R(∇L_R(θ_p, θ_R^k)),   k < K,

    with Δ_R the step of R's live optimisers, moments included: both terms of metz2017's equation 12. The
    live players of R, their buffers, flags and moments stay bit-identical. The other players in a turn
    move as usual. If a generating player is looked ahead at, samples are regenerated at every step.

    looks_ahead={"generator": ("critic",)} is the paper's method; players in one tuple, such as ("encoder",
    "autoregressor"), move together; {"critic": ("generator",)} is the converse from the paper's discussion.
    A player in its own tuple also anticipates its own steps: {"generator": ("critic", "generator")} is the
    discussion's recursive look-ahead, in which from the second step on both players react to each other.

    Attributes:
        turns: the schedule: who moves when.
        looks_ahead: player -> the players it looks ahead at, which move together, step by step.
        steps: K, from 0; with 0 this is `turns`.
        batches: "same" uses the turn's batch for all inner steps (metz2017, section 3), "fresh" draws
            one for each.
        checkpoint: recompute inner steps in the backward pass instead of storing them: less memory, more time.
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
        if self.steps and self.turns.parts > 1:
            raise SettingError(
                "accumulate: expected 1 for Unrolled, which differentiates through steps on the whole batch, got "
                f"{self.turns.parts}; {Change('dynamics.checkpoint', True)} needs less memory instead",
                Change("dynamics.checkpoint", True),
            )
        for player, others in self.looks_ahead.items():
            if not isinstance(others, tuple) or not others or len(set(others)) != len(others):
                raise SettingError(
                    f"looks_ahead: expected different players for '{player}', e.g. ('critic',), got {others!r}"
                )

    @property
    def second_order(self) -> bool:
        return self.steps > 0

    @property
    def parts(self) -> int:
        return self.turns.parts

    def real_batches_per_step(self, game: Game) -> int:
        """As `Turns.real_batches_per_step`; batches that only inner steps see count as well."""
        drawn = self.turns.real_batches_per_step(
            game, {p: others for p, others in self.looks_ahead.items() if self.steps}
        )
        fresh = self.steps if self.batches == "fresh" else 0
        moving = [player for group in self.turns.order for player in group]
        return drawn + fresh * sum(bool(scoring_players(game) & set(self.looks_ahead.get(p, ()))) for p in moving)

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
            functional_of(optimisers[player])

    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        if not self.steps:
            return self.turns.step(game, optimisers, draw)

        def move(movers: tuple[str, ...], batch: Batch, fake: Float[Tensor, "n ..."] | None) -> Losses:
            return self.turn(game, optimisers, draw, batch).move(movers, fake)

        return self.turns.play(game, draw, move)

    def turn(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch], batch: Batch) -> "UnrolledTurn":
        """One turn, in which players may look ahead."""
        return UnrolledTurn(self, game, optimisers, draw, batch)


class UnrolledTurn:
    """One turn in which players may look ahead.

    Args:
        rule: the dynamics.
        game: changed in place: the movers' parameters and buffers, nothing else.
        optimisers: one for each player.
        draw: gives fresh batches for inner steps.
        batch: the turn's batch.
    """

    def __init__(
        self, rule: Unrolled, game: Game, optimisers: Optimisers, draw: Callable[[], Batch], batch: Batch
    ) -> None:
        self.rule, self.game, self.optimisers, self.draw, self.batch = rule, game, optimisers, draw, batch
        self.seen: Mapping[str, Tensor] = {}  # scalars of the others' own pass, which may be the first inner step's
        self.buffers = dict(game.named_buffers())  # statistics at the start of the turn

    def move(self, movers: tuple[str, ...], fake: Float[Tensor, "n ..."] | None) -> Losses:
        """Move players that look ahead along their surrogate's gradient, and the others along their own, together.

        These are metz2017's equations 10 and 11, with the players' own optimisers.

        Args:
            movers: the players whose turn it is.
            fake: samples "n *shape" with the history that the movers' losses need, or None to generate them.

        Returns:
            The movers' detached losses, and the scalars for the log.
        """
        looking = [player for player in movers if player in self.rule.looks_ahead]
        plain = [player for player in movers if player not in looking]
        anticipated = {other for player in looking for other in self.rule.looks_ahead[player]}
        with freeze(self.game, {*movers, *anticipated}), eager_modules(), twice_differentiable(self.game):
            if fake is None and not all(self.regenerates_samples(player) for player in looking):
                fake = self.samples(movers)
            self.buffers = {name: buffer.clone() for name, buffer in self.game.named_buffers()}
            history = any(self.shares_first_step(player, plain) for player in looking)
            losses, gradients = self.own_gradients(plain, fake, again=bool(looking), history=history)
            self.seen = dict(losses.seen)
            own: dict[str, Mapping[str, Tensor]] = {}
            for player in looking:
                first = self._named(gradients, player) if self.shares_first_step(player, plain) else None
                surrogate, gradient = self.surrogate_gradient(player, fake, first, last=player == looking[-1])
                losses.players.update(surrogate.players)
                losses.seen.update({AHEAD + name: value for name, value in surrogate.seen.items()})
                gradients[player], own[player] = gradient, surrogate.seen
        return apply_gradients(self.game, self.optimisers, gradients, losses, seen=own)

    def samples(self, movers: tuple[str, ...]) -> Float[Tensor, "n ..."] | None:
        """Samples "n *shape" that the movers generate once for all inner steps; None if no mover generates."""
        if not set(movers) & set(self.game.generating_players):
            return None
        with preserve_buffers(self.game, movers):
            return self.game.generate_for(self.batch)

    def own_gradients(
        self, movers: Sequence[str], fake: Float[Tensor, "n ..."] | None, *, again: bool, history: bool
    ) -> tuple[Losses, Gradients]:
        """The movers' own losses, and their gradients at the current point.

        Args:
            movers: the players that do not look ahead.
            fake: samples "n *shape", or None.
            again: whether to keep the history of `fake` for another pass.
            history: whether the gradients themselves must be differentiable.
        """
        if not movers:
            return Losses({}, {}), {}
        with preserve_buffers(self.game, movers):
            losses: Losses = self.game(self.batch, fake, of=movers)
        return losses, gradients_of(self.game, losses, movers, again=again, history=history)

    def shares_first_step(self, player: str, plain: Sequence[str]) -> bool:
        """Whether the first inner gradients are those along which the others move in this turn."""
        others = self.rule.looks_ahead[player]
        return self.rule.batches == "same" and set(others) <= set(plain) and not self.regenerates_samples(player)

    def regenerates_samples(self, player: str) -> bool:
        """Whether every inner step must generate its own samples, because a generating player is looked ahead at."""
        return bool(set(self.rule.looks_ahead[player]) & set(self.game.generating_players))

    def surrogate_gradient(
        self, player: str, fake: Float[Tensor, "n ..."] | None, first: NamedGradients | None, last: bool
    ) -> tuple[Losses, list[Float[Tensor, "..."] | None]]:
        """f_K and its whole derivative in the player's parameters: metz2017, equations 9 and 12.

        Args:
            player: the player that looks ahead.
            fake: samples "n *shape" with their history, or None.
            first: the others' gradients at the current point, with their history, if known.
            last: whether no other player will need the history of `fake`.
        """
        surrogate, extrapolated = self.surrogate(player, fake), self.rule.extrapolation != 1
        losses, ahead = surrogate.gradient(
            first,
            self.buffers,
            self.seen,
            checkpointed=self.rule.checkpoint,
            moves_buffers=surrogate.fake is fake
            or player not in self.game.generating_players,  # else its pass that generated `fake` moved them
            again=extrapolated or not last,
        )
        if not extrapolated:
            return losses, ahead
        return losses, _extrapolated(surrogate.present_gradient(again=not last), ahead, self.rule.extrapolation)

    def surrogate(self, player: str, fake: Float[Tensor, "n ..."] | None) -> Surrogate:
        """The surrogate of a player that looks ahead; uses `fake` "n *shape" unless samples must be regenerated."""
        others, steps, fresh = self.rule.looks_ahead[player], self.rule.steps, self.rule.batches == "fresh"
        fake = None if self.regenerates_samples(player) else fake
        inner = [(self.draw(), None) for _ in range(steps)] if fresh else [(self.batch, fake)] * steps
        return Surrogate(self.game, self.optimisers, player, others, self.batch, fake, inner)

    def _named(self, gradients: Gradients, player: str) -> NamedGradients:
        """The gradients of the players that a player looks ahead at, by parameter."""
        return {
            other: dict(zip(named_parameters_of(self.game, other), gradients[other], strict=True))
            for other in self.rule.looks_ahead[player]
        }


def _extrapolated(current: list[Tensor | None], ahead: list[Tensor | None], scale: float) -> list[Tensor | None]:
    """g_0 + s·(g_K - g_0): further in the direction in which the look-ahead changes g_0 (metz2017, section 4)."""
    return [
        last if first is None or last is None else torch.lerp(first, last, scale)
        for first, last in zip(current, ahead, strict=True)
    ]


@contextmanager
def twice_differentiable(game: Game) -> Iterator[None]:
    """Disable cuDNN if any network is recurrent: its recurrent kernels have no second derivative.

    All networks count: the gradient of a player that is looked ahead at passes through other players' networks
    too, an encoder's through the autoregressor, and is differentiated there as well.
    """
    recurrent = any(isinstance(layer, nn.RNNBase) for layer in game.modules())
    with torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext():
        yield
