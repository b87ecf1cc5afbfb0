"""Which features for photographs without labels: do they tell classes apart, do they put known corruptions in order?"""

import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from agon.data import Images
from agon.metrics import kernel_distance
from agon.metrics.efficientnet import EfficientNet
from agon.metrics.extractors import Extractor, Pixels, extract
from agon.metrics.random_convolutions import RandomConvolutions
from benchmarks.corruptions import CORRUPTIONS, Labelled
from benchmarks.report import Section, table
from benchmarks.sets import SHARED, own_cache

NAMES = ("cifar10", "tiny-imagenet", "mnist")
EXTRACTORS: Mapping[str, Callable[[], Extractor]] = {
    "pixels": Pixels,
    "random": RandomConvolutions,
    "efficientnet, 64 px": lambda: EfficientNet(side=64),
    "efficientnet, 96 px": lambda: EfficientNet(side=96),
    "efficientnet, 128 px": lambda: EfficientNet(side=128),
}
SLOW = "efficientnet, 128 px"  # which sees no corruptions
FULL = 400
QUICK = 60
SUBSETS = 10
SURE = 1.645  # standard errors above the clean images' distance at which a corruption counts as seen
RIDGE = 1_000.0  # of the linear probe
NEIGHBOURS = 10


def section(quick: bool) -> Section:
    """A row for each set and extractor."""
    torch.set_num_threads(1)
    names = [name for name in NAMES if (SHARED / name).is_dir()]
    with own_cache():  # decoded images
        rows = [row for name in names for row in measured(name, quick)]
        correct, increasing, classes = proof(quick) if "tiny-imagenet" in names else (0.0, 0, 0)
    heads = ("set", "extractor", "features", "s / 1,000 images", "10-NN", "linear probe", *CORRUPTIONS)
    return Section(
        "Features for photographs",
        f"One thread, CPU seconds. 10-NN and a linear probe (ridge regression) learn classes from {2 * FULL:,} images "
        f"and are tested on {FULL:,} others. For each corruption the kernel distances of {FULL:,} corrupted images to "
        "as many other real ones are given at three growing severities, in units of the standard error of the clean "
        "images' distance; bold where they increase from one severity to the next and the least severe one is seen "
        f"(over {SURE}). The severities are in `benchmarks/corruptions.py`. That the network is the published one: "
        "on Tiny-ImageNet at 128 pixels, where each class's index is learnt from one half of 1,500 images, it names "
        f"{100 * correct:.0f} % of the other half's classes out of 1,000 (chance is 0.1 %), and {increasing} of the "
        f"{classes} indices increase with the classes' WordNet numbers, as ImageNet's order says (chance is 28).",
        table(heads, rows),
    )


def measured(name: str, quick: bool) -> Iterator[tuple[str, ...]]:
    """The rows of one set."""
    n = QUICK if quick else FULL
    train, test = labelled(name, 2 * n, "train"), labelled(name, n, "test")
    clean = Labelled(train.images[n:], train.labels[n:])
    for extractor_name, make in EXTRACTORS.items():
        extractor, start = make(), time.process_time()
        features = extract(extractor, train.images).features
        seconds = (time.process_time() - start) * 1000 / len(features)
        tested = extract(extractor, test.images).features
        nearest, linear = (
            knn(features, train.labels, tested, test.labels),
            probe(features, train.labels, tested, test.labels),
        )
        row = (name, extractor_name, f"{features.shape[1]:,}", f"{seconds:.2f}", f"{nearest:.3f}", f"{linear:.3f}")
        print(*row, file=sys.stderr, flush=True)
        kinds = () if extractor_name == SLOW else CORRUPTIONS
        cells = [cell(extractor, features[:n], features[n:], clean, kind) for kind in kinds]
        yield (*row, *cells, *([""] * (len(CORRUPTIONS) - len(cells))))


def cell(extractor: Extractor, reference: Tensor, clean: Tensor, images: Labelled, kind: str) -> str:
    """The distances at growing severity in units of the clean distance's error."""
    change, severities = CORRUPTIONS[kind]
    size = len(reference) * 3 // 4
    base = kernel_distance(reference, clean, subsets=SUBSETS, size=size)
    distances = [
        (
            kernel_distance(reference, extract(extractor, change(images, s)).features, subsets=SUBSETS, size=size).value
            - base.value
        )
        / (base.error or 1.0)
        for s in severities
    ]
    text = ", ".join(f"{distance:.3g}" for distance in distances)
    ordered = distances[0] > SURE and all(a < b for a, b in pairwise(distances))
    return f"**{text}**" if ordered else text


def labelled(name: str, n: int, split: str) -> Labelled:
    """The first n images of a split, and their classes; grey ones in three channels."""
    real, label = Images(path=str(SHARED / name)).open(seed=0, split=split).draw(n, 0, 0, 1)
    return Labelled(real.add(1).mul(127.5).round().clamp(0, 255).byte().expand(-1, 3, -1, -1), label)


def knn(features: Tensor, labels: Tensor, tested: Tensor, expected: Tensor) -> float:
    """The accuracy of the most frequent class among the 10 nearest by the cosine of centred features."""
    mean = features.mean(0)
    cosines = F.normalize(tested - mean) @ F.normalize(features - mean).T
    nearest = labels[cosines.topk(NEIGHBOURS).indices]
    return float((nearest.mode(1).values == expected).double().mean())


def probe(features: Tensor, labels: Tensor, tested: Tensor, expected: Tensor) -> float:
    """The accuracy of ridge regression on the classes; features have unit variance."""
    mean, scale = features.mean(0), features.std(0) + 1e-6
    x, y = ((each - mean).div(scale).double() for each in (features, tested))
    targets = F.one_hot(labels).double()
    gram = x @ x.T + RIDGE * torch.eye(len(x), dtype=torch.float64)
    weights = x.T @ torch.linalg.solve(gram, targets - targets.mean(0))
    return float(((y @ weights + targets.mean(0)).argmax(1) == expected).double().mean())


def proof(quick: bool) -> tuple[float, int, int]:
    """Accuracy with indices learnt by majority, how many of these increase with the class, and how many there are."""
    train = labelled("tiny-imagenet", 2 * QUICK if quick else 1_500, "train")
    probabilities = extract(EfficientNet(side=128), train.images).probabilities
    assert probabilities is not None
    half, k = len(train.labels) // 2, int(train.labels.max()) + 1
    learnt = torch.full((k,), -1)
    for label in train.labels[:half].unique():
        learnt[label] = probabilities[:half][train.labels[:half] == label].mean(0).argmax()
    right = (learnt[train.labels[half:]] == probabilities[half:].argmax(1)).double().mean()
    known = learnt[learnt >= 0].tolist()
    return float(right), longest_increasing(known), len(known)


def longest_increasing(values: list[int]) -> int:
    """The length of the longest increasing subsequence, by patience sorting."""
    piles: list[int] = []
    for value in values:
        place = bisect_left(piles, value)
        piles[place : place + 1] = [value]
    return len(piles)
