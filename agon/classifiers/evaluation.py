"""How good a classifier is on images that it was not trained on, and which weights it is judged by."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from agon.averaging import Average, restate
from agon.classifiers.class_counts import WHOLE
from agon.data.source import Opened, Source
from agon.data.stream import Stream
from agon.errors import DataError
from agon.games import Classification
from agon.games.classification import NO_LABELS, UNLABELLED
from agon.metrics import Score, accuracy
from agon.networks.layers import evaluation_mode

CHUNK = 500  # images that pass at a time
RESTATED = 256  # images a batch of those that statistics are re-estimated by
SEED = 0  # of their order


@torch.no_grad()
def accuracy_of(game: Classification, source: Source, chunk: int = CHUNK) -> Score:
    """The share of the source's whole test split whose most probable class is their own.

    Args:
        game: whose classifier it is; left in the mode that it has.
        source: with classes.
        chunk: images that pass at a time; the score does not depend on it.

    Raises:
        DataError: no classes, no test split, or one whose size nobody knows.
    """
    (test, count), weight = tested(source), next(game.parameters())
    right, chunk = [], min(chunk, count)
    with evaluation_mode(game):
        for index in range(-(-count // chunk)):
            real, label = test.draw(chunk, index, 0, 1)
            if label is None:
                raise DataError(NO_LABELS)
            hit, left = game.logits(real.to(weight)).argmax(1).cpu() == label, count - index * chunk
            right.append(hit[:left][label[:left] != UNLABELLED])  # the last batch straddles two epochs
    return accuracy(torch.cat(right), "share of the whole test split in their own class")


def settled(game: Classification, average: Average | Mapping[str, Tensor] | None, source: Source) -> Classification:
    """The classifier that a training ends with: of the averaged weights, where there are any.

    Their batch normalisation's statistics are re-estimated by 16 batches of the source's images in a fixed order.

    Args:
        game: of the last weights; it is left as it is.
        average: a training's, or its state; None for none.
        source: what it was trained on.

    Returns:
        A game of its own in evaluation mode, or the same one where there is no average.
    """
    if average is None:
        return game
    made, count = copy.deepcopy(game).eval(), source.count()
    made.load_state_dict(dict(average.state() if isinstance(average, Average) else average))
    stream = Stream(source, batch=RESTATED if count is None else min(RESTATED, count), seed=SEED)
    weight = next(made.parameters())
    with torch.no_grad():
        restate([made], lambda: made.logits(stream.draw().real.to(weight)))
    return made.eval()


def tested(source: Source) -> tuple[Opened, int]:
    """The test split, opened, and its size.

    Raises:
        DataError: there is none, or nobody knows its size.
    """
    test = source.open(seed=0, split="test")
    if test.count is None:
        raise DataError(f"a classifier: expected a test split of a known size, got a stream; set {WHOLE}", WHOLE)
    return test, test.count
