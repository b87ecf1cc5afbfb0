"""Scores of runs: battles, copies of training images, and samples."""

import math
from collections.abc import Container, Mapping
from dataclasses import replace
from functools import lru_cache

import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor

from agon.arena import BattleResult, BattleSettings, battle
from agon.data import Source
from agon.data.source import as_bytes
from agon.evaluation import ExtractorSpec, evaluate
from agon.evaluation.evidence import ALL
from agon.experiment import Experiment
from agon.metrics import Battle, Score
from agon.metrics.distances import alike_share, distance_gain, distance_ratio
from agon.metrics.gam.critic import Statistics
from agon.metrics.gam.scores import battle_ratios, battle_won, critic_errors, training_scores
from agon.metrics.memorisation import Partition, copied_share, exact_copies, held_out_memorisation
from agon.metrics.pixels import at_equal_contrast
from agon.papers.item import Measure, Rows, Scores
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import load, sample, untrained
from agon.samples.reading import real_samples
from agon.training import Training
from agon.training.randomness import stream

FOUGHT = {"smoke": 60, "quick": 5_000, "paper": 10_000}  # samples of each run in a battle; at most as many test images
SEARCHED = {"smoke": 60, "quick": 2_000, "paper": 10_000}  # samples whose neighbours are sought
LABELLED = {"smoke": 60, "quick": 10_000, "paper": 10_000}  # samples scored on sets with classes
OTHERS = {"smoke": 60, "quick": 2_000, "paper": 5_000}  # samples scored on sets without
UNLABELLED = 64  # pixels of a side; the paper's sets of this size or larger have no classes
COPYING, HELD_OUT = ", 1 in 10 a copy", "held-out images"  # the rows of controls; the first follows a label
UNTRAINED = ", untrained"  # the rows of a network before its first update; follows a label
PERTURBED = 4  # levels of 255
SEED = 0  # of the copies
Pair = tuple[str, str]  # labels of the first and the second training of a row


def battle_rows(pairs: Mapping[str, Pair]) -> Measure:
    """Make a `Measure` in which each row is the battle of two trainings' runs."""

    def measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
        return {
            row: battle_scores(runs[first], runs[second], scale) for row, (first, second) in there(pairs, runs).items()
        }

    return measure


def critic_rows(pairs: Mapping[str, Pair]) -> Measure:
    """Make a `Measure` in which each row scores a first training's critic on a second training's samples."""

    def measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
        return {
            row: critic_scores(runs[critic], runs[other], scale) for row, (critic, other) in there(pairs, runs).items()
        }

    return measure


def there(pairs: Mapping[str, Pair], runs: Container[str]) -> dict[str, Pair]:
    """The pairs whose trainings are both there; of an item that is restricted to some rows, not all are."""
    return {row: pair for row, pair in pairs.items() if pair[0] in runs and pair[1] in runs}


def battle_scores(first: Run, second: Run, scale: Scale) -> Scores:
    """Scores of the battle of two runs, with re-estimated statistics and with each batch's own."""
    reestimated, by_batch = (fought(first, second, scale, statistics) for statistics in ("reestimated", "batch"))
    batch_ratios = [replace(score, name=f"{score.name}-batch") for score in battle_ratios(by_batch)]
    return [*battle_ratios(reestimated), battle_won(reestimated), *batch_ratios, *training_scores(reestimated)]


def fought(first: Run, second: Run, scale: Scale, statistics: Statistics) -> Battle:
    """The battle of two runs with critics."""
    mutual = _battle(first, second, scale, statistics).mutual
    assert mutual is not None  # both have critics
    return mutual


def critic_scores(critic: Run, other: Run, scale: Scale) -> Scores:
    """A GRAN's critic's errors on the other run's samples, on its own generator's samples, and on real test images."""
    reestimated, by_batch = (
        _battle(critic, other, scale, statistics).scores[0] for statistics in ("reestimated", "batch")
    )
    return [reestimated, *critic_errors(reestimated), replace(by_batch, name="error-batch")]


def _battle(first: Run, second: Run, scale: Scale, statistics: Statistics) -> BattleResult:
    return battle(first, second, settings=BattleSettings(n=FOUGHT[scale], statistics=statistics))


