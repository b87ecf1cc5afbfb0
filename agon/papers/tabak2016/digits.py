"""Figures 3 and 4: digits as vectors, one network a digit, and those of a DCGAN after one and two epochs.

| the report | here |
|---|---|
| figure 3: 16 samples of the digit 2 by each of three pairs; of other digits in a supplement | all ten digits by (a) |
| "all 16 images look like digit 2", "almost all": no number | the classifier takes over 0.9 for it |
| tanh "has more contrast", its values saturate: no number | pixels within 1/20 of the range of black or white |
| 4 layers are "blurry": no number | by eye: differences of neighbouring pixels rise with noise, too |
| figure 4: a DCGAN after 1 and 2 epochs; both panels are titled "2 epochs" | (a) after 1, as section 3.3 says |
| "plausible", "identifiable": no number | the classifier's mean confidence; the perceptrons' over all ten |
| section 3.3: 55 minutes against 3 seconds an epoch, of two programs on another machine | both by the runs' logs |
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.data import Images
from agon.evaluate import measured
from agon.experiment import Experiment
from agon.figures.tiles import Tiles, panels_png
from agon.metrics import Score
from agon.metrics.intervals import mean_score, wilson
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, Scores, firsts
from agon.recipes.recipe import by_name
from agon.recipes.scales import Scale
from agon.recipes.tabak2016 import RECIPES
from agon.runs import Run, checkpoints, last_images, read
from agon.runs import image_snapshots as kept_images
from agon.samples.making import load, sample
from agon.samples.reading import as_compared, real_samples
from agon.training import Training, restore

SAMPLES = {"smoke": 100, "quick": 2_000, "paper": 10_000}  # of each generator
TRAININGS = by_name(RECIPES)
DIGITS = range(10)
SHOWN = 2  # the digit of figure 3
PAIRS = {  # panel: what the generator ends in, layers of the critic, end of the recipe's name
    "(a)": ("tanh", 3, ""),
    "(b)": ("linear", 3, "-linear"),
    "(c)": ("linear", 4, "-linear-d4"),
}
ALL, DATA = "(a) all digits", f"data: {SHOWN}"
MOST = 0.9  # of the images: what "almost all" is read as
SATURATED = 255 // 20  # levels from black or white
IN_PANEL, BESIDE = 16, 64  # images of a panel of figure 3, of figure 4
ONE, TWO, VECTORS = "DCGAN, 1 epoch", "DCGAN, 2 epochs", "vectors"


def _samples(training: Training, n: int) -> UInt8[Tensor, "n c h w"]:
    return as_compared(sample(training, n), training.experiment.data)


def _measure_3(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row a training, the mean of all digits, and real images."""
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        training = load(run)
        rows[label] = [_recognised(training, run, scale), *_looks(_samples(training, SAMPLES[scale]))]
    rows[ALL] = [_mean([rows[f"(a) {digit}"][0] for digit in DIGITS])]
    source = Experiment.from_json(runs[f"(a) {SHOWN}"].experiment).data
    rows[DATA] = _looks(real_samples(source, SAMPLES[scale]))
    return rows


def _recognised(training: Training, run: Run, scale: Scale) -> Score:
    """The share of samples that the classifier of all digits takes for the one that was trained on."""
    source = training.experiment.data
    assert isinstance(source, Images)
    assert isinstance(source.only, int)  # of one digit
    classes, *_ = measured(training, run, metrics=["classifier"], n=SAMPLES[scale])
    n = classes.n
    share = classes.detail["histogram"][source.only] / n
    error = math.sqrt(share * (1 - share) / n)
    protocol = f"share taken for the digit that was trained on; {classes.protocol.partition(';')[0]}"
    return Score(name="recognised", value=share, error=error, interval=wilson(share, n), n=n, protocol=protocol)


def _looks(images: UInt8[Tensor, "n c h w"]) -> Scores:
    """Contrast, and how much of edges and noise there is."""
    extreme = ((images <= SATURATED) | (images >= 255 - SATURATED)).double()
    levels = images.double() / 255
    across, down = (levels.diff(dim=axis).abs().flatten(1) for axis in (3, 2))
    return [
        _over_images("saturated", extreme.flatten(1), "share of pixels within 1/20 of the range of black or white"),
        _over_images("roughness", torch.cat([across, down], 1), "mean difference of neighbouring pixels from 0 to 1"),
    ]


def _over_images(name: str, values: Float[Tensor, "n k"], protocol: str) -> Score:
    return mean_score(name, values.mean(1), protocol, n=len(values), bounds=(0.0, 1.0))


def _mean(scores: Sequence[Score]) -> Score:
    """Of independent scores of equal n."""
    first, count = scores[0], len(scores)
    error = math.sqrt(sum((score.error or 0.0) ** 2 for score in scores)) / count
    value = sum(score.value for score in scores) / count
    protocol = f"{first.protocol}; mean over {count} generators"
    return Score(name=first.name, value=value, error=error, n=sum(score.n for score in scores), protocol=protocol)


