"""Few images: the training shows each image of a small set so often that the critic can learn the set by heart.

**Statistic.** The number of images of the training split, and how often the critic has been shown each.

**Normal.** agon's recipes show an image 1 to 800 times. 500 images of CIFAR-10 shown 384 times did no harm
(docs/augmentation.md).

**Thresholds.** More than `EPOCHS` = 1,000 times each, or fewer than `FEW` = 100 images in all, for which generators
are known to need an augmentation (Zhao et al. 2020, section 4.4, "100-shot"), where the game has none. It is a notice:
`overfitting-critic` and `memorisation` measure whether it did harm.

Source: Karras et al. 2020, figure 1: the smaller the set, the sooner the samples get worse again.
"""

from agon.data import Images
from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.overfitting import AUGMENT, DIFFAUGMENT, scores
from agon.diagnosis.view import RunView

EPOCHS, FEW, BEGUN = 1_000.0, 100, 10.0


def examine(view: RunView) -> Examination:
    """Count how often each image has been shown."""
    training, data = view.live, view.trained_on
    if isinstance(training, str) or isinstance(data, str):
        return unseen(training if isinstance(training, str) else str(data))
    if not isinstance(view.data, Images) or not scores(training.game):
        return unseen("it needs images, and a game with a critic")
    epochs = training.images / data.count
    evidence = {"images": float(data.count), "times": epochs}
    few = data.count < FEW and epochs > BEGUN
    if getattr(training.game, "augmentation", None) is not None or not (few or epochs > EPOCHS):
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="few-images",
        severity="notice",
        since_step=None,
        evidence=evidence,
        sentence=f"the critic has seen each of only {data.count:,} images {epochs:,.0f} times, without augmentation",
        remedies=(DIFFAUGMENT, AUGMENT),
    )
    return Examination(findings=(finding,), evidence=evidence)
