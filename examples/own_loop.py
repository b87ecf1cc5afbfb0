"""Write your own training loop: a game, an optimiser for each player, batches, and dynamics."""

import torch

from agon import Adversarial, Batch, Ring, Stream, Turns, parameters_of
from agon.networks import mlp

game = Adversarial(generator=mlp.Generator(shape=(2,), latent=16), critic=mlp.Critic(shape=(2,)))
optimisers = {player: torch.optim.Adam(parameters_of(game, player), lr=1e-3) for player in game.players}
stream, rng = Stream(Ring(), batch=64, seed=0), torch.Generator().manual_seed(0)


def draw() -> Batch:
    return Batch(real=stream.draw().real, latent=torch.randn(64, 16, generator=rng), noise={})


dynamics = Turns((("critic",), ("generator",)))
for step in range(1, 501):
    losses = dynamics.step(game, optimisers, draw)
    if step % 100 == 0:
        print(step, {player: round(loss.item(), 3) for player, loss in losses.players.items()})