@lru_cache(maxsize=1)
def partition(source: Source) -> Partition:
    """The training images of a source, and those that were kept out of training."""
    return Partition(real_samples(source, ALL), real_samples(source, ALL, split=source.held_out))


def copy_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each training's samples, one for some copies among them, and one for real images.

    "ROW, 1 in 10 a copy" has training images in the place of a tenth of the samples: what must be caught. "held-out
    images" has the second half of them in the place of samples, and the first held out.
    """
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        training = load(run)
        source = training.experiment.data
        samples, of_set = as_bytes(sample(training, SEARCHED[scale]), source), partition(source)
        rows[label] = copy_scores(of_set.memorisation(samples))
        rows[label + COPYING] = copy_scores(of_set.memorisation(with_copies(samples, of_set.train)))
        rows[HELD_OUT] = copy_scores(_of_held_out(source))
    return rows


@lru_cache(maxsize=1)
def _of_held_out(source: Source) -> Score:
    of_set = partition(source)
    first, second = of_set.held.tensor_split(2)
    return Partition(of_set.train, first).memorisation(second)


def with_copies(samples: UInt8[Tensor, "n c h w"], train: Shaped[Tensor, "m ..."]) -> UInt8[Tensor, "n c h w"]:
    """The samples with training images, each pixel changed by up to `PERTURBED` levels, in the place of a tenth."""
    count, rng = math.ceil(len(samples) / 10), stream(SEED, "copies")
    chosen = torch.randperm(len(train), generator=rng)[:count]
    noise = torch.randint(-PERTURBED, PERTURBED + 1, samples[:count].shape, generator=rng)
    copies = train[chosen].reshape(-1, *samples.shape[1:])[torch.arange(count) % len(chosen)]
    return torch.cat([(copies.long() + noise).clamp(0, 255).byte(), samples[count:]])


def copy_scores(score: Score) -> Scores:
    """Memorisation by samples and by held-out images, and the share of copies that follows from them."""
    held_out = held_out_memorisation(score)
    return [score, held_out, copied_share(score, held_out), exact_copies(score)]


def sample_scores(run: Run, scale: Scale) -> Scores:
    """Scores by the set's own classifier, or by pixels if the set has no classes; and distances."""
    labelled = Experiment.from_json(run.experiment).data.shape[1] < UNLABELLED
    n = (LABELLED if labelled else OTHERS)[scale]
    metrics, extractor = (["classifier", "is"], "classifier") if labelled else (["prdc"], "pixels")
    scores = evaluate(run, metrics=[*metrics, "pairwise"], n=n, extractor=ExtractorSpec(extractor))
    return [*scores, sample_distance(load(run), n)]


def noise_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """Scores of two trainings' samples, and how far apart they are, also before both networks' first update."""
    rows: dict[str, Scores] = {label: sample_scores(run, scale) for label, run in runs.items()}
    n = OTHERS[scale]
    for suffix, opened in (("", load), (UNTRAINED, at_first)):
        trainings = {label: opened(run) for label, run in runs.items()}
        distances = {label: sample_distance(training, n) for label, training in trainings.items()}
        for label, training in trainings.items():
            rows[label + suffix] = [*rows.get(label + suffix, [distances[label]]), sample_twins(training, n)]
        rows[pair_row(*runs) + suffix] = [distance_gain(*distances.values())]
    return rows


def at_first(run: Run) -> Training:
    """The training of a run before its first update: the run itself if it has made none."""
    training = load(run)
    return untrained(run) if training.step else training


def sample_distance(training: Training, n: int) -> Score:
    """The mean distance between n samples relative to that between n training images; n is even, at least 4."""
    source = training.experiment.data
    return distance_ratio(as_bytes(sample(training, n), source), real_samples(source, n))


def sample_twins(training: Training, n: int) -> Score:
    """The share of n samples that are very alike to another of them, at equal contrast."""
    source = training.experiment.data
    sides = (as_bytes(sample(training, n), source), real_samples(source, n))
    score = alike_share(*(at_equal_contrast(images.float() / 255, 0.0, 1.0) for images in sides))
    return replace(score, protocol=f"{score.protocol}; both at equal contrast")


def pair_row(first: str, second: str) -> str:
    """The label of the row that compares two trainings."""
    return f"{first} beside {second}"
