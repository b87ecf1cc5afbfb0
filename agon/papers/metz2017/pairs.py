"""Table 1 and figures 3 to 10: convolutional pairs on CIFAR-10 that look 0, 1, 5 or 10 steps ahead."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from torch import Tensor

from agon.arena import ranked, reconstructions
from agon.arena.reconstructions import Reconstructions as Found
from agon.evaluate import evaluate
from agon.figures.histograms import Density, histograms_png
from agon.figures.tiles import panels_png, tiles_png
from agon.metrics import Score, by_fractional_difference
from agon.papers.classified import CLASSIFIER
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, Scores, firsts, of_each
from agon.papers.metz2017.medians import median_ratio
from agon.recipes.metz2017.images import RECIPES
from agon.recipes.recipe import by_name
from agon.recipes.scales import Scale
from agon.runs import Run, last_images

Measure = Callable[[Mapping[str, Run], Scale], Rows]
Draw = Callable[[Mapping[str, Sequence[Run]], Scale], Mapping[str, bytes]]
Theirs = Mapping[str, Mapping[str, str]]

PAPER = "Metz et al. 2017, {}, section 3.3 and appendix C"
AHEAD = (0, 1, 5, 10)
OF = by_name(RECIPES)
TRAININGS = {f"K = {k}": OF[f"cifar10-k{k}"] for k in AHEAD}
TARGETS = {"smoke": 8, "quick": 256, "paper": 1_280}  # training images that are searched for
SAMPLES = {"smoke": 64, "quick": 5_000, "paper": 50_000}
SHOWN, TOGETHER = 10, 2  # images of figure 4, and of them in a row
SAMPLED, ACROSS = 36, 6  # samples of each model in figure 3, and of them in a row
SEEDS = 5
RED, BLUE = "#d1495b", "#3b7dd8"

PRINTED = {  # table 1
    "K = 0": ("0.0231 ± 0.0024", "6.3%"),
    "K = 1": ("0.0195 ± 0.0021", "22.97%"),
    "K = 5": ("0.0200 ± 0.0023", "15.31%"),
    "K = 10": ("0.0181 ± 0.0018", "61.09%"),
}
BETTER = tuple(
    Expectation(
        says=f"with K = {k}, training images are reconstructed better than with none",
        score="reconstruction",
        row="K = 0",
        above=f"K = {k}",
    )
    for k in AHEAD[1:]
)
RANKED = (
    Expectation(
        says="K = 10 improves on K = 1, more modestly",
        score="reconstruction",
        row="K = 1",
        above="K = 10",
    ),
    *(
        Expectation(
            says=f"K = 10 is the best model for more images than K = {k}",
            score="best-rank",
            row="K = 10",
            above=f"K = {k}",
        )
        for k in AHEAD[:-1]
    ),
    Expectation(says="the zero step model is hardly ever best", score="best-rank", row="K = 0", below=25.0),
)


def _table(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """Mean squared errors of one seed's models, and how often each of them is the best."""
    errors = [_searched(run, scale) for run in runs.values()]
    ranks = ranked(list(runs.values()), errors)
    return {label: (error, rank) for label, error, rank in zip(runs, errors, ranks, strict=True)}


def _searched(run: Run, scale: Scale) -> Score:
    (score,) = evaluate(run, metrics=["reconstruction"], n=TARGETS[scale])
    return score


def _compared(index: int) -> Draw:
    """The images on which the first and the last model differ most, of the seed of an index, or the last there is."""

    def draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
        seed = {label: each[min(index, len(each) - 1)] for label, each in runs.items()}
        found = {label: reconstructions(run, _searched(run, scale)) for label, run in seed.items()}
        return {".png": _side_by_side(found)}

    return draw


