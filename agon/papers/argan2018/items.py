"""Section 4: table 1, and figures 5 to 8, samples of its models.

| the paper | here |
|---|---|
| table 1: Inception scores of 50,000 samples in 10 splits | the score of CIFAR-10's own classifier; n: `CLASSIFIED` |
| footnote 2: the mean of more than 10 scores of one model | the last step's samples, once a seed |
| table 1: real data 11.24 ± 0.16; of which images is not stated | the test split, which the classifier has not seen |
| table 1, STL-10: Inception scores | no classifier of a stand-in's classes: distances of pixels, no expectation |
| figures 5 to 8: samples, "none cherry picked"; no number | the run's fixed latents, the first seed |
| section 4.1: samples are "sharp", and realistic "in general" | by eye; a column for the table's numbers |
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from agon.data import Source
from agon.evaluate import Choice, evaluate
from agon.experiment import Experiment
from agon.figures.tiles import Tiles, panels_png, tiles_png
from agon.papers.classified import CLASSIFIER, classifier_score
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, Scores, firsts, of_each
from agon.recipes.argan2018 import RECIPES
from agon.recipes.recipe import Recipe, by_name
from agon.recipes.scales import Scale
from agon.runs import Run, last_images
from agon.runs.snapshots import real_images
from agon.samples.reading import real_samples

Measure = Callable[[Run, Scale], Scores]
Draw = Callable[[Mapping[str, Sequence[Run]], Scale], Mapping[str, bytes]]

PAPER = "Yazıcı et al. 2018"
PIXELS = Choice("pixels")
CLASSIFIED = {"smoke": 200, "quick": 5_000, "paper": 50_000}  # samples that a classifier looks at
COMPARED = {"smoke": 60, "quick": 2_000, "paper": 10_000}  # whose pixels are compared with real ones

MODELS = {"S-ARGAN": "s-argan", "C-ARGAN": "c-argan", "PARGAN": "pargan", "DCGAN": "dcgan", "WGAN-GP": "wgan-gp"}
PROPOSED = ("S-ARGAN", "C-ARGAN", "PARGAN")
CIFAR10, STL10 = "CIFAR-10", "STL-10"
PRINTED = {  # model: its Inception scores on CIFAR-10 and STL-10
    "real data": ("11.24 ± 0.16", "26.08 ± 0.26"),
    "ALI": ("5.34 ± 0.05", "-"),
    "BEGAN": ("5.62", "-"),
    "D2GAN": ("7.15 ± 0.07", "7.98"),
    "MGGAN": ("8.23", "9.09"),
    "DFM": ("7.72 ± 0.13", "8.51 ± 0.13"),
    "Improved-GAN": ("6.86 ± 0.06", "-"),
    "DCGAN": ("6.40 ± 0.05", "7.54"),
    "EBGAN": ("6.74 ± 0.09", "-"),
    "WGAN-GP, ResNet": ("7.86 ± 0.07", "9.05 ± 0.12"),
    "WGAN-GP": ("6.80", "-"),
    "S-ARGAN": ("6.50", "7.44"),
    "C-ARGAN": ("6.46", "7.60"),
    "PARGAN": ("6.86", "7.89"),
}
TRAININGS = by_name(RECIPES)


def _recipe(images: str, model: str) -> Recipe:
    return TRAININGS[f"{images}-{MODELS[model]}"]


def _printed() -> dict[str, dict[str, str]]:
    """Table 1 by our rows: what was not measured there is left out."""
    rows = {}
    for place, images in enumerate((CIFAR10, STL10)):
        for model, scores in PRINTED.items():
            if scores[place] != "-":
                rows[f"{images}: {model}"] = {"paper: Inception score": scores[place]}
    return rows


def _table_1(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """CIFAR-10's rows by its classifier, its own test images first; STL-10's by pixels."""
    first = next(iter(runs.values()))
    rows = {f"{CIFAR10}: real data": _held_out(Experiment.from_json(first.experiment).data, scale)}
    for label, run in runs.items():
        rows[label] = (_by_classes if label.startswith(CIFAR10) else _by_pixels)(run, scale)
    return rows


def _held_out(source: Source, scale: Scale) -> Scores:
    """The classifier's score of real images that it was not trained on."""
    return classifier_score(real_samples(source, CLASSIFIED[scale], split="test"), source)


