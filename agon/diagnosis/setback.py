"""A setback: the samples were nearer to the real ones earlier in the run, and have been further away since.

**Statistic.** The energy distance (`geometry.energy`) of the samples of each look from the real ones, smoothed by a
median of three: the least of all looks but the last quarter, and the last one.

**Normal.** It falls, or stays: the latents and the real samples are the same at each look, so that it hardly has noise
of its own, but a GAN that is close to its data wanders.

**Thresholds.** The last is over `WORSE` = 1.5 times the least, and over `BY` = 0.2 above it: healthy runs of a few
hundred steps have wandered by 0.1. It counts since the step from which all looks are so far away. Samples that come and
go are an `oscillation` or a `rotation` instead.
"""

import numpy as np

from agon.diagnosis import oscillation
from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.geometry import energy
from agon.diagnosis.remedies import AVERAGE, SLOWER
from agon.diagnosis.rotation import FEWEST, rotates
from agon.diagnosis.view import RunView

WORSE, BY = 1.5, 0.2
LAST = 4  # the last 1/LAST of the looks is the present


def examine(view: RunView) -> Examination:
    """Look for samples that were better before."""
    if view.shown is None or len(view.shown[0]) < FEWEST:
        return unseen(f"it needs real samples and {FEWEST} snapshots after step 0")
    trained, real = view.shown
    steps, distances = list(trained), smooth([energy(samples, real) for samples in trained.values()])
    before = distances[: -max(1, len(steps) // LAST)]
    best, least, now = int(before.argmin()), float(before.min()), float(distances[-1])
    evidence = {"least": least, "at step": float(steps[best]), "energy": now}
    worse = distances > max(WORSE * least, least + BY)
    if not worse[-1] or rotates(view) or oscillation.examine(view).findings:
        return Examination(evidence=evidence)
    since = steps[int(np.flatnonzero(~worse)[-1]) + 1]
    finding = Finding(
        sickness="setback",
        severity="serious",
        since_step=since,
        evidence=evidence,
        sentence=(
            f"the samples were better at step {steps[best]:,}: their distance from the real ones was {least:.2g} then, "
            f"and is {now:.2g} now (energy distance; real ones get 0)"
        ),
        remedies=(_back(steps[best]), SLOWER, AVERAGE),
    )
    return Examination(findings=(finding,), evidence=evidence)


def smooth(values: list[float]) -> np.ndarray:
    """The median of each value and its two neighbours; of the ends and their one neighbour, the mean.

    >>> smooth([3.0, 1.0, 9.0, 2.0]).tolist()
    [2.0, 3.0, 2.0, 5.5]
    """
    return np.array([float(np.median(values[max(0, i - 1) : i + 2])) for i in range(len(values))])


def _back(step: int) -> Remedy:
    return Remedy(
        f"sample from the checkpoint nearest to step {step:,}; with --set snapshots=20 a run keeps some all along",
        "",
        "",
    )