def _draw_3(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """The report's three panels of a digit, then the other digits as in (a)."""
    shown = firsts(runs)
    panels = {
        f"{panel} {SHOWN}: {end}, D of {depth} layers": _last(shown[f"{panel} {SHOWN}"])
        for panel, (end, depth, _) in PAIRS.items()
    }
    panels |= {f"{digit} as (a)": _last(shown[f"(a) {digit}"]) for digit in DIGITS if digit != SHOWN}
    return {".png": panels_png(panels, columns=len(PAIRS), across=math.isqrt(IN_PANEL))}


def _last(run: Run) -> Tiles:
    images = last_images(run)
    return images[:IN_PANEL]


def _measure_4(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """The DCGAN after each epoch, and the ten perceptrons as one generator of all digits."""
    convolutional, *vectors = runs.values()
    seconds = [_seconds(run) for run in vectors]
    of_vectors = sum(seconds) / len(seconds)
    of_dcgan = _seconds(convolutional)
    first, second = (_confidence(_after(convolutional, epochs), convolutional, scale) for epochs in (1, 2))
    ratio = Score(name="ratio", value=of_dcgan / of_vectors, n=1, protocol="seconds of an epoch by the perceptrons'")
    return {
        ONE: [first],
        TWO: [second, _timed(of_dcgan), ratio],
        VECTORS: [_mean([_confidence(load(run), run, scale) for run in vectors]), _timed(of_vectors)],
    }


def _after(run: Run, epochs: int) -> Training:
    """The training as it was after so many epochs, each of which has a checkpoint."""
    training = load(run)
    step = epochs * training.experiment.checkpoint_every
    restore(training, checkpoints.load(run.checkpoints / f"{step:08d}"))
    return training


def _confidence(training: Training, run: Run, scale: Scale) -> Score:
    found = measured(training, run, metrics=["classifier"], n=SAMPLES[scale])
    return next(score for score in found if score.name == "confidence")


def _seconds(run: Run) -> float:
    """Wall time of an epoch at the log's median speed: a pause of the machine is no part of it."""
    count = Experiment.from_json(run.experiment).data.count()
    assert count is not None  # of MNIST and of the bundled digits
    return count / float(median(record["wall/images_per_second"] for record in read(run.log)))


def _timed(seconds: float) -> Score:
    return Score(
        name="seconds-an-epoch",
        value=seconds,
        n=1,
        protocol="wall time by the log's median speed; an epoch of its own images",
    )


def _draw_4(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """The report's two panels, and the perceptrons' digits beside them, in turn."""
    convolutional, *vectors = firsts(runs).values()
    one, two = list(kept_images(convolutional).values())[-2:]
    each = [last_images(run) for run in vectors]
    mixed = torch.stack(each, dim=1).flatten(0, 1)  # one of each digit, then the next of each
    panels = {f"(a) {ONE}": one, f"(b) {TWO}": two, "vectors, a network a digit": mixed}
    return {".png": panels_png({title: tiles[:BESIDE] for title, tiles in panels.items()}, columns=3)}


FIGURE_3 = Item(
    name="tabak2016/figure3",
    paper="Tabak 2016, figure 3 and section 3.2",
    claim="perceptrons make images that are plainly the digit they saw; tanh gives contrast, a deeper critic blur",
    trainings={
        **{f"{panel} {SHOWN}": TRAININGS[f"mnist-digit-{SHOWN}{ending}"] for panel, (_, _, ending) in PAIRS.items()},
        **{f"(a) {digit}": TRAININGS[f"mnist-digit-{digit}"] for digit in DIGITS if digit != SHOWN},
    },
    measure=_measure_3,
    draw=_draw_3,
    expects=[
        *(
            Expectation(says=says, score="recognised", row=row, above=MOST)
            for row, says in (
                *((f"{panel} {SHOWN}", "all 16 images look like the digit 2") for panel in PAIRS),
                (ALL, "it is the same for other digits"),
            )
        ),
        Expectation(
            says="tanh has more contrast than a linear output",
            score="saturated",
            row=f"(a) {SHOWN}",
            above=f"(b) {SHOWN}",
        ),
    ],
    seeds=3,
)

FIGURE_4 = Item(
    name="tabak2016/figure4",
    paper="Tabak 2016, figure 4 and section 3.3",
    claim="a DCGAN is better after 2 epochs than after 1, and still worse than perceptrons, for far more time",
    trainings={
        "DCGAN": TRAININGS["mnist-dcgan"],
        **{f"{VECTORS}: {digit}": TRAININGS[f"mnist-digit-{digit}"] for digit in DIGITS},
    },
    measure=_measure_4,
    draw=_draw_4,
    theirs={
        TWO: {"paper: time of an epoch": "55 mins", "paper: ratio": "more than 1000 times"},
        VECTORS: {"paper: time of an epoch": "3 sec"},
    },
    expects=[
        Expectation(says="digits are more identifiable after 2 epochs", score="confidence", row=TWO, above=ONE),
        Expectation(says="the vectors' digits are more plausible", score="confidence", row=VECTORS, above=TWO),
        Expectation(says="the DCGAN takes far more time", score="ratio", row=TWO, above=1.0),
    ],
    seeds=3,
)

ITEMS = (FIGURE_3, FIGURE_4)
