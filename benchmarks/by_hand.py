"""The steps that one would write without agon, for any experiment's own networks: zero_grad, backward, step.

Same networks, same batches, torch's optimisers as they come; a uint8 tensor in memory and a permutation in place of a
loader. Weight decay is the optimiser's own, as one would write it.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from agon import Experiment
from agon.games import Adversarial
from agon.games.autoregressive import Autoregressive
from agon.games.variational import Variational
from agon.penalties import WeightDecay


class ByHand:
    """A training loop's state: networks, optimisers, images.

    Args:
        experiment: whose networks, settings and latents; its batch and its objective, cross entropy, are the loop's.
        images: uint8 "n c h w".
    """

    def __init__(self, experiment: Experiment, images: Tensor) -> None:
        torch.manual_seed(0)
        self.experiment, self.images = experiment, images
        self.game = experiment.build().to(memory_format=torch.channels_last)
        self.optimisers = {player: self._optimiser(player) for player in self.game.players}
        self.rng = torch.Generator().manual_seed(0)
        self.order, self.place = torch.randperm(len(images)), 0
        self.scale, self.low = 255 / (experiment.data.range[1] - experiment.data.range[0]), experiment.data.range[0]

    def _optimiser(self, player: str) -> torch.optim.Optimizer:
        part = self.experiment.optimiser(player)
        decay = [p.weight for p in getattr(self.game, "penalties", ()) if isinstance(p, WeightDecay) and p.of == player]
        settings = {**part.settings, **({"weight_decay": decay[0]} if decay else {})}
        parameters = [p for name in self.game.players[player] for p in self.game.get_submodule(name).parameters()]
        return part.make(parameters, **settings)

    def real(self) -> Tensor:
        """The next batch, in the source's range; the remainder of an epoch is dropped."""
        batch = self.experiment.batch
        if self.place + batch > len(self.order):
            self.order, self.place = torch.randperm(len(self.images)), 0
        rows = self.order[self.place : self.place + batch]
        self.place += batch
        images = self.images[rows].to(memory_format=torch.channels_last)
        return images.float().div_(self.scale).add_(self.low)

    def latent(self) -> Tensor:
        return self.experiment.latent.sample(self.experiment.batch, self.game.latent_shape, self.rng)

    def step(self, player: str, loss: Tensor) -> None:
        self.optimisers[player].zero_grad()
        loss.backward()
        self.optimisers[player].step()


def adversarial(loop: ByHand) -> Callable[[], None]:
    """The critic on real and on generated samples, then the generator: on the same samples, or on its own latents.

    As the experiment says: sharing one pass of the generator is what the released code of radford2015 does.
    """
    game, shared = loop.game, loop.experiment.dynamics.draws == "round"
    ones, zeros = torch.ones(loop.experiment.batch), torch.zeros(loop.experiment.batch)

    def advance() -> None:
        with torch.set_grad_enabled(shared):
            fake = game.generator(loop.latent())
        real = cross_entropy(game.critic(loop.real()), ones)
        loop.step("critic", real + cross_entropy(game.critic(fake.detach()), zeros))
        fake = fake if shared else game.generator(loop.latent())
        loop.step("generator", cross_entropy(game.critic(fake), ones))

    return advance


def autoregressive(loop: ByHand, further: int = 2) -> Callable[[], None]:
    """argan2018, Algorithm 1: one pass, three losses, all move; before it, moves of G with latents of their own."""
    game = loop.game

    def error(x: Tensor) -> Tensor:
        return game.errors(game.encoder(x)).mean()

    def advance() -> None:
        for _ in range(further):
            _move(loop, {"generator": error(game.generator(loop.latent()))})
        real, fake = error(loop.real()), error(game.generator(loop.latent()))
        _move(loop, {"generator": fake, "encoder": real - fake, "autoregressor": real})

    return advance


def _move(loop: ByHand, losses: Mapping[str, Tensor]) -> None:
    """Gradients of each loss in its own player's parameters, from one graph; then all step."""
    players: Sequence[str] = list(losses)
    for player in players:
        parameters = [p for group in loop.optimisers[player].param_groups for p in group["params"]]
        gradients = torch.autograd.grad(losses[player], parameters, retain_graph=player != players[-1])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
    for player in players:
        loop.optimisers[player].step()


def variational(loop: ByHand) -> Callable[[], None]:
    """One reconstruction and its bound; grey values are compared by cross entropy."""
    game, shape = loop.game, (loop.experiment.batch, *loop.game.latent_shape)

    def advance() -> None:
        real = loop.real()
        made = game.autoencoder.reconstruct(real, torch.randn(shape, generator=loop.rng))
        error = cross_entropy(made.logits, real, reduction="none").flatten(1).sum(1).mean()
        loop.step("autoencoder", error + made.divergence.mean())

    return advance


STEPS = {Adversarial: adversarial, Autoregressive: autoregressive, Variational: variational}
