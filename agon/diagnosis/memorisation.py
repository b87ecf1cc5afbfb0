"""Memorisation: generated samples are copies of training images, or nearly so.

**Statistic.** The share of copies that explains how often a sample is nearer to a training image than to any held-out
one, beside held-out images in its place: `agon.metrics.copied_share`, with its interval, of `N` samples and up to as
many held-out images, and all training images.

**Normal.** 0, within its interval: a generator that has not memorised is as near to images that it was not shown.

**Threshold.** The interval's lower end is over `MOST` = 0.2: more than a fifth of the samples are copies. Only a random
part of the set is held out: a test set of another origin has other neighbours.

Source: Meehan et al. 2020, by `agon.metrics.memorisation`.
"""

from agon.data import Images
from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.overfitting import AUGMENT, DIFFAUGMENT, HOLD_OUT
from agon.diagnosis.painting import latents
from agon.diagnosis.real_data import RealData, held_out_at_random
from agon.diagnosis.view import RunView
from agon.errors import command
from agon.metrics.memorisation import copied_share, held_out_memorisation, memorisation
from agon.training import Training

N, FEWEST = 500, 30
WORK = 3e10  # most products of numbers in the search for neighbours, a few seconds
MOST = 0.2
MORE = Remedy("train on more images, or stop earlier", "", "Meehan et al. 2020")


def examine(view: RunView) -> Examination:
    """Look for copies of training images."""
    training, train = view.average, view.trained_on
    if isinstance(training, str) or isinstance(train, str):
        return unseen(training if isinstance(training, str) else str(train))
    if not isinstance(view.data, Images) or not training.game.generating_players:
        return unseen("it needs images and a game that generates")
    if not held_out_at_random(view.data):
        return unseen(HOLD_OUT)
    held = view.held_out
    if isinstance(held, str) or held.count < FEWEST:
        return unseen(
            held if isinstance(held, str) else f"it needs {FEWEST} held-out images, and there are {held.count}"
        )
    size = train.opened.draw(1, 0, 0, 1).real.numel()
    if 2 * N * train.count * size > WORK:
        search = f"{command('evaluate', view.run.path)} --metrics neighbours"
        return unseen(f"a search among {train.count:,} training images takes longer; {search} makes it")
    return _searched(view, training, train, held)


def _searched(view: RunView, training: Training, train: RealData, held: RealData) -> Examination:
    z, labels = latents(training, N)
    fake = training.samples(z, labels)
    found = memorisation(fake, train.first(train.count).real.cpu(), held.first(N).real.cpu())
    copied = copied_share(found, held_out_memorisation(found))
    assert copied.interval is not None
    low, high = copied.interval
    evidence = {"copied": copied.value, "at least": low, "at most": high, "exact": float(found.detail["copies"])}
    evidence |= {"nearer": found.value, "held out": float(found.detail["held"])}
    if low <= MOST:
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="memorisation",
        severity="serious",
        since_step=None,
        evidence=evidence,
        sentence=(
            f"the samples copy training images: as if {copied.value:.0%} of them did ({low:.0%} to {high:.0%}), for "
            f"{found.value:.0%} are nearer to a training image than to a held-out one, and of held-out images "
            f"{found.detail['held']:.0%}"
        ),
        remedies=(MORE, DIFFAUGMENT, AUGMENT),
    )
    return Examination(findings=(finding,), evidence=evidence)
