"""Scores of runs: how near a generator comes to a Gaussian, and what its digits look like."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.data import Gaussian, Images
from agon.evaluation import evaluate, measured
from agon.experiment import Experiment
from agon.metrics import Score, jensen_shannon, support
from agon.metrics.classes import recognised
from agon.metrics.courses import epoch_seconds, epoch_time, epoch_time_ratio
from agon.metrics.intervals import mean_of_scores
from agon.metrics.optimal_critic import distance_from_half
from agon.metrics.pixels import roughness, saturation
from agon.metrics.width import mean_and_width
from agon.papers.item import Rows, Scores
from agon.papers.tabak2016.panels import ALL, DATA, DIGIT, DIGITS, ONE, TWO, VECTORS
from agon.recipes.scales import Scale
from agon.runs import Run, checkpoints, point_snapshots, read
from agon.samples.making import load, sample
from agon.samples.reading import as_compared, real_samples
from agon.training import Training, restore

POINTS = {"smoke": 200, "quick": 10_000, "paper": 10_000}  # samples of each generator of a Gaussian
IMAGES = {"smoke": 100, "quick": 2_000, "paper": 10_000}  # samples of each generator of digits
OTHER = 1_000  # seeds of real samples that no row of real samples has
OF_A_MODE = ("jensen-shannon", "critic-gap")  # the scores of the metric "modes" that make sense for a single mode


def gaussian_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for every training, and a row of as many real samples under it."""
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        source, training = gaussian(run), load(run)
        fake = sample(training, POINTS[scale])
        real = source.take(len(fake), seed=training.experiment.seed).real
        mode = [score for score in evaluate(run, metrics=["modes"], n=len(fake)) if score.name in OF_A_MODE]
        rows[label] = [*mean_and_width(fake, source.std), *mode, _from_half(training, real, fake)]
        divergence = jensen_shannon(real, source.log_density, support(real))
        rows[real_row(label)] = [*mean_and_width(real, source.std), divergence]
    return rows


def gaussian_control(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """The same rows with other real samples in the place of generated ones; no critic has seen them."""
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        source, seed = gaussian(run), Experiment.from_json(run.experiment).seed
        for row, drawn in ((label, OTHER + seed), (real_row(label), seed)):
            points = source.take(POINTS[scale], seed=drawn).real
            divergence = jensen_shannon(points, source.log_density, support(points))
            rows[row] = [*mean_and_width(points, source.std), divergence]
    return rows


def real_row(label: str) -> str:
    """The label of the row of real samples under a training's row."""
    return f"{label}: real samples"


def gaussian(run: Run) -> Gaussian:
    """The Gaussian that a run of figure 2 was trained on."""
    source = Experiment.from_json(run.experiment).data
    assert isinstance(source, Gaussian)  # the recipes have no other
    return source


def width_over_time(run: Run) -> Mapping[int, Scores]:
    """Step -> the mean and the width of the kept points."""
    return {step: mean_and_width(points, gaussian(run).std) for step, points in point_snapshots(run).items()}


def _from_half(training: Training, real: Tensor, fake: Tensor) -> Score:
    return distance_from_half(probabilities(training, torch.cat([real, fake])), n=len(fake), n_real=len(real))


@torch.no_grad()
def probabilities(training: Training, x: Float[Tensor, "n 1"]) -> Float[Tensor, " n"]:
    """The critic's output D(x) as a probability."""
    logits = training.game.realness(x.to(next(training.game.parameters())))
    assert logits is not None  # the recipes have a critic
    return logits.double().cpu().sigmoid()


def digit_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each training, one for the mean of all digits, and one for real images."""
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        training = load(run)
        rows[label] = [_recognised(training, run, scale), *contrast(_images(training, IMAGES[scale]))]
    rows[ALL] = [mean_of_scores([rows[f"(a) {digit}"][0] for digit in DIGITS])]
    source = Experiment.from_json(runs[f"(a) {DIGIT}"].experiment).data
    rows[DATA] = contrast(real_samples(source, IMAGES[scale]))
    return rows


def _images(training: Training, n: int) -> UInt8[Tensor, "n c h w"]:
    return as_compared(sample(training, n), training.experiment.data)


def _recognised(training: Training, run: Run, scale: Scale) -> Score:
    """The share of samples that the classifier of all digits takes for the digit that the generator was trained on."""
    source = training.experiment.data
    assert isinstance(source, Images)
    assert isinstance(source.only, int)  # of one digit
    classes, *_ = measured(training, run, metrics=["classifier"], n=IMAGES[scale])
    return recognised(classes, source.only)


def contrast(images: UInt8[Tensor, "n c h w"]) -> Scores:
    """Contrast, and the amount of edges and noise."""
    return [saturation(images), roughness(images)]


def epoch_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """The DCGAN after each epoch, and the ten perceptrons as one generator of all digits."""
    convolutional, *perceptrons = runs.values()
    seconds = [_epoch_seconds(run) for run in perceptrons]
    of_perceptrons = sum(seconds) / len(seconds)
    of_dcgan = _epoch_seconds(convolutional)
    first, second = (_confidence(after_epochs(convolutional, k), convolutional, scale) for k in (1, 2))
    all_digits = mean_of_scores([_confidence(load(run), run, scale) for run in perceptrons])
    return {
        ONE: [first],
        TWO: [second, epoch_time(of_dcgan), epoch_time_ratio(of_dcgan, of_perceptrons)],
        VECTORS: [all_digits, epoch_time(of_perceptrons)],
    }


def after_epochs(run: Run, epochs: int) -> Training:
    """Restore the training as it was after `epochs` epochs; each epoch has a checkpoint, a run at step 0 only that."""
    training = load(run)
    step = min(epochs * training.experiment.checkpoint_every, training.step)
    restore(training, checkpoints.load(run.checkpoints / f"{step:08d}"))
    return training


def _confidence(training: Training, run: Run, scale: Scale) -> Score:
    scores = measured(training, run, metrics=["classifier"], n=IMAGES[scale])
    return next(score for score in scores if score.name == "confidence")


def _epoch_seconds(run: Run) -> float:
    count = Experiment.from_json(run.experiment).data.count()
    assert count is not None  # MNIST and the bundled digits have one
    return epoch_seconds(count, [record["wall/images_per_second"] for record in read(run.log)])
