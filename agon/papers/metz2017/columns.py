"""Figure 2: a recurrent generator of MNIST's digits that looks 20 steps ahead, or none."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from agon.classifiers import classifier_of
from agon.evaluate import evaluate
from agon.experiment import Experiment
from agon.figures.tiles import tiles_png
from agon.metrics import Score
from agon.metrics.extractors import extract
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores, firsts, of_each
from agon.papers.metz2017.medians import median_ratio
from agon.recipes.metz2017.images import RECIPES
from agon.recipes.recipe import by_name
from agon.recipes.scales import Scale
from agon.report.embedding import spread
from agon.runs import Run
from agon.runs import image_snapshots as kept_images

UPDATES = 2  # the paper's steps in one of our rounds
COLUMNS, SHOWN, ACROSS = 6, 16, 4  # steps that are shown, and images at each
SAMPLES = {"smoke": 64, "quick": 10_000, "paper": 10_000}
OF = by_name(RECIPES)
TRAININGS = {f"K = {k}": OF[f"rnn-mnist-k{k}"] for k in (20, 0)}


def _measure(run: Run, scale: Scale) -> Scores:
    """Classes and distances of the last samples, and how much one class had at a time in the training's second half."""
    scores = evaluate(run, metrics=["classifier", "pairwise"], n=SAMPLES[scale])
    (ratio,) = (median_ratio(score) for score in scores if score.name == "pairwise")
    fullest = [shares.max().item() for shares in _shares(run).values()]
    late = fullest[len(fullest) // 2 :]
    return [*scores, ratio, _fullest(sum(late) / len(late), len(late), run)]


def _fullest(value: float, grids: int, run: Run) -> Score:
    images = len(next(iter(kept_images(run).values())))
    return Score(
        name="fullest-class",
        value=value,
        n=grids * images,
        protocol=f"share of the class that most of {images} samples of fixed latents fell into, by the classifier; "
        "the mean over the second half of the training",
    )


def _shares(run: Run) -> Mapping[int, Tensor]:
    """Step -> share of each class among the samples that were kept."""
    classifier = classifier_of(Experiment.from_json(run.experiment).data)
    found = {}
    for step, images in kept_images(run).items():
        probabilities = extract(classifier, images).probabilities
        assert probabilities is not None  # a classifier knows classes
        k = probabilities.shape[1]
        found[step] = torch.bincount(probabilities.argmax(1), minlength=k).double() / len(images)
    return found


def _history(run: Run) -> Mapping[int, Scores]:
    return {step: [_fullest(shares.max().item(), 1, run)] for step, shares in _shares(run).items()}


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """A row a run: samples of the same latents at `COLUMNS` steps, from the first to the last."""
    rows, columns = {}, [""]
    for label, run in firsts(runs).items():
        images = kept_images(run)
        steps = spread(list(images), COLUMNS)
        columns = [f"{UPDATES * step:,}" for step in steps]
        rows[label] = [images[step][:SHOWN] for step in steps]
    return {".png": tiles_png(rows, columns, across=ACROSS, corner="step")}


FIGURE_2 = Item(
    name="metz2017/figure2",
    paper="Metz et al. 2017, figure 2, section 3.2 and appendix B",
    claim="with 20 unrolling steps a recurrent generator disperses over all digits; without, it collapses and cycles",
    trainings=TRAININGS,
    measure=of_each(_measure),
    history=_history,
    draw=_draw,
    expects=(
        Expectation(
            says="without unrolling, the model collapses to a single mode at a time",
            score="fullest-class",
            row="K = 0",
            above="K = 20",
        ),
        Expectation(
            says="with unrolling, the generator disperses",
            score="median-ratio",
            row="K = 20",
            above="K = 0",
        ),
        Expectation(
            says="with unrolling, it appears to cover the whole data distribution",
            score="class-divergence",
            row="K = 20",
            below="K = 0",
        ),
    ),
    updates=UPDATES,
    seeds=3,
)

ITEMS = (FIGURE_2,)
