"""Skill that does not rise: the generator fools the critics of all steps no better late than early.

**Statistic.** The tournament of `agon skill`, of at most `STEPS` of the snapshots that the run has kept, evenly chosen,
with `N` samples each: whether the generators' skill of the last quarter of the steps is above that of the first, and
how it changes along the last quarter, both with 95 % intervals (`agon.arena.skills.trends`). If the run has a
skill.json, that is taken instead.

**Normal.** It rises, and then stops rising.

**Threshold.** It is flat: at the end surely less than `RISE` = 0.5 logits above the first quarter, and not surely
rising; healthy trainings of the hospital rise by 1.5 and more. It is judged where one number for each step explains who
fools whom (`UNSURE` = 40 % of the variance is unexplained at the most; a rotation leaves 60 %), and where the samples
are further than `FAR` = 0.1 from the real ones: a generator that is good from the first snapshot on cannot rise.

Source: Olsson et al. 2018, "Skill rating for generative models", section 3.
"""

from typing import TYPE_CHECKING

import numpy as np

from agon.data.points import Toy
from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.judging import judged
from agon.diagnosis.overfitting import scores
from agon.diagnosis.remedies import GENTLE_CRITIC, R1, UNROLL
from agon.diagnosis.view import RunView
from agon.samples.making import load
from agon.training import Training

if TYPE_CHECKING:
    from agon.arena.skills.skill import Skill

STEPS, FEWEST, N = 8, 6, 200
RISE, UNSURE, FAR = 0.5, 0.4, 0.1


def examine(view: RunView) -> Examination:
    """See where the skill goes."""
    training, held = view.live, view.held_out
    if isinstance(training, str):
        return unseen(training)
    if not scores(training.game) or len(view.run.past) < FEWEST:
        return unseen(f"it needs a critic, and {FEWEST} snapshots: --snapshots 20 keeps some over the next training")
    if isinstance(held, str) and not isinstance(view.data, Toy):
        return unseen(held)
    from agon.arena.skills.skill import read_skill

    skill = read_skill(view.run) or tournament(view)
    if len(skill.steps) < FEWEST:
        return unseen(f"it needs {FEWEST} snapshots that can meet, and there are {len(skill.steps)}")
    trend, distance = skill.trend(), judged(view)
    evidence = {
        "rise": trend.whole.value,
        "error": trend.whole.half,
        "late": trend.late.value,
        "late error": trend.late.half,
    }
    evidence |= {"unexplained": skill.ratings.unexplained, "snapshots": float(len(skill.steps))}
    flat = trend.course == "flat" and trend.whole.value + trend.whole.half < RISE
    if not flat or skill.ratings.unexplained > UNSURE or distance is None or distance < FAR:
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="no-progress",
        severity="serious",
        since_step=skill.steps[0],
        evidence=evidence,
        sentence=(
            f"{trend.sentence('the skill of the generator')[:-1]}; and its samples are far from the real ones (energy "
            f"distance {distance:.2g})"
        ),
        remedies=(UNROLL, R1, GENTLE_CRITIC),
    )
    return Examination(findings=(finding,), evidence=evidence)


def tournament(view: RunView) -> "Skill":
    """Let a few snapshots of the run meet; nothing is written.

    Raises:
        DataError: the critic judges by labels, or there are too few test samples.
    """
    from agon.arena.ratings.rating import rate
    from agon.arena.skills.past import field_of, meet
    from agon.arena.skills.skill import Skill
    from agon.metrics.gam.critic import DEFAULT

    past = view.run.past
    steps = [past[round(i)] for i in np.linspace(0, len(past) - 1, min(STEPS, len(past)))]

    def at(step: int) -> Training:
        return load(view.run, trust=view.trust, experiment=view.experiment, step=step)

    matrix, left_out = meet(steps, at, field_of(view.run, at(steps[-1]), N, 0, DEFAULT))
    kept = tuple(step for step in steps if step not in left_out)
    return Skill(steps=kept, matrix=matrix, ratings=rate(matrix, 0), left_out=left_out)
