"""Collapse: different latents give samples that are alike, or modes of the data are missing.

**Statistic.** ratio = E|x - x'| / E|y - y'|, the mean distance of two samples over that of two real ones, at each look;
and on a mixture of m Gaussians, the modes that are the nearest one of at least a tenth of their fair share of all
samples, good or not: a mode without even bad samples is missing.

**Normal.** Two halves of the real samples have a ratio of 1 within a few percent, and lack no mode: with n samples, a
mode's share of n / m has a standard deviation of √(n / m), so that a tenth of it is at least four deviations away where
n >= 20 m, and modes are judged only there.

**Thresholds.** Under `TOTAL` = 0.15 the samples are alike: the eight modes of a ring have a ratio of 1, two neighbours
0.3, and one 0.014. Under `PARTIAL` = 0.5 they are of few kinds. A ratio that still grows is that of a generator that
has not finished spreading, and is not reported; nor is one that never changed by a factor of `OTHER` = 1.5, of samples
that have not left their first place by `LEFT` = 0.1 of the data's size: that generator has not begun. Modes are judged
where the energy distance from the real samples is under `BEYOND` = 1.2: a cloud on one mode has 1, and one beyond the
data more. A generator that rotates is reported by `rotation` alone.
"""

import numpy as np

from agon.data.points import Mixture
from agon.diagnosis.finding import Examination, Finding, unseen
from agon.diagnosis.geometry import Samples, energy, remembered, spread
from agon.diagnosis.remedies import R1, UNROLL
from agon.diagnosis.rotation import rotates
from agon.diagnosis.view import RunView

TOTAL, PARTIAL, BEYOND = 0.15, 0.5, 1.2
LEFT, OTHER = 0.1, 1.5
LOOKS = 3  # the fewest
GROWS = 1.2  # the least growth over the second half of the looks that counts as spreading
SHARE = 0.1  # of a mode's fair part
FEWEST = 20  # samples for each mode
IGNORED = 1e-3  # the largest ratio at any look of a generator that never used its latents


def examine(view: RunView) -> Examination:
    """Look for samples that are alike, and for missing modes."""
    if view.shown is None or len(view.shown[0]) < LOOKS:
        return unseen(f"it needs real samples and {LOOKS} snapshots after step 0")
    trained, real = view.shown
    unit = spread(real)
    ratios = np.array([spread(samples) / unit for samples in trained.values()])
    evidence = {"ratio": float(np.median(ratios[-3:])), "looks": float(len(ratios))}
    known = view.mixture is not None and len(real) >= FEWEST * len(view.mixture.modes)
    if view.mixture is not None and known and energy(list(trained.values())[-1], real) < BEYOND:
        held = [modes_held(samples, view.mixture) for samples in trained.values()]
        evidence |= {"modes": float(np.median(held[-3:])), "of": float(len(view.mixture.modes))}
    if ratios.max() < IGNORED or rotates(view) or not _begun(view, ratios):
        return Examination(evidence=evidence)
    return Examination(findings=_findings(view, evidence, ratios), evidence=evidence)


@remembered
def modes_held(samples: Samples, mixture: Mixture) -> int:
    """The number of modes that are the nearest one of at least `SHARE` of their fair part of the samples."""
    centres = mixture.modes.double().numpy()
    nearest = ((samples[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(centres))
    return int((counts >= SHARE * len(samples) / len(centres)).sum())


def _findings(view: RunView, evidence: dict[str, float], ratios: np.ndarray) -> tuple[Finding, ...]:
    ratio, modes, of = evidence["ratio"], evidence.get("modes"), evidence.get("of")
    grows = len(ratios) > 3 and ratio > GROWS * float(np.median(ratios[: len(ratios) // 2]))
    total = ratio < TOTAL or (modes == 1 and ratio < PARTIAL)
    few = ratio < PARTIAL or (modes is not None and of is not None and modes < of)
    if not few or (grows and modes is None) or (grows and ratio < TOTAL):
        return ()
    share = f"the mean distance of two samples is {ratio:.2g} of that of two real ones"
    lost = "" if modes is None or of is None else f"; {of - modes:g} of {of:g} modes have no samples near them"
    finding = Finding(
        sickness="collapse" if total else "partial-collapse",
        severity="fatal" if total else "serious",
        since_step=_since(view, ratios, TOTAL if total else PARTIAL),
        evidence=evidence,
        sentence=f"{'the samples are all alike' if total else 'the samples are of few kinds'}: {share}{lost}",
        remedies=(UNROLL, R1),
    )
    return (finding,)


def _begun(view: RunView, ratios: np.ndarray) -> bool:
    """Whether the samples have spread or drawn together once, or have left their first place."""
    assert view.shown is not None
    looks, unit = list(view.samples.values()), spread(view.shown[1])
    moved = float(np.linalg.norm(looks[-1].mean(axis=0) - looks[0].mean(axis=0)))
    all_ratios = [*ratios, spread(looks[0]) / unit]
    return moved > LEFT * unit or max(all_ratios) > OTHER * min(all_ratios)


def _since(view: RunView, ratios: np.ndarray, most: float) -> int | None:
    """The first look from which all ratios are small."""
    assert view.shown is not None
    steps = list(view.shown[0])
    above = np.flatnonzero(ratios >= most)
    first = 0 if not len(above) else int(above[-1]) + 1
    return steps[first] if first < len(steps) else None
