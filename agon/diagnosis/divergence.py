"""Divergence: losses, logits or gradients grow without bound, long before they are no numbers any more.

**Statistic.** The records after the first fifth are cut into four parts of equal length, and of each the median of
the size of a column is taken: of each player's loss and gradient, and of the difference of the logits of real and
generated samples (with Wasserstein's and relativistic losses only the difference means something: both may drift
together).

**Normal.** They settle, or grow slowly: the generator's loss of a healthy GAN rises from 0.7 to a few units.

**Thresholds.** Rising from part to part, to `GROWTH` = 10 times the first, and over `LARGE` = 50: a probability of
exp(-50) is none, and no squared error of data of unit scale is that large. A run that is not at the end of its budget
needs no more than a last record of that size, and of that growth over the median of those before it, which is taken for
1 where it is less, as the step after it may have been infinite. Of a training that a number ended which is not finite,
that is on record.
"""

from itertools import pairwise

import numpy as np

from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.log import FEWEST
from agon.diagnosis.remedies import R1, SLOWER
from agon.diagnosis.view import RunView
from agon.runs.alarms import Alarm, read_alarms

GROWTH, LARGE, PARTS = 10.0, 50.0, 4
FEW = 3  # records of a run that stopped


def examine(view: RunView) -> Examination:
    """Look for what grows without bound, or ended the training."""
    if (end := read_alarms(view.run.alarms).end) is not None:
        return _ended(end)
    stopped = view.budget is not None and view.reached < view.budget
    if len(view.log) < (FEW if stopped else FEWEST):
        return unseen(f"it needs {FEWEST} records, and there are {len(view.log)}")
    columns = {name: np.abs(values) for name, values in watched(view).items() if np.isfinite(values).all()}
    growth = {name: _growth(values) for name, values in columns.items() if len(values) >= FEWEST}
    if stopped:
        last = {name: float(v[-1] / max(np.median(v[:-1]), 1.0)) for name, v in columns.items() if v[-1] > LARGE}
        growth |= {name: value for name, value in last.items() if value > growth.get(name, 0.0)}
    evidence = {f"growth {name}": value for name, value in growth.items()}
    growing = {name: value for name, value in growth.items() if value >= GROWTH and columns[name][-1] > LARGE}
    if not growing:
        return Examination(evidence=evidence)
    worst = max(growing, key=lambda name: growing[name])
    values = columns[worst]
    finding = Finding(
        sickness="divergence",
        severity="fatal",
        since_step=view.log.since(lambda value: value > float(values.min()) + (values[-1] - values.min()) / 10, values),
        evidence={**{f"growth {name}": value for name, value in growing.items()}, "last": float(values[-1])},
        sentence=(
            f"{worst} grows without bound: {growing[worst]:.3g} times as large as early in the training, and now "
            f"{values[-1]:.3g}" + (f"; the run is {view.state}" if stopped else "")
        ),
        remedies=(SLOWER, R1),
    )
    return Examination(findings=(finding,), evidence=evidence)


def _ended(end: Alarm) -> Examination:
    """What ended the training."""
    finding = Finding(
        sickness="divergence",
        severity="fatal",
        since_step=end.step,
        evidence={"ended at step": float(end.step)},
        sentence=f"{end.sentence}, which ended the training at step {end.step:,}",
        remedies=(SLOWER, R1),
    )
    return Examination(findings=(finding,), evidence=finding.evidence)


def watched(view: RunView) -> dict[str, np.ndarray]:
    """The columns that should stay bounded."""
    log = view.log
    columns = {name: c for name, c in log.columns.items() if name.startswith(("loss/", "gradient/"))}
    if {"logit/real", "logit/fake"} <= set(log.columns):
        columns["the difference of the logits"] = log.get("logit/real") - log.get("logit/fake")
    return columns


def _growth(values: np.ndarray) -> float:
    """How many times larger the last part is than the first; 1 where it does not rise from part to part."""
    medians = [float(np.median(part)) for part in np.array_split(values[len(values) // 5 :], PARTS)]
    rises = all(a < b for a, b in pairwise(medians))
    return medians[-1] / max(medians[0], 1e-300) if rises else 1.0
