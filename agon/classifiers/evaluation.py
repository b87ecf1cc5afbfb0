"""Evaluate a classifier: its accuracy on the test split, and the weights that it is evaluated with."""

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
from agon.terminal.waiting import tracked

CHUNK = 500  # images that pass at a time
RESTATED = 256  # images of a batch that re-estimates statistics
SEED = 0  # of these images' order


@torch.no_grad()
def accuracy_of(game: Classification, source: Source, chunk: int = CHUNK) -> Score:
    """The accuracy on the source's whole test split: the share of images whose most probable class is correct.

    Args:
        game: the game with the classifier; its training mode does not change.
        source: images with classes and a test split.
        chunk: the number of images that pass at a time; the score does not depend on it.

    Raises:
        DataError: there are no classes, there is no test split, or its size is unknown.
    """
    (test, count), weight = tested(source), next(game.parameters())
    right, chunk = [], min(chunk, count)
    with evaluation_mode(game):
        for index in tracked(range(-(-count // chunk)), "accuracy on the test split", -(-count // chunk)):
            real, label = test.draw(chunk, index, 0, 1)
            if label is None:
                raise DataError(NO_LABELS)
            hit, remaining = game.logits(real.to(weight)).argmax(1).cpu() == label, count - index * chunk
            right.append(hit[:remaining][label[:remaining] != UNLABELLED])  # the last batch straddles two epochs
    return accuracy(torch.cat(right), "share of the whole test split in their own class")


def settled(game: Classification, average: Average | Mapping[str, Tensor] | None, source: Source) -> Classification:
    """The classifier at the end of a training: with averaged weights, if the training averages them.

    The averaged weights' batch normalisation statistics are re-estimated on 16 batches of the source's images in a
    fixed order.

    Args:
        game: the game with the last weights; it remains unchanged.
        average: the training's average or its state; None if there is none.
        source: the images that it was trained on.

    Returns:
        A copy of the game in evaluation mode with the averaged weights, or the same game if there is no average.
    """
    if average is None:
        return game
    averaged, count = copy.deepcopy(game).eval(), source.count()
    averaged.load_state_dict(dict(average.state() if isinstance(average, Average) else average))
    stream = Stream(source, batch=RESTATED if count is None else min(RESTATED, count), seed=SEED)
    weight = next(averaged.parameters())
    with torch.no_grad():
        restate([averaged], lambda: averaged.logits(stream.draw().real.to(weight)))
    return averaged.eval()


def tested(source: Source) -> tuple[Opened, int]:
    """Open the test split, and return it with its size.

    Raises:
        DataError: there is no test split, or its size is unknown.
    """
    test = source.open(seed=0, split="test")
    if test.count is None:
        raise DataError(f"a classifier: expected a test split of a known size, got a stream; set {WHOLE}", WHOLE)
    return test, test.count
