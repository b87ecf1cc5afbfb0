"""Oscillation without progress: the samples swing around their place as a whole, and come no nearer to the real ones.

**Statistic.** Over the second half of the looks: the reach of the samples' centre, the largest distance of two of its
places, over the real samples' mean distance; the length of its path over the reach; and the energy distance from the
real samples, the third quarter's median against the last quarter's.

**Normal.** The latents are the same at each look, so that a generator at rest has a reach of 0 whatever the number of
samples, and one on its way a path of 1 reach.

**Thresholds.** A reach over `REACH` = 0.5 is half of the data's own size; a path of at least `TURNS` = 2 reaches
comes back; a distance that still falls below `PROGRESS` = 0.5 of what it was is progress; and one under `FAR` = 0.3
is that of samples that sway over the data and do not leave them: healthy runs of a few hundred steps had a reach of up
to 0.8 at distances of up to 0.2. Samples that are alike and run from mode to mode are a `rotation` instead.

Source: metz2017, section 2.1; Mescheder et al. 2018, section 2, on orbits of gradient steps.
"""

import numpy as np

from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.geometry import energy, spread, travel
from agon.diagnosis.remedies import AVERAGE, EXTRAGRADIENT, R1
from agon.diagnosis.rotation import FEWEST, rotates
from agon.diagnosis.view import RunView

REACH, TURNS, PROGRESS, FAR = 0.5, 2.0, 0.5, 0.3


def examine(view: RunView) -> Examination:
    """Look for samples that swing as a whole."""
    if view.shown is None or len(view.shown[0]) < FEWEST:
        return unseen(f"it needs real samples and {FEWEST} snapshots after step 0")
    trained, real = view.shown
    steps, unit = list(trained), spread(real)
    later = steps[len(steps) // 2 :]
    reach, path = travel([trained[step].mean(axis=0) for step in later])
    distances = np.array([energy(trained[step], real) for step in later])
    before, now = (float(np.median(part)) for part in np.array_split(distances, 2))
    evidence = {"reach": reach / unit, "turns": path / max(reach, 1e-300), "before": before, "energy": now}
    sick = evidence["reach"] > REACH and evidence["turns"] >= TURNS and now > max(FAR, PROGRESS * before)
    if not sick or rotates(view):
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="oscillation",
        severity="serious",
        since_step=later[0],
        evidence=evidence,
        sentence=(
            f"the samples swing and come no nearer: since half of the looks their centre moved over "
            f"{evidence['reach']:.2g} of the data's own size and back, {evidence['turns']:.2g} times that way in all, "
            f"and the distance from the real samples went from {before:.2g} to {now:.2g}"
        ),
        remedies=(EXTRAGRADIENT, R1, AVERAGE),
    )
    return Examination(findings=(finding,), evidence=evidence)
