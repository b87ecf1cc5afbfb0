"""An ignored latent: the samples do not depend on z, or on the part of it that comes at some time steps.

**Statistic.** E|G(z) - G(z')|, with labels kept, over the real samples' mean distance. For a latent of several time
steps (GRAN), E|G(z) - G(z with another z_t)| over E|G(z) - G(z')| for each t.

**Normal.** About 1 for a generator that covers the data; of T parts with equal effects each has √(1 / T).

**Thresholds.** Under `NOTHING` = 1e-3 at the last checkpoint and at all looks, the generator never used its latents: a
collapse is something that it comes to, and keeps a small dependence. A part under `PART` = 0.01 is not heard.
"""

from dataclasses import dataclass

import numpy as np
import torch

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.geometry import Samples, spread
from agon.diagnosis.painting import latents, painted
from agon.diagnosis.view import RunView

NOTHING, PART, N = 1e-3, 0.01, 64


def examine(view: RunView) -> Examination:
    """Look for latents that do not matter."""
    training = view.average
    if isinstance(training, str):
        return unseen(training)
    if view.real is None or not training.game.generating_players:
        return unseen("it needs real samples and a game that generates")
    z, labels = latents(training, N)
    other = training.experiment.latent.sample(len(z), training.game.latent_shape, torch.Generator().manual_seed(0))
    samples = painted(view, training, z, labels)
    whole = _moved(samples, painted(view, training, other, labels))
    use = Use(whole / spread(view.real), [])
    if z.ndim == 3 and whole:
        for t in range(z.shape[1]):
            mixed = z.clone()
            mixed[:, t] = other[:, t]
            use.parts.append(_moved(samples, painted(view, training, mixed, labels)) / whole)
    evidence = {"whole": use.whole, **{f"time step {t}": value for t, value in enumerate(use.parts)}}
    seen = [spread(x) / spread(view.real) for x in view.samples.values()]
    if max([use.whole, *seen]) < NOTHING:
        return Examination(findings=(_ignored(use.whole, evidence),), evidence=evidence)
    deaf = [t for t, value in enumerate(use.parts) if value < PART]
    return Examination(findings=(_deaf(deaf, evidence),) if deaf else (), evidence=evidence)


@dataclass(frozen=True)
class Use:
    """How far the whole latent, and each of its time steps, moves the samples."""

    whole: float
    parts: list[float]


def _moved(x: Samples, y: Samples) -> float:
    return float(np.sqrt(((x - y) ** 2).sum(axis=1)).mean())


def _ignored(whole: float, evidence: dict[str, float]) -> Finding:
    return Finding(
        sickness="ignored-latent",
        severity="fatal",
        since_step=0,
        evidence=evidence,
        sentence=f"the generator ignores its latent: another z moves samples by {whole:.2g} of the data's size",
        remedies=(Remedy("look for a layer of the generator whose units are dead, or whose weights are zero", "", ""),),
    )


def _deaf(steps: list[int], evidence: dict[str, float]) -> Finding:
    which = ", ".join(map(str, steps))
    return Finding(
        sickness="ignored-latent",
        severity="notice",
        since_step=None,
        evidence=evidence,
        sentence=f"the generator ignores its latent at step {which} in time: another one moves samples by under 1 %",
        remedies=(
            Remedy("take fewer time steps", "--set game.generator.steps=1", "im2016, table 1, compares 3 with 5"),
        ),
    )
