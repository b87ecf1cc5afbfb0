"""The labels of generated samples: the data's class frequencies, and the rows of a grid."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agon.data.labels import UNLABELLED
from agon.data.stream import Stream
from agon.errors import Change, DataError

PLAIN = Change("data.labelled", False)


class ClassRows(NamedTuple):
    """The labels of a grid whose rows each show one class.

    Attributes:
        labels: label of each tile, in reading order.
        columns: tiles in a row.
    """

    labels: Int[Tensor, " n"]
    columns: int


def class_rows(n: int, classes: int) -> ClassRows:
    """At most n tiles, nearly square, each row of one class; a class has as many rows as every other.

    With more classes than tiles, the first classes have a row each.

    >>> class_rows(64, 10).columns, len(class_rows(64, 10).labels), class_rows(4, 2).labels.tolist()
    (6, 60, [0, 0, 1, 1])
    """
    if n < classes:
        columns = math.ceil(math.sqrt(n))
        return ClassRows(torch.arange(n) // columns, columns)
    rows = max(1, round(math.sqrt(n) / classes))  # of each class
    columns = max(1, n // (classes * rows))
    labels = torch.arange(n) // columns // rows
    return ClassRows(labels[labels < classes], columns)


def class_counts(data: Stream, classes: int) -> Float[Tensor, " k"] | None:
    """How many samples of each class the data have; None if it is unknown before reading them.

    Raises:
        DataError: some have no label.
    """
    labels = data.labels
    if labels is None:
        return None
    refuse_unlabelled(labels)
    return torch.bincount(labels.cpu(), minlength=classes).double()


def refuse_unlabelled(labels: Int[Tensor, " n"]) -> None:
    """Raise a DataError if a sample has no label."""
    missing = int((labels == UNLABELLED).sum())
    if missing:
        raise DataError(
            f"a class-conditional game: expected a label for every sample, got {missing:,} of {len(labels):,} without "
            f"one; remove those, or train a recipe without classes with {PLAIN}",
            PLAIN,
        )
