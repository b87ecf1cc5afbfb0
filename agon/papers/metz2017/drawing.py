"""Runs to pictures: a training's samples over its steps, reconstructions, and distances between samples."""

from collections.abc import Mapping, Sequence

from agon.arena import reconstructions
from agon.figures.density import density_png
from agon.figures.histograms import Density, histograms_png
from agon.figures.reconstructions import reconstructions_png
from agon.figures.spacing import spread
from agon.figures.tiles import tiles_png
from agon.metrics import by_fractional_difference
from agon.papers.item import Draw, first_seeds
from agon.papers.metz2017.measuring import distance_scores, mixture, reconstruction_score
from agon.papers.metz2017.models import UPDATES
from agon.recipes.scales import Scale
from agon.runs import Run, image_snapshots, point_snapshots

STEPS = 6  # that figures 1 and 2 show
DIGITS, ACROSS = 16, 4  # images at each step of figure 2, and of them in a row
COMPARED = 10  # images of figure 4
RED, BLUE = "#d1495b", "#3b7dd8"

Runs = Mapping[str, Sequence[Run]]


def points_over_time(runs: Runs, scale: Scale) -> Mapping[str, bytes]:
    """A row a run: heat maps of one set of latents' points at `STEPS` steps from the first to the last, then the data.

    The paper's figure 1, of the first seed.
    """
    rows, columns = {}, [""]
    for label, run in first_seeds(runs).items():
        points = point_snapshots(run)
        steps = spread(list(points), STEPS)
        columns = [*(f"{UPDATES * step:,}" for step in steps), "data"]
        real = mixture(run).take(len(points[steps[-1]])).real
        rows[label] = [cloud.numpy() for cloud in (*(points[step] for step in steps), real)]
    return {".png": density_png(rows, columns, corner="step")}


def digits_over_time(runs: Runs, scale: Scale) -> Mapping[str, bytes]:
    """A row a run: samples of the same latents at `STEPS` steps, from the first to the last; of the first seed."""
    rows, columns = {}, [""]
    for label, run in first_seeds(runs).items():
        images = image_snapshots(run)
        steps = spread(list(images), STEPS)
        columns = [f"{UPDATES * step:,}" for step in steps]
        rows[label] = [images[step][:DIGITS] for step in steps]
    return {".png": tiles_png(rows, columns, across=ACROSS, corner="step")}


def compared_reconstructions(seed: int) -> Draw:
    """The images on which the first and the last model differ most, of a seed, or of the last there is."""

    def draw(runs: Runs, scale: Scale) -> Mapping[str, bytes]:
        models = {label: seeds[min(seed, len(seeds) - 1)] for label, seeds in runs.items()}
        found = {label: reconstructions(run, reconstruction_score(run, scale)) for label, run in models.items()}
        first, *_, last = found.values()
        order = by_fractional_difference(first.errors, last.errors)[:COMPARED].tolist()
        images = {label: each.images for label, each in found.items()}
        errors = {label: each.errors for label, each in found.items()}
        return {".png": reconstructions_png(first.targets, images, errors, order)}

    return draw


def distance_histograms(runs: Runs, scale: Scale) -> Mapping[str, bytes]:
    """A panel a model: a line a seed, and the data's."""
    panels = {}
    for label, seeds in runs.items():
        found = [distance_scores(run, scale)[0].detail["distribution"] for run in seeds]
        lines = [Density("samples, a line a seed", d["edges"], d["model"], BLUE, d["medians"]["model"]) for d in found]
        real = Density("training images", found[0]["edges"], found[0]["data"], RED, found[0]["medians"]["data"])
        panels[label] = [*lines, real]
    return {".png": histograms_png(panels, columns=2, x_label="distance of two images, pixels from 0 to 1")}
