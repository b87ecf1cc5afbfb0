"""Rotation: the generator sits on few modes at any time, and runs from one to the next.

**Statistic.** On a mixture: how many different modes held more than half of all samples at a look of the second half
of the training (as `agon.metrics.modes_held`), and how often the holder changed. On other data: the samples are alike
(their mean distance is under `ALIKE` of the real ones'), and their centre travels: the two most distant centres are
further apart than `REACH` times the real samples' mean distance, on a path that is at least `TURNS` times as long.

**Normal.** Real samples: no mode holds more than half. A centre that moves to its place on a straight line has a path
of 1 reach.

**Thresholds.** Three holders: a generator that collapses changes its mode once or twice at the most. At least half of
the looks are held: else the mass is spread, and only leans. A centre that wanders by less than `REACH` = 0.8 is that of
a young generator, which had up to 0.52 in healthy runs. A reach over `BEYOND` = 2 leads out of the data, which is
`oscillation`; and so is any swing of data that are known to have one mode.

Source: metz2017, figure 1 (bottom row) and section 3.1.
"""

from itertools import pairwise

import numpy as np

from agon.data.points import Mixture
from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.geometry import Samples, remembered, spread, travel
from agon.diagnosis.remedies import MORE_CRITIC, UNROLL
from agon.diagnosis.view import RunView

FEWEST = 6  # looks after the beginning
HOLDERS, CHANGES = 3, 3
ALIKE, REACH, BEYOND, TURNS = 0.5, 0.8, 2.0, 2.0


def examine(view: RunView) -> Examination:
    """Look for a generator that runs from mode to mode."""
    if view.shown is None or len(view.shown[0]) < FEWEST:
        return unseen(f"it needs real samples and {FEWEST} snapshots after step 0")
    evidence = measured(view)
    if not rotates(view):
        return Examination(evidence=evidence)
    steps = list(view.shown[0])
    what = (
        f"one mode at a time holds most samples, and {evidence['holders']:g} different ones did, in "
        f"{evidence['changes']:g} changes"
        if "holders" in evidence
        else f"the samples are alike, and their centre travels {evidence['path']:.2g} times the real samples' distance"
    )
    finding = Finding(
        sickness="rotation",
        severity="serious",
        since_step=steps[len(steps) // 2],
        evidence=evidence,
        sentence=f"the generator rotates through the modes and settles on none: since half of the looks, {what}",
        remedies=(UNROLL, MORE_CRITIC),
    )
    return Examination(findings=(finding,), evidence=evidence)


def measured(view: RunView) -> dict[str, float]:
    """The statistic of the second half of the looks."""
    assert view.shown is not None
    trained, real = view.shown
    later = list(trained.values())[len(trained) // 2 :]
    unit = spread(real)
    reach, path = travel([samples.mean(axis=0) for samples in later])
    alike = float(np.median([spread(samples) for samples in later])) / unit
    evidence = {"ratio": alike, "reach": reach / unit, "path": path / unit, "looks": float(len(later))}
    if view.mixture is not None:
        holders = [held for samples in later if (held := holder(samples, view.mixture)) is not None]
        changes = sum(a != b for a, b in pairwise(holders))
        evidence |= {"holders": len(set(holders)), "changes": changes, "held": len(holders) / len(later)}
    return evidence


def rotates(view: RunView) -> bool:
    """Whether the statistic is that of a rotation."""
    if view.shown is None or len(view.shown[0]) < FEWEST:
        return False
    seen = measured(view)
    if "holders" in seen:
        return seen["holders"] >= HOLDERS and seen["changes"] >= CHANGES and seen["held"] >= 0.5
    source = view.experiment.data if view.experiment else None
    if isinstance(source, Mixture):  # of one mode, in which nothing can rotate
        return False
    return seen["ratio"] < ALIKE and REACH < seen["reach"] < BEYOND and seen["path"] > TURNS * seen["reach"]


@remembered
def holder(samples: Samples, mixture: Mixture) -> int | None:
    """The mode that is the nearest one of more than half of the samples."""
    centres = mixture.modes.double().numpy()
    counts = np.bincount(((samples[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1), minlength=len(centres))
    return int(counts.argmax()) if 2 * counts.max() > len(samples) else None
