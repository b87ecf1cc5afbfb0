"""A player's surrogate loss in a game, and its whole derivative: metz2017, equations 9 and 12."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from agon.dynamics.moves import Optimisers, after_update_of, gradients_of, preserve_buffers
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.dynamics.unrolled.unroll import NamedGradients, Unroll
from agon.games.game import Batch, Game, Losses, named_buffers_of, named_parameters_of
from agon.networks.fused.activations import linearise
from agon.networks.synchronised import decompose


class Surrogate(NamedTuple):
    """f_K(θ_p) = L_p(θ_p, θ_R^K(θ_p)) of a player p that looks ahead at others, R.

    Attributes:
        game: not changed, except for the player's buffers.
        optimisers: one for each player; not changed.
        player: p.
        others: R.
        batch: the batch of L_p.
        fake: samples "n *shape" of `batch` with their history, or None to generate them.
        inner: the batch and samples of each of the K inner steps.
    """

    game: Game
    optimisers: Optimisers
    player: str
    others: tuple[str, ...]
    batch: Batch
    fake: Float[Tensor, "n ..."] | None
    inner: Sequence[tuple[Batch, Float[Tensor, "n ..."] | None]]

    def gradient(
        self,
        first: NamedGradients | None,
        buffers: Mapping[str, Shaped[Tensor, "..."]],
        seen: Mapping[str, Float[Tensor, ""]],
        *,
        checkpointed: bool,
        moves_buffers: bool,
        again: bool,
    ) -> tuple[Losses, list[Float[Tensor, "..."] | None]]:
        """f_K, and df_K/dθ_p for each of the player's parameters, in their shapes.

        Args:
            first: the others' gradients at the current point, with their history, if known.
            buffers: the game's buffers from which the inner steps start if `first` is not known.
            seen: the scalars seen in the pass of `first`.
            checkpointed: recompute inner steps in the backward pass.
            moves_buffers: whether the player's statistics move in this pass, as they do once in its own move.
            again: whether to keep the samples' history for another pass.
        """
        statistics = named_buffers_of(self.game, self.player) if moves_buffers else {}

        def outer(functional: FunctionalModule) -> Losses:
            functional.load(statistics)
            losses: Losses = functional.module(self.batch, self.fake, of=(self.player,))
            return losses

        unroll = self._unroll(None if first else buffers, dict(seen), checkpointed)
        losses = unroll.surrogate(len(self.inner), outer, first, self.fake)
        unroll.guard.refuse_changed(but=named_buffers_of(self.game, self.player))
        for name, value in unroll.functional.tensors(statistics).items():
            statistics[name].data.copy_(value)  # a module may have replaced a buffer by another tensor
        return losses, gradients_of(self.game, losses, (self.player,), again=again)[self.player]

    def present_gradient(self, *, again: bool) -> list[Float[Tensor, "..."] | None]:
        """dL_p/dθ_p at the current point, after 0 inner steps."""
        with preserve_buffers(self.game, ()):
            losses: Losses = self.game(self.batch, self.fake, of=(self.player,))
        return gradients_of(self.game, losses, (self.player,), again=again)[self.player]

    def _unroll(self, buffers: Mapping[str, Tensor] | None, seen: dict[str, Tensor], checkpointed: bool) -> Unroll:
        def losses_of(module: nn.Module, k: int) -> Losses:
            losses: Losses = module(*self.inner[k], of=self.others)
            seen.update(losses.seen)
            return losses

        return Unroll(
            self.game,
            {other: named_parameters_of(self.game, other) for other in self.others},
            self.optimisers,
            losses_of,
            after_update=after_update_of(self.game, seen),
            attached={self.player} & set(self.others),
            buffers=buffers,
            checkpointed=checkpointed,
            prepare=self._prepare,
        )

    def _prepare(self, module: nn.Module) -> None:
        """Exchange layers by those that are made for second derivatives, or third ones: a penalty, a step, f_K."""
        linearise(module)
        if self.game.second_order:
            decompose(module)