def _side_by_side(found: Mapping[str, Found]) -> bytes:
    """Two images a row, each followed by what every model came to, its error below; those that differ most first."""
    first, *_, last = found.values()
    order = by_fractional_difference(first.errors, last.errors)[:SHOWN].tolist()
    rows: dict[str, list[Tensor | None]] = {}
    notes = []
    for place in range(0, len(order), TOGETHER):
        shown = order[place : place + TOGETHER]
        empty = (TOGETHER - len(shown)) * (1 + len(found))
        panels = [each[at][None] for at in shown for each in (first.targets, *(run.images for run in found.values()))]
        errors = [["", *(f"{float(run.errors[at]):.4f}" for run in found.values())] for at in shown]
        rows[", ".join(str(place + 1 + i) for i in range(len(shown)))] = [*panels, *[None] * empty]
        notes.append([*chain(*errors), *[""] * empty])
    return tiles_png(rows, ["data", *found] * TOGETHER, across=1, corner="image", notes=notes)


def _samples(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """The last images of the fixed latents, a panel a model."""
    panels = {label: last_images(run)[:SAMPLED] for label, run in firsts(runs).items()}
    return {".png": panels_png(panels, columns=2, across=ACROSS)}


def _judged(run: Run, scale: Scale) -> Scores:
    return evaluate(run, metrics=["is"], n=SAMPLES[scale], extractor=CLASSIFIER)


def _spread(run: Run, scale: Scale) -> Scores:
    """How far the distances between samples are from those between images, and the median of theirs by ours."""
    (gap,) = evaluate(run, metrics=["pairwise"], n=min(10_000, 2 * SAMPLES[scale]))
    return (gap, median_ratio(gap))


def _histograms(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """A panel a model: a line a seed, and the data's."""
    panels = {}
    for label, seeds in runs.items():
        told = [_spread(run, scale)[0].detail["distribution"] for run in seeds]
        lines = [Density("samples, a line a seed", t["edges"], t["model"], BLUE, t["medians"]["model"]) for t in told]
        real = Density("training images", told[0]["edges"], told[0]["data"], RED, told[0]["medians"]["data"])
        panels[label] = [*lines, real]
    return {".png": histograms_png(panels, columns=2, x_label="distance of two images, pixels from 0 to 1")}


def _item(
    figure: str,
    claim: str,
    measure: Measure,
    draw: Draw,
    expects: Sequence[Expectation] = (),
    theirs: Theirs | None = None,
) -> Item:
    """A table or figure of the four models."""
    return Item(
        name=f"metz2017/{figure.replace(' ', '')}",
        paper=PAPER.format(figure),
        claim=claim,
        trainings=TRAININGS,
        measure=measure,
        draw=draw,
        expects=expects,
        theirs=theirs or {},
        updates=2,
        seeds=SEEDS,
    )


TABLE_1 = _item(
    "table 1",
    "the more steps the generator looks ahead, the better it can reconstruct training images",
    _table,
    _compared(0),
    (*BETTER, *RANKED),
    {
        label: {"paper: average MSE": error, "paper: percent best rank": rank}
        for label, (error, rank) in PRINTED.items()
    },
)

FIGURE_3 = _item("figure 3", "samples look much alike with 0, 1, 5 and 10 unrolling steps", of_each(_judged), _samples)

FIGURE_4 = _item(
    "figure 4",
    "images that one model cannot make and another can: the zero step model's are often fuzzy",
    _table,
    _compared(0),
    BETTER,
)

FIGURE_5 = _item(
    "figure 5",
    "with more unrolling steps, distances between samples become more like those between images",
    of_each(_spread),
    _histograms,
    (
        Expectation(
            says="without unrolling, samples lie nearer to each other than images",
            score="median-ratio",
            row="K = 0",
            below=1.0,
        ),
        *(
            Expectation(
                says=f"K = {k} resembles the data more than none", score="pairwise", row="K = 0", above=f"K = {k}"
            )
            for k in AHEAD[1:]
        ),
        Expectation(
            says="the more steps, the more so: K = 10 more than K = 1", score="pairwise", row="K = 1", above="K = 10"
        ),
    ),
)

APPENDIX_D = tuple(
    _item(
        f"figure {6 + index}",
        f"the same as figure 4, by the models of run {index + 1} of 5",
        _table,
        _compared(index),
        BETTER,
    )
    for index in range(SEEDS)
)

ITEMS = (TABLE_1, FIGURE_3, FIGURE_4, FIGURE_5, *APPENDIX_D)
