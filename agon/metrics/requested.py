"""Whether samples are of the class that was asked for, and how near those of each class are to real ones."""

import math
from collections.abc import Callable, Sequence

from jaxtyping import Float, Int
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import NORMAL, share_score
from agon.metrics.score import Score

Distance = Callable[[Tensor, Tensor], Score]


def class_accuracy(
    probabilities: Float[Tensor, "n k"], labels: Int[Tensor, " _"], names: Sequence[str], protocol: str
) -> Score:
    """The share of samples whose most probable class is the one that was asked for, P[argmax_k p(k|x) = y].

    A generator that ignores its labels gets about 1/k for k equally frequent classes. Real samples get the classifier's
    own accuracy, so read it beside that. It does not say whether samples of a class are varied: see `by_class`.

    Args:
        probabilities: p(k|x) of each sample; rows sum to 1.
        labels: "n", the label from which each sample was made.
        names: the names of the k classes.
        protocol: names the classifier, in words.

    Returns:
        "class-accuracy", 0 to 1, with Wilson's interval; the detail "by_class" has the share of each class.

    Raises:
        DataError: there are no samples, or not one label for each.

    >>> import torch
    >>> right = class_accuracy(torch.eye(2)[[0, 1, 1, 1]], torch.tensor([0, 0, 1, 1]), ["ant", "bee"], "a classifier")
    >>> right.value, right.detail["by_class"]
    (0.75, {'ant': 0.5, 'bee': 1.0})
    """
    if not len(labels) or len(labels) != len(probabilities):
        raise DataError(
            f"class-accuracy: expected a label for each of 1 sample or more, got {len(labels)} labels of "
            f"{len(probabilities)} samples"
        )
    hits = probabilities.argmax(1) == labels
    made = [i for i in range(len(names)) if (labels == i).any()]
    shares = {names[i]: float(hits[labels == i].double().mean()) for i in made}
    worst = min(shares, key=lambda name: shares[name])
    return share_score(
        "class-accuracy",
        hits,
        f"{protocol}; share of samples taken for the class that was asked for",
        n=len(labels),
        detail={"by_class": shares, "told": f"least for {worst}: {shares[worst]:.3g}"},
    )


def by_class(
    distance: Distance,
    real: Float[Tensor, "n d"],
    real_labels: Int[Tensor, " n"],
    fake: Float[Tensor, "m _"],
    fake_labels: Int[Tensor, " m"],
    names: Sequence[str],
) -> Score:
    """The mean over classes of the distance between the real and the generated samples of one class: "intra-...".

        1/k Σ_y d(real samples of class y, samples generated for y)

    Unlike the distance of all samples together, it sees a generator that confuses its labels, or draws one image for
    each. The error of the mean treats the classes as independent.

    Args:
        distance: of two sets of features, such as `frechet_distance`.
        real: features of real samples.
        real_labels: their classes.
        fake: features of generated samples.
        fake_labels: the labels from which they were made.
        names: the names of the k classes, all of which must have samples on both sides.

    Raises:
        DataError: a class has too few samples on a side.

    Source: Miyato and Koyama 2018, section 5: intra FID.
    """
    scores: list[Score] = []
    for label, name in enumerate(names):
        try:
            scores.append(distance(real[real_labels == label], fake[fake_labels == label]))
        except DataError as fault:
            raise DataError(f"class {name}: {fault}", *fault.changes) from fault
    k, first = len(scores), scores[0]
    value = sum(score.value for score in scores) / k
    errors = [score.error for score in scores if score.error is not None]
    error = math.sqrt(sum(e**2 for e in errors)) / k if len(errors) == k else None
    values = {name: score.value for name, score in zip(names, scores, strict=True)}
    worst = max(values, key=lambda name: values[name])
    return Score(
        name=f"intra-{first.name}",
        value=value,
        error=error,
        interval=None if error is None else (value - NORMAL * error, value + NORMAL * error),
        n=len(fake),
        n_real=len(real),
        protocol=f"mean over {k} classes; {first.protocol}",
        detail={"by_class": values, "told": f"largest for {worst}: {values[worst]:.3g}"},
    )