def _by_classes(run: Run, scale: Scale) -> Scores:
    return evaluate(run, metrics=["is", "fid"], n=CLASSIFIED[scale], extractor=CLASSIFIER)


def _by_pixels(run: Run, scale: Scale) -> Scores:
    """How many real images have a sample near them, and how far distances between samples are from the data's."""
    found = evaluate(run, metrics=["prdc", "pairwise"], n=COMPARED[scale], extractor=PIXELS)
    return [score for score in found if score.name in ("pixels-coverage", "pairwise")]


def _samples(run: Run, across: int) -> Tiles:
    """As many as a square panel holds of the last ones that the run kept of its fixed latents."""
    return last_images(run)[: across**2]


def _draw_table_1(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """A row a set of images, a column a model: 16 samples each."""
    shown = firsts(runs)
    rows = {images: [_samples(shown[f"{images}: {model}"], 4) for model in MODELS] for images in (CIFAR10, STL10)}
    return {".png": tiles_png(rows, list(MODELS), across=4)}


def _draw_models(runs: Mapping[str, Sequence[Run]], scale: Scale, across: int) -> Mapping[str, bytes]:
    """The models' samples side by side."""
    panels = {label: _samples(run, across) for label, run in firsts(runs).items()}
    return {".png": panels_png(panels, columns=len(panels), across=across)}


def _draw_beside_data(runs: Mapping[str, Sequence[Run]], scale: Scale, across: int) -> Mapping[str, bytes]:
    """A model's samples, and as many of the images that it was trained on."""
    ((label, run),) = firsts(runs).items()
    made = _samples(run, across)
    real = real_images(run)[: len(made)]
    return {".png": panels_png({label: made, "data": real}, columns=2, across=across)}


TABLE_1 = Item(
    name="argan2018/table1",
    paper=f"{PAPER}, table 1",
    claim="S- and C-ARGAN are competitive with a DCGAN of the same networks, and PARGAN is better than all three",
    trainings={
        f"{title}: {model}": _recipe(images, model)
        for title, images in ((CIFAR10, "cifar10"), (STL10, "stl10-48"))
        for model in MODELS
    },
    measure=_table_1,
    draw=_draw_table_1,
    theirs=_printed(),
    expects=[
        Expectation(says=says, score="classifier-score", row=f"{CIFAR10}: {row}", above=f"{CIFAR10}: {above}")
        for says, row, above in (
            ("6.86 against 6.50: a patch critic helps", "PARGAN", "S-ARGAN"),
            ("6.86 against 6.46", "PARGAN", "C-ARGAN"),
            ("6.86 against 6.40: PARGAN outperforms a classifying critic", "PARGAN", "DCGAN"),
            ("6.50 against 6.40: S-ARGAN is competitive", "S-ARGAN", "DCGAN"),
            ("6.46 against 6.40: C-ARGAN is competitive", "C-ARGAN", "DCGAN"),
        )
    ],
    seeds=1,
)


def _figure(number: int, claim: str, images: str, models: Sequence[str], measure: Measure, draw: Draw) -> Item:
    """Samples of some models of a set, with the scores that it has."""
    return Item(
        name=f"argan2018/figure{number}",
        paper=f"{PAPER}, figure {number} and section 4.1",
        claim=claim,
        trainings={model: _recipe(images, model) for model in models},
        measure=of_each(measure),
        draw=draw,
        seeds=1,
    )


FIGURES = (
    _figure(
        5,
        "samples of all three models look sharp, though not all of them have an object that one would recognise",
        "cifar10",
        PROPOSED,
        _by_classes,
        partial(_draw_models, across=8),
    ),
    _figure(
        6,
        "the three models make images of 48x48 pixels of a more varied set, too",
        "stl10-48",
        PROPOSED,
        _by_pixels,
        partial(_draw_models, across=6),
    ),
    _figure(
        7,
        "PARGAN scales to 96x96 pixels: certain objects are recognisable",
        "stl10-96",
        ["PARGAN"],
        _by_pixels,
        partial(_draw_beside_data, across=4),
    ),
    _figure(
        8,
        "faces look realistic in general, with small artefacts in some",
        "celeba",
        ["S-ARGAN"],
        _by_pixels,
        partial(_draw_beside_data, across=5),
    ),
)

ITEMS = (TABLE_1, *FIGURES)
