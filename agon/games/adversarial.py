"""The two-player game of every GAN: a generator against a critic."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from agon.arguments import refuse_classes
from agon.augmentation import Adaptive, Augmentation
from agon.data.source import Source
from agon.errors import DataError, SettingError
from agon.games.augmented import FAKE, REAL, AugmentedGame
from agon.games.game import Batch, Losses, latent_shape_of, two_samples
from agon.networks.fused.apart import pass_as_one
from agon.networks.labels import call, check_protocol, classes_of
from agon.networks.layers import evaluation_mode
from agon.objectives import NonSaturating, Objective
from agon.penalties import Penalty, Scored
from agon.projections import Projection


class Adversarial(AugmentedGame):
    """G minimises L_G(D(x), D(G(z))), and D minimises L_D(D(x), D(G(z))); penalties are added to either loss.

    Real and generated samples pass the critic separately, so that batch normalisation keeps their
    statistics apart (radford2015). The critic's pass over real samples is skipped if only the
    generator moves and its loss does not use them.

    Networks that take labels get them: D(x, y) and D(G(z, y), y), where each generated sample has the label y of the
    real sample at its place in the batch. So labels have the data's distribution, equal for real and generated samples.

    Args:
        generator: a module with `latent_shape` that maps "n *latent_shape" to "n *shape"; with `classes`, it also takes
            labels "n" (see `networks.labels`).
        critic: a module that maps "n *shape" to logits "n"; with `classes`, it also takes labels "n".
        objective: the pair of losses.
        penalties: each is added to the loss of its player.
        projections: each is applied to its player's network after that player's move.
        augmentation: transforms all samples, real and generated, that the critic sees.
    """

    players: ClassVar[Mapping[str, Sequence[str]]] = {"generator": ("generator",), "critic": ("critic",)}

    def __init__(
        self,
        *,
        generator: nn.Module,
        critic: nn.Module,
        objective: Objective = NonSaturating(),  # noqa: B008 - frozen
        penalties: Sequence[Penalty] = (),
        projections: Sequence[Projection] = (),
        augmentation: Augmentation | Adaptive | None = None,
    ) -> None:
        super().__init__(augmentation)
        refuse_classes(self, generator=generator, critic=critic, objective=objective, penalties=penalties)
        self.generator = generator
        self.critic = critic
        self.objective = objective
        self.penalties = tuple(penalties)
        self.projections = tuple(projections)
        for term, player in [*((p, p.player) for p in self.penalties), *((p, p.of) for p in self.projections)]:
            if player not in self.players:
                raise SettingError(
                    f"{type(term).__name__}: expected a player out of {', '.join(self.players)}, got '{player}'"
                )
        for penalty in self.penalties:
            penalty.check(self.get_submodule(penalty.network))
        for network in (generator, critic):
            check_protocol(network)
        if 0 < classes_of(generator) != classes_of(critic) > 0:
            raise SettingError(
                f"classes: expected as many in both networks, got {classes_of(generator)} in the generator and "
                f"{classes_of(critic)} in the critic"
            )

    @property
    def generated_classes(self) -> int:
        return classes_of(self.generator)

    @property
    def judged_classes(self) -> int:
        return classes_of(self.critic)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return latent_shape_of(self.generator)

    @property
    def second_order(self) -> bool:
        return any(penalty.second_order for penalty in self.penalties)

    @property
    def boundary(self) -> float | None:
        return self.objective.boundary

    @property
    def has_after_update(self) -> bool:
        adapts = bool(self.projections) or self.adaptation is not None
        return adapts or type(self).after_update is not Adversarial.after_update

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> dict[str, Tensor]:
        draws = [*(penalty.noise(shape, rng) for penalty in self.penalties), super().noise(shape, rng)]
        return {name: tensor for noise in draws for name, tensor in noise.items()}

    def generate(
        self, latent: Float[Tensor, "n ..."], label: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n ..."]:
        return call(self.generator, latent, label)

    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        fake = self.generate_for(batch) if fake is None else fake
        penalties = [penalty for penalty in self.penalties if penalty.player in of]
        inputs = {name for penalty in penalties for name in penalty.inputs}
        sees_real = "critic" in of or self.objective.generator_sees_real
        fake = _input(self.augmented(fake, batch, FAKE), "fake" in inputs)
        real = self._real(batch, inputs) if sees_real else None
        real_logits, fake_logits = self._both(real, fake, batch)
        losses = {player: self._objective(player, real_logits, fake_logits) for player in of}
        seen = {"logit/fake": fake_logits.detach().mean()}
        if real_logits is not None:
            seen["logit/real"] = real_logits.detach().mean()
            seen |= self.overfitting(real_logits, fake_logits)
        if penalties:
            scored = cache(partial(self._scored, batch, inputs, real, real_logits, fake, fake_logits))
            for penalty in penalties:
                value = penalty(self.get_submodule(penalty.network), scored)
                losses[penalty.player] = losses[penalty.player] + value
                seen[f"penalty/{type(penalty).__name__}"] = value.detach()
        return Losses(losses, seen)

    def realness(self, x: Float[Tensor, "n ..."], label: Int[Tensor, " n"] | None = None) -> Float[Tensor, " n"]:
        """The critic's logits, converted from bfloat16 to float32, so that losses are in float32.

        Args:
            x: samples.
            label: their labels, if the critic takes any.
        """
        logits = call(self.critic, x, label)
        return logits.float() if logits.dtype is torch.bfloat16 else logits

    def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
        for projection in self.projections:
            if projection.of == player:
                projection(self.get_submodule(player))
        super().after_update(player, seen)

    def check(self, shape: tuple[int, ...]) -> None:
        with torch.no_grad(), evaluation_mode(self):
            fake = two_samples(self, self.generator, shape)
            logits = call(self.critic, fake, torch.zeros(2, dtype=torch.int64, device=fake.device))
            if tuple(logits.shape) != (2,):
                raise SettingError(
                    f"{type(self.critic).__name__}: expected one logit a sample, shape (n,), got "
                    f"{('n', *logits.shape[1:])}; let the critic end in .flatten()"
                )

    def check_source(self, source: Source) -> None:
        super().check_source(source)
        classes = max(self.generated_classes, self.judged_classes)
        if not classes:
            return
        if not source.classes:
            raise DataError(
                "a class-conditional game: expected data with classes, got none; use a labelled set, such as digits, "
                "or a folder with a folder of images for each class"
            )
        if len(source.classes) != classes:
            raise SettingError(
                f"classes: expected the {len(source.classes)} of the data in the networks, got {classes}"
            )

    def _both(self, real: Tensor | None, fake: Tensor, batch: Batch) -> tuple[Tensor | None, Tensor]:
        """The critic's logits of real samples, if they are asked for, and of generated ones."""
        if real is None:
            return None, self._logits(fake, batch)
        if type(self).realness is Adversarial.realness and pass_as_one(self.critic, real, fake):
            logits = self.realness(torch.cat((real, fake)))
            return logits[: len(real)], logits[len(real) :]
        return self._logits(real, batch), self._logits(fake, batch)

    def _real(self, batch: Batch, inputs: Collection[str]) -> Tensor:
        """Real samples as the critic sees them; they are not read before a loss needs them."""
        return _input(self.augmented(batch.real, batch, REAL), "real" in inputs)

    def _scored(
        self,
        batch: Batch,
        inputs: Collection[str],
        real: Tensor | None,
        real_logits: Tensor | None,
        fake: Tensor,
        fake_logits: Tensor,
    ) -> Scored:
        """The batch with the critic's logits, of real samples too if no loss has asked for them."""
        real = self._real(batch, inputs) if real is None else real
        real_logits = self._logits(real, batch) if real_logits is None else real_logits
        return Scored(real, fake, real_logits, fake_logits, batch.noise, batch.label)

    def _logits(self, x: Tensor, batch: Batch) -> Tensor:
        """The critic's logits of samples that have the batch's labels."""
        return self.realness(x, batch.label) if self.judged_classes else self.realness(x)

    def _objective(self, player: str, real: Tensor | None, fake: Tensor) -> Tensor:
        if player == "generator":
            return self.objective.generator(real, fake)
        assert real is not None  # computed whenever the critic moves
        return self.objective.critic(real, fake)


def _input(x: Tensor, needed: bool) -> Tensor:
    """The same samples; as a new tensor, where a penalty needs the gradient in them: the critic's partial derivative.

    In a look-ahead, the critic's parameters also depend on the generated samples, through earlier steps.
    """
    if not needed:
        return x
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()


def loss_by(game: Adversarial, batch: Batch, of: str, critic: nn.Module) -> Tensor:
    """A player's loss, a scalar (), with another critic in the place of the game's own, which is put back."""
    own = game.critic
    game.critic = critic
    try:
        return game.losses(batch, of=(of,)).players[of]
    finally:
        game.critic = own
