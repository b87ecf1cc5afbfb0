"""A critic that cannot tell: it gives all samples nearly the same logit, although generated ones are far from real.

**Statistic.** The critic's relative loss (`judging`), its median over the last quarter of the records, and the energy
distance of the last samples from the real ones (`geometry.energy`).

**Normal.** At an equilibrium the relative loss is 1 as well: that is why only a large distance is a sickness. Two
sets of 256 real samples have a distance of about 0.00 ± 0.01.

**Thresholds.** Over `GUESSES` = 0.95 the critic knows next to nothing; a distance over `FAR` = 0.2 is seen by eye;
healthy trainings of a few hundred steps, whose critics were near 1, had up to 0.13.
"""

import numpy as np

from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.judging import judged, objective_of, relative_loss, without_objective
from agon.diagnosis.log import FEWEST, late
from agon.diagnosis.remedies import FASTER_CRITIC, MORE_CRITIC, slower_than
from agon.diagnosis.rotation import rotates
from agon.diagnosis.view import RunView

GUESSES, FAR = 0.95, 0.2
RATE = 1e-3  # of the remedy


def examine(view: RunView) -> Examination:
    """Look for a critic that knows nothing."""
    objective = objective_of(view)
    if objective is None:
        return unseen(without_objective(view))
    losses = relative_loss(view, objective)
    if len(losses) < FEWEST or not np.isfinite(losses).all() or view.shown is None:
        return unseen(f"it needs {FEWEST} records of the critic's loss, real samples and two snapshots after step 0")
    evidence = {"relative": late(losses)}
    if evidence["relative"] < GUESSES:
        return Examination(evidence=evidence)
    distance = judged(view)
    if distance is None:
        return unseen("it needs samples of the present weights")
    evidence["energy"] = distance
    if distance < FAR or rotates(view):
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="undecided-critic",
        severity="serious",
        since_step=view.log.since(lambda value: value > GUESSES, losses),
        evidence=evidence,
        sentence=(
            f"the critic cannot tell generated from real samples: its loss is {evidence['relative']:.2g} of what "
            f"guessing costs, although they are far apart (energy distance {evidence['energy']:.2g}; real ones get 0)"
        ),
        remedies=(FASTER_CRITIC,) if slower_than(view, "critic", RATE) else (MORE_CRITIC,),
    )
    return Examination(findings=(finding,), evidence=evidence)
