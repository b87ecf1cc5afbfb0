"""The one-player game of a classifier: no samples are generated, labels are needed."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from agon.data.source import Source
from agon.errors import Change, DataError, SettingError
from agon.games.game import Batch, Game, Losses
from agon.networks.layers import evaluation_mode

UNLABELLED = -1  # the label of an image that has none


class Classification(Game):
    """min over C of -E[log p_C(label | x)], p_C(k | x) = softmax(C(x))_k; real samples only.

    Its trained classifier is the judge of a set's generated samples; it says nothing of how real they are, so it
    cannot battle. Samples without a label take no part.

    Args:
        classifier: a module that maps "n *shape" to class logits "n k".

    Source: yamazaki2017, Appendix B.
    """

    players: ClassVar[Mapping[str, Sequence[str]]] = {"classifier": ("classifier",)}
    generating_players: ClassVar[Sequence[str]] = ()

    def __init__(self, *, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """(): a batch has one number a sample, which nobody reads."""
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
        right = (logits.argmax(1) == batch.label) & known
        loss = cross_entropy(logits, batch.label, ignore_index=UNLABELLED, reduction="sum") / known.sum().clamp(min=1)
        return Losses(dict.fromkeys(of, loss), {"accuracy": (right.sum() / known.sum().clamp(min=1)).detach()})

    def logits(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n k"]:
        """Class logits; in float32 where the classifier runs in bfloat16, so that losses are not."""
        logits: Tensor = self.classifier(x)
        return logits.float() if logits.dtype is torch.bfloat16 else logits

    def check(self, shape: tuple[int, ...]) -> None:
        self._classes(shape)

    def check_source(self, source: Source) -> None:
        classes = len(source.classes)
        if not classes:
            raise DataError(NO_LABELS)
        if self._classes(source.shape) != classes:
            right = Change("game.classifier.classes", classes)
            raise SettingError(
                f"{type(self.classifier).__name__}: expected a logit for each of the data's {classes} classes, got "
                f"{self._classes(source.shape)}; use {right}",
                right,
            )

    def _classes(self, shape: tuple[int, ...]) -> int:
        """How many classes the network tells apart."""
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
