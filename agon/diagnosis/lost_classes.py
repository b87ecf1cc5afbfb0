"""Lost classes: of labelled images, the generator makes those of some classes only.

**Statistic.** Each of `N` samples of the last checkpoint gets the class of the nearest of `REFERENCES` training images,
by the pixels. The number of samples of a class, over that which as many real samples would have: the classes' shares
in the data (or among the labels from which a conditional generator made the samples), through the mistakes that the
same rule makes on the training images themselves, each left out in turn.

**Normal.** Other real samples: every class has its number, up to the square root of it. With at least `FEWEST` = 20
samples expected, fewer than a tenth of them have a probability of 4e-8. The rarest class of 14 healthy trainings of
MNIST and digits had 0.38 to 0.79 of its number.

**Thresholds.** Fewer than `SHARE` = 0.1 of the expected number: a class that is ten times too rare is lost. Only
where the rule is right for `RIGHT` = 0.8 of the training images, a mean over classes (digits 0.99, MNIST 0.90, CIFAR-10
0.26), and where half of the samples are no further from an image than `FAR` = 1.5 times what images are from each
other: noise and blurs have no class (trained GANs and VAEs 0.9 to 1.2, a VAE after 300 steps 2).

Source: metz2017, section 3.3.1, counts modes by a classifier; here the nearest image is one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agon.data import Source
from agon.data.source import as_bytes
from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.geometry import Samples
from agon.diagnosis.painting import latents, painted
from agon.diagnosis.real_data import RealData
from agon.diagnosis.remedies import R1, UNROLL
from agon.diagnosis.view import RunView
from agon.figures.pictures import pictured
from agon.metrics.neighbours import nearest_neighbours, nearest_others
from agon.training import Training

N, REFERENCES = 500, 2_000
SHARE, FEWEST = 0.1, 20
RIGHT, FAR = 0.8, 1.5


@dataclass(frozen=True)
class Classes:
    """Labelled training images, and how often the class of the nearest one is right.

    Attributes:
        images: "m d" bytes.
        labels: "m".
        confusion: "k k", the share of images of class i whose nearest other one has class j.
        distance: median distance of an image from the nearest other one.
    """

    images: np.ndarray
    labels: np.ndarray
    confusion: np.ndarray
    distance: float

    @classmethod
    def of(cls, source: Source, data: RealData) -> "Classes | None":
        """Take labelled images of the training split; None if there are none."""
        batch, classes = data.first(REFERENCES), len(source.classes)
        if batch.label is None or not bool((batch.label >= 0).any()):
            return None
        known = (batch.label >= 0).cpu()
        pixels = as_bytes(batch.real.cpu()[known], source).flatten(1).numpy()
        images, first = np.unique(pixels, axis=0, return_index=True)  # a copy would always be right
        labels = batch.label.cpu()[known].numpy()[first]
        if len(images) < 2:
            return None
        nearest = nearest_others(torch.from_numpy(images))
        confusion = np.zeros((classes, classes))
        np.add.at(confusion, (labels, labels[nearest.indices[:, 0].numpy()]), 1.0)
        confusion /= np.maximum(confusion.sum(axis=1, keepdims=True), 1.0)
        return cls(images, labels, confusion, float(nearest.distances.median()))

    @property
    def right(self) -> float:
        """The share of images whose nearest other one is of their class, a mean over the classes that there are."""
        return float(np.diag(self.confusion)[np.unique(self.labels)].mean())

    def counts(self, samples: Samples) -> tuple[np.ndarray, float]:
        """How many samples have each class, "k", and their median distance from the nearest image."""
        pixels = np.rint(255 * samples).astype(np.uint8)
        nearest = nearest_neighbours(torch.from_numpy(pixels), torch.from_numpy(self.images))
        labels = self.labels[nearest.indices[:, 0].numpy()]
        return np.bincount(labels, minlength=len(self.confusion)), float(nearest.distances.median())

    def shares(self, requested: Tensor | None) -> np.ndarray:
        """The share of each class among real samples of the same labels, "k"."""
        labels = self.labels if requested is None else requested.cpu().numpy()
        shares: np.ndarray = np.bincount(labels, minlength=len(self.confusion)) / len(labels) @ self.confusion
        return shares


def examine(view: RunView) -> Examination:
    """Count the samples of each class."""
    training, data = view.average, view.trained_on
    if isinstance(training, str) or isinstance(data, str):
        return unseen(training if isinstance(training, str) else str(data))
    source = view.data
    if source is None or len(source.classes) < 2 or not pictured(source.shape) or not training.game.generating_players:
        return unseen("it needs labelled images and a game that generates")
    if FEWEST * len(source.classes) > N:
        return unseen(f"it needs {FEWEST} samples of each of {len(source.classes)} classes, and makes {N} in all")
    classes = Classes.of(source, data)
    if classes is None or classes.right < RIGHT:
        right = "" if classes is None else f": it is right for {classes.right:.0%} of the training images"
        return unseen(f"the nearest image does not tell a sample's class{right}")
    return _counted(view, training, classes, list(source.classes))


def _counted(view: RunView, training: Training, classes: Classes, names: list[str]) -> Examination:
    z, requested = latents(training, N)
    counts, distance = classes.counts(painted(view, training, z, requested))
    expected = len(z) * classes.shares(requested)
    judged = expected >= FEWEST
    if not judged.any():
        return unseen(f"it needs {FEWEST} samples of each class, and of {len(z)} there are {expected.max():.0f}")
    ratios = counts[judged] / expected[judged]
    evidence = {"classes": float(judged.sum()), "least": float(ratios.min()), "distance": distance / classes.distance}
    lost = np.flatnonzero(judged & (counts < SHARE * expected))
    evidence |= {"lost": float(len(lost)), "right": classes.right}
    if not len(lost) or evidence["distance"] > FAR:
        return Examination(evidence=evidence)
    told = ", ".join(f"{names[k]} ({counts[k]} of {len(z)}, expected {expected[k]:.0f})" for k in lost[:5])
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    finding = Finding(
        sickness="lost-classes",
        severity="serious",
        since_step=_since(view, classes, lost, float(expected[lost].sum()) / len(z)),
        evidence=evidence,
        sentence=(
            f"{len(lost)} of {len(names)} classes have next to no samples, judged by the nearest training image: "
            f"{told}{more}"
        ),
        remedies=(UNROLL, R1),
    )
    return Examination(findings=(finding,), evidence=evidence)


def _since(view: RunView, classes: Classes, lost: np.ndarray, share: float) -> int | None:
    """The first look from which the lost classes have less than `SHARE` of their samples, at most one counted free."""
    start = None
    for step, samples in view.samples.items():
        counts, distance = classes.counts(samples)
        gone = counts[lost].sum() <= max(1.0, SHARE * share * len(samples)) and distance <= FAR * classes.distance
        start = (step if start is None else start) if gone and step > 0 else None
    return start
