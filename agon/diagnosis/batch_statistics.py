"""Batch statistics: in evaluation mode, with running statistics, the generator makes other samples than in training.

**Statistic.** The root mean square change of a sample between the two modes, over the root mean square distance of
samples from their mean in training mode; and both modes' energy distances from the real samples.

**Normal.** Samples in training mode depend on the other samples of their batch, so that the change is not 0: up to
0.3 in the healthy runs of the hospital, and up to 0.59 in nine GRANs of im2016, with distances that differ by 0.08 at
the most.

**Thresholds.** A change over `OTHER` = 0.7 of the difference between two samples; samples that are all alike in
evaluation mode alone have about 0.9. It counts where the samples of evaluation mode are also further from the real
ones, by more than `BY` = 0.1. Where they are `FAR` = 0.3 from them, and in training mode less than half of that, it is
fatal: the training may be good, and no sample of it is.
"""

import numpy as np
from torch.nn.modules.batchnorm import _BatchNorm

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.geometry import energy
from agon.diagnosis.painting import in_training_mode, latents, painted
from agon.diagnosis.view import RunView
from agon.training import Training

OTHER, BY, FAR = 0.7, 0.1, 0.3
RESTATED = Remedy(
    "sample from averaged weights, whose statistics are estimated anew",
    '--set averaging=\'{"type": "averaging", "decay": 0.99}\'',
    "Izmailov et al. 2018, section 3.2",
)
LARGER = Remedy(
    "take larger batches, whose statistics differ less", "--set batch=64", "Ioffe and Szegedy 2015", direction=1
)


def examine(view: RunView) -> Examination:
    """Compare the generator's two modes."""
    training = view.average
    if isinstance(training, str):
        return unseen(training)
    if view.real is None or not normalises(training):
        return unseen("it needs real samples and a generator with batch normalisation")
    z, labels = latents(training, max(2, min(256, training.experiment.batch)))
    evaluated, trained = painted(view, training, z, labels), in_training_mode(view, training, z, labels)
    change = np.sqrt(((evaluated - trained) ** 2).sum(axis=1).mean() / max(_variance(trained), 1e-300))
    evidence = {
        "change": float(change),
        "evaluation": energy(evaluated, view.real),
        "training": energy(trained, view.real),
    }
    if change < OTHER or evidence["evaluation"] < evidence["training"] + BY:
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="batch-statistics",
        severity="fatal" if evidence["evaluation"] > max(FAR, 2 * evidence["training"]) else "serious",
        since_step=None,
        evidence=evidence,
        sentence=(
            f"batch normalisation has other statistics in evaluation mode, in which samples are made: they are changed "
            f"by {change:.2g} times their own variety, and are {evidence['evaluation']:.2g} from the real ones instead "
            f"of {evidence['training']:.2g} (energy distance)"
        ),
        remedies=(RESTATED, LARGER),
    )
    return Examination(findings=(finding,), evidence=evidence)


def normalises(training: Training) -> bool:
    """Whether a network of a generating player has batch normalisation with running statistics."""
    players = training.game.generating_players
    names = {module for player in players for module in training.game.players[player]}
    modules = [module for name in names for module in training.game.get_submodule(name).modules()]
    return any(isinstance(module, _BatchNorm) and module.track_running_stats for module in modules)


def _variance(samples: np.ndarray) -> float:
    return float(((samples - samples.mean(axis=0)) ** 2).sum(axis=1).mean())
