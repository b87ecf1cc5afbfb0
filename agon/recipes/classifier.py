"""The classifier of a labelled set: its network and its training.

`agon.classifiers` trains it once for each set and keeps it.
"""

import torch

from agon.averaging import Averaging
from agon.data.source import Source
from agon.dynamics import Turns
from agon.errors import DataError
from agon.experiment import Experiment, part
from agon.games import Classification
from agon.games.classification import NO_LABELS
from agon.networks.classifier import Classifier, ResidualClassifier

BATCH = 64
GREY, COLOUR, FEWEST = 1_000, 5_000, 200  # steps: most for grey and for colour images, and least for both
EPOCHS = 12  # enough for a small set
DECAY = 0.998  # decay of the average of weights, which replaces a falling rate


def experiment(source: Source, *, steps: int | None = None) -> Experiment:
    """The experiment that trains the classifier of a source.

    Grey images get a network of two convolutions, colour images one of residual blocks. Training takes 1,000 steps for
    grey and 5,000 for colour images, or 12 epochs if those are fewer, but at least 200 steps. A classifier of colour
    images uses the average of its weights (see `agon.classifiers.settled`).

    Args:
        source: images with 2 classes or more.
        steps: another number of steps. A batch has 64 images, or the whole set if that is smaller.

    Raises:
        DataError: the source does not hold images, or has fewer than 2 classes.
    """
    if not source.classes:
        raise DataError(NO_LABELS)
    if len(source.shape) != 3 or len(source.classes) < 2:
        raise DataError(
            f"a classifier: expected images of 2 classes or more, got samples of shape {source.shape} in "
            f"{len(source.classes)}; there is nothing to tell apart"
        )
    count = source.count()
    batch = BATCH if count is None else min(BATCH, count)
    grey = source.shape[0] == 1
    budget = _steps(GREY if grey else COLOUR, count, batch) if steps is None else steps
    return Experiment(
        game=part(
            Classification,
            classifier=part(
                Classifier if grey else ResidualClassifier, shape=source.shape, classes=len(source.classes)
            ),
        ),
        data=source,
        dynamics=Turns((("classifier",),)),
        optimisers=part(torch.optim.Adam, lr=1e-3),
        averaging=None if grey else Averaging(decay=DECAY, player="classifier", ramp=False),
        batch=batch,
        steps=budget,
        checkpoint_every=budget,
    )


def _steps(most: int, count: int | None, batch: int) -> int:
    return most if count is None else min(most, max(FEWEST, EPOCHS * count // batch))
