"""Class imbalance: one class of the data drowns the others.

**Statistic.** The largest class's share of the labelled training samples, and its size over the median of the others'.

**Normal.** 1 over the number of classes, and 1.

**Threshold.** Over half of all samples, and `TIMES` = 10 times the median of the other classes.
"""

import numpy as np

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.view import RunView

HALF, TIMES = 0.5, 10.0
ALONE = Remedy("train on one class at a time", "--set data.only=0", "")
BY_CLASS = Remedy(
    "train a generator by class, and sample each class as often: agon train miyato2018b/projection --data PATH",
    "",
    "Miyato and Koyama 2018",
)


def examine(view: RunView) -> Examination:
    """Count the training samples of each class."""
    data = view.trained_on
    if isinstance(data, str):
        return unseen(data)
    labels = data.labels
    counts = np.empty(0) if labels is None else np.bincount(labels[labels >= 0].cpu().numpy())
    if (counts > 0).sum() < 2:
        return unseen("its data have no classes, or one")
    largest, total = int(counts.argmax()), counts.sum()
    others = np.delete(counts, largest)
    evidence = {
        "share": float(counts[largest] / total),
        "times": float(counts[largest] / np.median(others[others > 0])),
        "classes": float((counts > 0).sum()),
    }
    if evidence["share"] <= HALF or evidence["times"] <= TIMES:
        return Examination(evidence=evidence)
    names = list(view.data.classes) if view.data else []
    name = names[largest] if largest < len(names) else str(largest)
    finding = Finding(
        sickness="class-imbalance",
        severity="notice",
        since_step=0,
        evidence=evidence,
        sentence=(
            f"one class drowns the others: {evidence['share']:.0%} of the training samples are of class {name}, "
            f"{evidence['times']:.3g} times as many as of the median class beside it"
        ),
        remedies=(BY_CLASS, ALONE),
    )
    return Examination(findings=(finding,), evidence=evidence)
