"""The one-player game of a classifier: it needs labels, and generates no samples."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from agon.arguments import refuse_classes
from agon.data.source import Source
from agon.errors import Change, DataError, SettingError
from agon.games.game import Batch, Game, Losses
from agon.networks.layers import evaluation_mode

UNLABELLED = -1  # the label of a sample without a class


class Classification(Game):
    """C minimises -E[log p_C(label | x)], p_C(k | x) = softmax(C(x))_k, on real samples.

    The trained classifier scores generated samples of the same set. It has no `realness`, so it cannot battle.
    Samples without a label are ignored.

    Args:
        classifier: a module that maps "n *shape" to class logits "n k".

    Source: yamazaki2017, Appendix B.
    """

    players: ClassVar[Mapping[str, Sequence[str]]] = {"classifier": ("classifier",)}
    generating_players: ClassVar[Sequence[str]] = ()

    def __init__(self, *, classifier: nn.Module) -> None:
        super().__init__()
        refuse_classes(self, classifier=classifier)
        self.classifier = classifier

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """(): a batch's latents are one unused number for each sample."""
        return ()

    def generate(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Refuses.

        Raises:
            SettingError: always.
        """
        raise SettingError("a classification generates no samples; expected a game with a generator")

    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        if batch.label is None:
            raise DataError(NO_LABELS)
        known = batch.label != UNLABELLED
        logits = self.logits(batch.real)
        correct = (logits.argmax(1) == batch.label) & known
        loss = cross_entropy(logits, batch.label, ignore_index=UNLABELLED, reduction="sum") / known.sum().clamp(min=1)
        return Losses(dict.fromkeys(of, loss), {"accuracy": (correct.sum() / known.sum().clamp(min=1)).detach()})

    def logits(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n k"]:
        """Class logits, converted from bfloat16 to float32, so that losses are in float32."""
        logits: Tensor = self.classifier(x)
        return logits.float() if logits.dtype is torch.bfloat16 else logits

    def check(self, shape: tuple[int, ...]) -> None:
        self._classes(shape)

    def check_source(self, source: Source) -> None:
        classes = len(source.classes)
        if not classes:
            raise DataError(NO_LABELS)
        if self._classes(source.shape) != classes:
            fitting = Change("game.classifier.classes", classes)
            raise SettingError(
                f"{type(self.classifier).__name__}: expected a logit for each of the data's {classes} classes, got "
                f"{self._classes(source.shape)}; use {fitting}",
                fitting,
            )

    def _classes(self, shape: tuple[int, ...]) -> int:
        """The number of classes that the network distinguishes."""
        parameter = next(self.parameters())
        with torch.no_grad(), evaluation_mode(self):
            logits = self.classifier(parameter.new_zeros(2, *shape))
        if logits.ndim != 2 or len(logits) != 2:
            raise SettingError(
                f"{type(self.classifier).__name__}: expected logits of shape (n, classes), got "
                f"{('n', *logits.shape[1:])}; let the classifier end in a linear layer"
            )
        return int(logits.shape[1])


NO_LABELS = (
    "a classifier: expected samples with class labels, got none; use a labelled set, such as digits, a folder with "
    "a folder of images for each class, or a table with a column 'label'"
)
