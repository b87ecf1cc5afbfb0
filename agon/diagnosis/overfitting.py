"""An overfitting critic: it knows the training samples by heart, and takes held-out ones for less real.

**Statistic.** r = (E D(train) - E D(held out)) / (E D(train) - E D(generated)), over up to `N` samples of each, for the
live critic in evaluation mode: which part of the way from training to generated samples the held-out ones lie. 0 if the
critic cannot tell training from held-out samples, 1 if it takes held-out ones for generated. It has no unit, and so
holds for logits of every scale, and for energies.

**Normal.** About 0, with a standard error by the delta method of the three means'. A critic of 1,617 digits comes to
0.48 in the 257 epochs of first/digits, whose samples are good and no copies: some overfitting is usual.

**Thresholds.** Over `MOST` = 0.75 the critic takes held-out samples for generated ones; it counts where r is `SURE` = 3
standard errors above it, so that small sets give no alarm by chance, and where training and generated samples differ by
as many of theirs. Only a random part of the set is held out: a test set of another origin may look less real to a good
critic.

Source: Karras et al. 2020, "Training generative adversarial networks with limited data", equation 1, r_v.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from agon.data import Images
from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.painting import latents
from agon.diagnosis.real_data import RealData, held_out_at_random
from agon.diagnosis.remedies import R1
from agon.diagnosis.view import RunView
from agon.games import Adversarial, Game
from agon.networks.layers import evaluation_mode
from agon.training import Training

N, BLOCK = 1_000, 250
FEWEST = 30  # held-out samples
MOST, SURE = 0.75, 3.0
DIFFAUGMENT = Remedy(
    "augment all that the critic sees, real and generated, which helps from the first step on",
    "--set game.augmentation=diffaugment",
    "Zhao et al. 2020, section 3",
)
AUGMENT = Remedy(
    "augment all that the critic sees as far as it overfits, in a training of hundreds of thousands of images",
    "--set game.augmentation=ada",
    "Karras et al. 2020 (ADA), section 3",
)
HOLD_OUT = "a random part of the set has to be held out: --set data.validation=0.1"


class Opinions(NamedTuple):
    """The critic's logits of training, held-out and generated samples, each "n" of float64."""

    train: Tensor
    held: Tensor
    fake: Tensor

    @property
    def ratio(self) -> float:
        """r, or 0 where the critic gives all of them one logit."""
        gap = self.gap
        return float(self.train.mean() - self.held.mean()) / gap if gap else 0.0

    @property
    def gap(self) -> float:
        """How much more real the training samples are to the critic than the generated ones."""
        return float(self.train.mean() - self.fake.mean())

    @property
    def error(self) -> float:
        """The standard error of r, by its derivatives in the three means."""
        slopes = (1 - self.ratio, 1.0, self.ratio)
        return math.sqrt(sum((a * _error(x)) ** 2 for a, x in zip(slopes, self, strict=True))) / abs(self.gap or 1.0)

    @property
    def told_apart(self) -> bool:
        """Whether training samples are surely more real to the critic than generated ones."""
        return self.gap > SURE * math.hypot(_error(self.train), _error(self.fake))


def examine(view: RunView) -> Examination:
    """Compare the critic's opinion of training and held-out samples."""
    training = view.live
    if isinstance(training, str):
        return unseen(training)
    if not scores(training.game):
        return unseen("the game has no critic, or generates nothing")
    train = view.trained_on
    if isinstance(train, str) or view.data is None:
        return unseen(str(train))
    if not held_out_at_random(view.data):
        return unseen(HOLD_OUT)
    held = view.held_out
    if isinstance(held, str) or held.count < FEWEST:
        return unseen(
            held if isinstance(held, str) else f"it needs {FEWEST} held-out samples, and there are {held.count}"
        )
    opinions = asked(training, train, held)
    evidence = {"ratio": opinions.ratio, "error": opinions.error, "gap": opinions.gap, "held out": float(held.count)}
    sure = opinions.told_apart and opinions.ratio - SURE * opinions.error > MOST
    return Examination(findings=(_finding(view, opinions, evidence),) if sure else (), evidence=evidence)


def scores(game: Game) -> bool:
    """Whether the game generates samples and scores any."""
    return bool(game.generating_players) and type(game).realness is not Game.realness


@torch.no_grad()
def asked(training: Training, train: RealData, held: RealData) -> Opinions:
    """Ask the critic about samples of each kind."""
    z, labels = latents(training, N)
    fake = training.samples(z, labels)
    batches = [train.first(N), held.first(N)]
    sets = [*((batch.real, batch.label) for batch in batches), (fake, labels)]
    with evaluation_mode(training.game):
        return Opinions(*(realness(training, x, label) for x, label in sets))


def realness(training: Training, x: Tensor, label: Tensor | None) -> Tensor:
    """How real samples are to the live critic, "n" of float64."""
    labels = [None] * len(x) if label is None else torch.split(label, BLOCK)
    parts = [_asked(training, block, of) for block, of in zip(torch.split(x, BLOCK), labels, strict=False)]
    return torch.cat([part.double().cpu() for part in parts if part is not None])


def _asked(training: Training, x: Tensor, label: Tensor | None) -> Tensor | None:
    x = x.to(training.device, training.compute.dtype)
    game = training.game
    if isinstance(game, Adversarial) and game.judged_classes and label is not None:
        return game.realness(x, label.to(training.device))
    return game.realness(x)


def _error(values: Tensor) -> float:
    return float(values.std()) / math.sqrt(len(values))


def _finding(view: RunView, opinions: Opinions, evidence: dict[str, float]) -> Finding:
    return Finding(
        sickness="overfitting-critic",
        severity="serious",
        since_step=None,
        evidence=evidence,
        sentence=(
            f"the critic knows its training samples by heart: held-out ones lie {opinions.ratio:.2f} ± "
            f"{opinions.error:.2f} of the way from training to generated ones (logits {opinions.train.mean():.3g}, "
            f"{opinions.held.mean():.3g} and {opinions.fake.mean():.3g}); 0 is right"
        ),
        remedies=(DIFFAUGMENT, AUGMENT, R1) if isinstance(view.data, Images) else (R1,),
    )
