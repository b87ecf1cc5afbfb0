"""AC-GAN's game of three: a generator and a critic, and a classifier that both kinds of samples train."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from agon.augmentation import Adaptive, Augmentation
from agon.errors import Change, DataError, SettingError
from agon.games.adversarial import Adversarial
from agon.games.augmented import FAKE, REAL
from agon.games.classification import NO_LABELS
from agon.games.game import Batch, Losses
from agon.networks.labels import classes_of
from agon.networks.layers import evaluation_mode
from agon.objectives import NonSaturating, Objective
from agon.penalties import Penalty
from agon.projections import Projection


class AuxiliaryClassifier(Adversarial):
    """AC-GAN: the generator also wants the classifier to recognise the label from which it made a sample.

        L_C = E[-log p_C(y|x)] + generated · E[-log p_C(y|G(z, y))],
        L_G = L_GAN(G) + weight · E[-log p_C(y|G(z, y))],

    and the critic's loss is that of `Adversarial`. The classifier is a player of its own, so it moves in its own turns
    or together with the critic, and any critic and any dynamics go with it. In the source it is a second head of the
    critic's network. The critic needs no labels: it can battle.

    Args:
        generator: a generator that takes labels.
        critic: as in `Adversarial`.
        classifier: a module that maps "n *shape" to class logits "n k".
        weight: weight of the classifier's term in the generator's loss, over 0.
        generated: weight of generated samples in the classifier's own loss, from 0. With 1, as in the source,
            generator and classifier can agree on images of other classes for a label; with 0, the classifier learns
            from real samples alone.
        objective: the pair of losses of generator and critic.
        penalties: each is added to the loss of its player, generator or critic.
        projections: each is applied to its player's network after that player's move.
        augmentation: transforms all samples that the critic and the classifier see; both see the same.

    Raises:
        SettingError: the generator takes no labels, or a weight is out of its range.

    Source: Odena et al. 2017, equations 2 and 3.
    """

    players: ClassVar[Mapping[str, Sequence[str]]] = {**Adversarial.players, "classifier": ("classifier",)}

    def __init__(
        self,
        *,
        generator: nn.Module,
        critic: nn.Module,
        classifier: nn.Module,
        weight: float = 1.0,
        generated: float = 1.0,
        objective: Objective = NonSaturating(),  # noqa: B008 - frozen
        penalties: Sequence[Penalty] = (),
        projections: Sequence[Projection] = (),
        augmentation: Augmentation | Adaptive | None = None,
    ) -> None:
        for penalty in penalties:
            if penalty.player == "classifier":
                raise SettingError(
                    f"{type(penalty).__name__}: expected the generator or the critic, got the classifier; give its "
                    "optimiser a weight_decay instead"
                )
        super().__init__(
            generator=generator,
            critic=critic,
            objective=objective,
            penalties=penalties,
            projections=projections,
            augmentation=augmentation,
        )
        if not weight > 0:
            raise SettingError(f"weight of the classifier's term: expected a number over 0, got {weight}")
        if not generated >= 0:
            raise SettingError(f"generated: expected a weight from 0, got {generated}")
        if not classes_of(generator):
            raise SettingError(
                f"an auxiliary classifier: expected a generator that takes labels, got {type(generator).__name__}; put "
                "it into networks.conditional.ConcatenatedGenerator or NormalisedGenerator"
            )
        self.classifier, self.weight, self.generated = classifier, weight, generated

    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        if batch.label is None:
            raise DataError(NO_LABELS)
        fake = self.generate_for(batch) if fake is None else fake
        duel = [player for player in of if player != "classifier"]
        players, seen, _ = super().losses(batch, fake, of=duel) if duel else Losses({}, {})
        if "generator" in of or "classifier" in of:
            logits = self.logits(self.augmented(fake, batch, FAKE))
            of_fake = cross_entropy(logits, batch.label)
            seen["accuracy/fake"] = (logits.detach().argmax(1) == batch.label).to(of_fake.dtype).mean()
            if "generator" in of:
                players["generator"] = players["generator"] + self.weight * of_fake
            if "classifier" in of:
                real = self.augmented(batch.real, batch, REAL)
                of_real = cross_entropy(self.logits(real), batch.label)
                players["classifier"] = of_real + self.generated * of_fake
        return Losses({player: players[player] for player in of}, seen)

    def logits(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n k"]:
        """Class logits, converted from bfloat16 to float32, so that losses are in float32."""
        logits: Tensor = self.classifier(x)
        return logits.float() if logits.dtype is torch.bfloat16 else logits

    def check(self, shape: tuple[int, ...]) -> None:
        super().check(shape)
        weight = next(self.parameters())
        with torch.no_grad(), evaluation_mode(self):
            logits = self.classifier(weight.new_zeros(2, *shape))
        if tuple(logits.shape) != (2, self.generated_classes):
            fitting = Change("game.classifier.classes", self.generated_classes)
            raise SettingError(
                f"{type(self.classifier).__name__}: expected logits of shape (n, {self.generated_classes}), one for "
                f"each of the generator's classes, got {('n', *logits.shape[1:])}; use {fitting}",
                fitting,
            )
