"""One look-ahead's tensors, out of a game and its optimisers, for the functions of `stepwise`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.blocks import Block, blocks_of
from agon.dynamics.functional import Moments
from agon.dynamics.moves import Optimisers
from agon.dynamics.stepwise import SAMPLES, Named, Scene, State
from agon.games.game import Batch, Game


class Staged(NamedTuple):
    """One look-ahead at one point.

    Attributes:
        game, player, others: who looks ahead at whom.
        blocks: of the others' free parameters, all of which are taken to have gradients.
        batch: the turn's own.
        fake: samples with their history, or None.
        buffers: of the whole game.
        named: all parameters, by name.
    """

    game: Game
    player: str
    others: tuple[str, ...]
    blocks: tuple[Block, ...]
    batch: Batch
    fake: Tensor | None
    buffers: Named
    named: Named

    @classmethod
    def of(
        cls,
        game: Game,
        optimisers: Optimisers,
        player: str,
        others: Sequence[str],
        batch: Batch,
        fake: Tensor | None,
        buffers: Named | None = None,
    ) -> "Staged":
        """Where the game stands now; its buffers where they are given."""
        blocks: list[Block] = []
        named = dict[str, Tensor](game.named_parameters())
        for other in others:
            free = {n: p for n, p in of_player(game, other, named).items() if p.requires_grad}
            blocks += blocks_of(other, free, optimisers[other])
        begun = dict(game.named_buffers()) if buffers is None else buffers
        return cls(game, player, tuple(others), tuple(blocks), batch, fake, begun, named)

    @property
    def key(self) -> tuple[Any, ...]:
        """What a program is compiled for: settings are its constants, shapes its own."""
        rules = tuple((b.player, *b.live, *map(str, sorted(b.rule.keywords.items())), *b.moments) for b in self.blocks)  # type: ignore[attr-defined]
        given = pytree.tree_leaves((tuple(self.batch), self.fake, [list(b.live.values()) for b in self.blocks]))
        shapes = tuple((t.shape, t.dtype, t.device) for t in given if isinstance(t, Tensor))
        return self.player, rules, shapes, tuple(module.training for module in self.game.modules())

    @property
    def mine(self) -> Named:
        """The looking player's parameters."""
        return of_player(self.game, self.player, self.named)

    @property
    def own(self) -> tuple[str, ...]:
        """The names of the looking player's free parameters."""
        return tuple(n for n, p in self.mine.items() if p.requires_grad)

    @property
    def state(self) -> State:
        """The others at their live point."""
        vectors = tuple(block.join(block.live).detach() for block in self.blocks)
        moments = tuple(_tensors(block.moments) for block in self.blocks)
        return State(vectors, moments, self.buffers)

    def scene(self, direct: Sequence[str]) -> Scene:
        """All else; `direct` are those of the player's parameters that the losses depend on not only by samples."""
        samples = {} if self.fake is None else {SAMPLES: self.fake.detach()}
        ahead = {name for block in self.blocks for name in block.live}
        rest = {n: p.detach() for n, p in self.named.items() if n not in ahead and n not in direct}
        sources = {**samples, **{n: self.named[n].detach() for n in direct}}
        statistics = of_player(self.game, self.player, dict(self.game.named_buffers())) if self.buffers else {}
        return Scene(self.batch, sources, rest, statistics)

    def gradients(self, slopes: Named, again: bool = False) -> list[Tensor | None]:
        """Those of the player's parameters, from the surrogate's slopes in the scene's sources."""
        mine = self.mine
        free = {n: p for n, p in mine.items() if p.requires_grad}
        found: dict[str, Tensor | None] = {n: slopes.get(n) for n in free}
        if self.fake is not None and self.fake.requires_grad:
            through = torch.autograd.grad(
                self.fake, list(free.values()), slopes[SAMPLES], retain_graph=again, allow_unused=True
            )
            found = {n: _sum(found[n], g) for n, g in zip(free, through, strict=True)}
        return [found.get(name) for name in mine]


def of_player(game: Game, player: str, named: Named) -> Named:
    """What of a game's parameters or buffers, by name, is a player's."""
    mine = tuple(f"{sub}." for sub in game.players[player])
    return {name: tensor for name, tensor in named.items() if name.startswith(mine)}


def _tensors(moments: Moments) -> Named:
    """The number of steps as a tensor too, so that it is no constant of a program; exact to 2^53."""
    return {n: torch.tensor(float(m), dtype=torch.float64) if n == "step" else m for n, m in moments.items()}


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return other if one is None else one if other is None else one + other
