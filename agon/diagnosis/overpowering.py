"""A critic that overpowers: it is sure of every sample, and the generator learns little or nothing from it.

**Statistic.** The critic's relative loss (`judging`), its median over the last quarter of the records; the
generator's gradient now over that of the first quarter; and the energy distance of the samples from the real ones
(`geometry.energy`).

**Normal.** A critic at an equilibrium has 1, one that is useful 0.3 to 1.

**Thresholds.** Under `SURE` = 0.05: with minimax that is a mean loss of 0.035 for each side, which is right with 97 %
confidence on average. While the samples are near the real ones (energy under `NEAR` = 0.05), a sure critic does no
visible harm, and is not reported. If the generator's gradient has fallen below `VANISHED` of its early size, it is
fatal.

Source: yamazaki2017, chapters 5 and 6; Arjovsky and Bottou 2017, section 2.2.
"""

import numpy as np

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.judging import judged, objective_of, relative_loss, without_objective
from agon.diagnosis.log import FEWEST, early, late
from agon.diagnosis.remedies import FASTER_GENERATOR, GENTLE_CRITIC, NON_SATURATING, R1, slower_than
from agon.diagnosis.view import RunView
from agon.objectives import Minimax

SURE, NEAR, VANISHED = 0.05, 0.05, 0.01
RATE = 1e-3  # of the remedy


def is_sure(view: RunView) -> bool:
    """Whether the critic's loss is next to nothing, which takes the gradient from other players, or from itself."""
    objective = objective_of(view)
    losses = np.empty(0) if objective is None else relative_loss(view, objective)
    return len(losses) >= FEWEST and bool(late(losses) < SURE)


def examine(view: RunView) -> Examination:
    """Look for a critic that is sure of everything."""
    objective = objective_of(view)
    if objective is None:
        return unseen(without_objective(view))
    losses = relative_loss(view, objective)
    if len(losses) < FEWEST or not np.isfinite(losses).all():
        return unseen(f"it needs {FEWEST} records of the critic's loss")
    gradient = view.log.get("gradient/generator")
    evidence = {"relative": late(losses), "gradient": late(gradient) / max(early(gradient), 1e-300)}
    evidence |= {"real": late(view.log.get("logit/real")), "fake": late(view.log.get("logit/fake"))}
    if evidence["relative"] < SURE and (distance := judged(view)) is not None:
        evidence["energy"] = distance
    if not evidence["relative"] < SURE or evidence.get("energy", 1.0) < NEAR:
        return Examination(evidence=evidence)
    vanished = evidence["gradient"] < VANISHED
    effect = "the generator's gradient has vanished" if vanished else "the generator's gradient"
    remedies: tuple[Remedy, ...] = (GENTLE_CRITIC, R1)
    if slower_than(view, "generator", RATE):
        remedies = (FASTER_GENERATOR, *remedies)
    finding = Finding(
        sickness="overpowering-critic",
        severity="fatal" if vanished else "serious",
        since_step=view.log.since(lambda value: value < SURE, losses),
        evidence=evidence,
        sentence=(
            f"the critic is sure of every sample: its loss is {evidence['relative']:.2g} of what guessing costs "
            f"(logits {evidence['real']:.3g} for real and {evidence['fake']:.3g} for generated samples), and {effect}"
            f"{' to' if vanished else ' is'} {evidence['gradient']:.2g} of its early size"
        ),
        remedies=(NON_SATURATING, *remedies) if vanished and isinstance(objective, Minimax) else remedies,
    )
    return Examination(findings=(finding,), evidence=evidence)
