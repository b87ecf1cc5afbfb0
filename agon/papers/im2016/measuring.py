"""Scores of runs: battles, memorisation, samples, and canvases after each time step."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.arena import BattleResult, BattleSettings, battle
from agon.data import Source
from agon.data.source import as_bytes
from agon.evaluation import ExtractorSpec, evaluate
from agon.experiment import Experiment
from agon.games import Adversarial
from agon.metrics import Score
from agon.metrics.distances import distance_ratio
from agon.metrics.gam.critic import Statistics
from agon.metrics.gam.scores import battle_ratios, battle_won, critic_errors
from agon.metrics.memorisation import copied_share, exact_copies, held_out_memorisation
from agon.metrics.pixels import canvas_change, canvas_changes, detail, relative_detail
from agon.networks import gran
from agon.papers.classified import classifier_score
from agon.papers.item import Measure, Rows, Scores
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import latents, load, sample
from agon.samples.reading import real_samples

FOUGHT = {"smoke": 60, "quick": 5_000, "paper": 10_000}  # samples of each run in a battle; at most as many test images
SEARCHED = {"smoke": 60, "quick": 2_000, "paper": 10_000}  # samples whose neighbours are sought
LABELLED = {"smoke": 60, "quick": 10_000, "paper": 10_000}  # samples scored on sets with classes
OTHERS = {"smoke": 60, "quick": 2_000, "paper": 5_000}  # samples scored on sets without
PAINTED = {"smoke": 20, "quick": 2_000, "paper": 10_000}  # samples whose canvases are measured
UNLABELLED = 64  # pixels of a side; the paper's sets of this size or larger have no classes
CHUNK = 250  # samples that are painted at a time
SEED = 0  # seed of their latents


def battle_rows(pairs: Mapping[str, tuple[str, str]]) -> Measure:
    """Make a `Measure` in which each row is the battle of two trainings' runs."""

    def measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
        return {row: battle_scores(runs[first], runs[second], scale) for row, (first, second) in pairs.items()}

    return measure


def critic_rows(pairs: Mapping[str, tuple[str, str]]) -> Measure:
    """Make a `Measure` in which each row scores a first training's critic on a second training's samples."""

    def measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
        return {row: critic_scores(runs[critic], runs[other], scale) for row, (critic, other) in pairs.items()}

    return measure


def battle_scores(first: Run, second: Run, scale: Scale) -> Scores:
    """Scores of the battle of two runs, with re-estimated statistics and with each batch's own."""
    reestimated, by_batch = (_battle(first, second, scale, statistics) for statistics in ("reestimated", "batch"))
    assert reestimated.mutual is not None  # both have critics
    assert by_batch.mutual is not None
    batch_ratios = [replace(score, name=f"{score.name}-batch") for score in battle_ratios(by_batch.mutual)]
    return [*battle_ratios(reestimated.mutual), battle_won(reestimated.mutual), *batch_ratios]


def critic_scores(critic: Run, other: Run, scale: Scale) -> Scores:
    """A GRAN's critic's errors on the other run's samples, on its own generator's samples, and on real test images."""
    reestimated, by_batch = (
        _battle(critic, other, scale, statistics).scores[0] for statistics in ("reestimated", "batch")
    )
    return [reestimated, *critic_errors(reestimated), replace(by_batch, name="error-batch")]


def _battle(first: Run, second: Run, scale: Scale, statistics: Statistics) -> BattleResult:
    return battle(first, second, settings=BattleSettings(n=FOUGHT[scale], statistics=statistics))


def memorisation(run: Run, scale: Scale) -> Score:
    """The share of samples that are nearer to a training image than to a held-out one."""
    (score,) = evaluate(run, metrics=["neighbours"], n=SEARCHED[scale])
    return score


def copy_scores(run: Run, scale: Scale) -> Scores:
    """Memorisation by samples and by held-out images, and the share of copies that follows from them."""
    score = memorisation(run, scale)
    held_out = held_out_memorisation(score)
    return [score, held_out, copied_share(score, held_out.value), exact_copies(score)]


def sample_scores(run: Run, scale: Scale) -> Scores:
    """Scores by the set's own classifier, or by pixels if the set has no classes; and distances."""
    labelled = Experiment.from_json(run.experiment).data.shape[1] < UNLABELLED
    n = (LABELLED if labelled else OTHERS)[scale]
    metrics, extractor = (["classifier", "is"], "classifier") if labelled else (["prdc"], "pixels")
    scores = evaluate(run, metrics=[*metrics, "pairwise"], n=n, extractor=ExtractorSpec(extractor))
    return [*scores, sample_distance(run, n)]


def sample_distance(run: Run, n: int) -> Score:
    """The mean distance between n samples relative to that between n training images; n is even, at least 4."""
    training = load(run)
    source = training.experiment.data
    return distance_ratio(as_bytes(sample(training, n), source), real_samples(source, n))


@torch.no_grad()
def canvases(run: Run, n: int) -> UInt8[Tensor, "t n c h w"]:
    """Paint n latents with a run's last checkpoint, and return the canvas after each time step as bytes."""
    training = load(run)
    game = training.game
    assert isinstance(game, Adversarial)
    assert isinstance(game.generator, gran.Generator)
    parts = []
    with training.painting():
        for part in torch.split(latents(training, n, SEED), CHUNK):
            painted = game.generator.canvases(part.to(training.device)).unbind(1)  # n c h w, t times
            parts.append(torch.stack([as_bytes(images.cpu(), training.experiment.data) for images in painted]))
    return torch.cat(parts, dim=1)


def step_row(label: str, first: int, last: int | None = None) -> str:
    """The label of the row of one time step of a training, or of several."""
    return f"{label}, step {first}" if last is None else f"{label}, steps {first} to {last}"


def step_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each time step of each training, and one for all steps after the first, which starts from nothing."""
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        source = Experiment.from_json(run.experiment).data
        painted = canvases(run, PAINTED[scale])
        changes = canvas_changes(painted)
        real = float(detail(real_samples(source, PAINTED[scale])).mean())
        for step, images in enumerate(painted):
            rows[step_row(label, step + 1)] = [
                canvas_change(changes[step]),
                relative_detail(images, real),
                *class_scores(images, source),
            ]
        rows[step_row(label, 2, len(painted))] = [canvas_change(changes[1:].mean(0))]
    return rows


def class_scores(images: UInt8[Tensor, "n c h w"], source: Source) -> Scores:
    """The score by the set's own classifier; none for a set without classes."""
    if source.shape[1] >= UNLABELLED:
        return []
    return classifier_score(images, source)
