"""Count the images of each class in a set."""

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data.source import Source
from agon.data.stacked import Stacked
from agon.errors import Change, DataError
from agon.games.classification import NO_LABELS

WHOLE = Change("data.streaming", False)
CHUNK = 500  # images drawn at a time


def class_counts(source: Source) -> Float[Tensor, " k"]:
    """Count the images of each class in the training split; images without a label are left out.

    Stacked images are not counted: their counts are the number of stacks, or of grey images if the source is endless,
    times the product of the three grey classes' shares.

    Args:
        source: images with classes, of a known size.

    Returns:
        One number for each class, float64.

    Raises:
        DataError: there are no classes, or the source is a stream of unknown size.
    """
    if isinstance(source, Stacked):
        grey_counts = class_counts(source.of)
        shares, number = grey_counts / grey_counts.sum(), float(source.stacks or grey_counts.sum())
        return number * torch.einsum("a,b,c->abc", shares, shares, shares).flatten()
    count, k = source.count(), len(source.classes)
    if not k:
        raise DataError(NO_LABELS)
    if count is None:
        raise DataError(f"class counts: expected a set of a known size, got a stream; set {WHOLE}", WHOLE)
    opened, total = source.open(seed=0), torch.zeros(k, dtype=torch.float64)
    chunk = min(CHUNK, count)
    for index in range(-(-count // chunk)):
        label = opened.draw(chunk, index, 0, 1).label
        assert label is not None  # a source with classes labels its draws
        known = label[: count - index * chunk].cpu()  # the last batch straddles two epochs
        total += torch.bincount(known[known >= 0], minlength=k)
    return total
