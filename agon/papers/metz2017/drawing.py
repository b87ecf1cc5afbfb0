"""Pictures of runs: samples over training, reconstructions, and distances between samples."""

from collections.abc import Mapping

from agon.arena import reconstructions
from agon.figures.density import density_png
from agon.figures.histograms import Density, histograms_png
from agon.figures.reconstructions import reconstructions_png
from agon.figures.spacing import spread
from agon.metrics import by_fractional_difference
from agon.papers.item import Renderer, TrainedRuns, first_seeds
from agon.papers.metz2017.measuring import distance_scores, mixture, reconstruction_score
from agon.papers.metz2017.models import UPDATES
from agon.recipes.scales import Scale
from agon.runs import point_snapshots

STEPS = 6  # in figures 1 and 2
COMPARED = 10  # images in figure 4
RED, BLUE = "#d1495b", "#3b7dd8"


def points_over_time(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw the paper's figure 1 for the first seed.

    A row for each training: heat maps of the points of fixed latents at `STEPS` steps, then of the data.
    """
    rows, columns = {}, [""]
    for label, run in first_seeds(runs).items():
        points = point_snapshots(run)
        steps = spread(list(points), STEPS)
        columns = [*(f"{UPDATES * step:,}" for step in steps), "data"]
        real = mixture(run).take(len(points[steps[-1]])).real
        rows[label] = [cloud.numpy() for cloud in (*(points[step] for step in steps), real)]
    return {".png": density_png(rows, columns, corner="step")}


def compared_reconstructions(seed: int) -> Renderer:
    """Draw the images on which the first and the last model differ most, for a seed (or the last one trained)."""

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        models = {label: seeds[min(seed, len(seeds) - 1)] for label, seeds in runs.items()}
        by_model = {label: reconstructions(run, reconstruction_score(run, scale)) for label, run in models.items()}
        first, *_, last = by_model.values()
        order = by_fractional_difference(first.errors, last.errors)[:COMPARED].tolist()
        images = {label: searched.images for label, searched in by_model.items()}
        errors = {label: searched.errors for label, searched in by_model.items()}
        return {".png": reconstructions_png(first.targets, images, errors, order)}

    return draw


def distance_histograms(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw a panel for each model: a line for each seed, and one for the data."""
    panels = {}
    for label, seeds in runs.items():
        distances = [distance_scores(run, scale)[0].detail["distribution"] for run in seeds]
        lines = [
            Density("samples, a line a seed", d["edges"], d["model"], BLUE, d["medians"]["model"]) for d in distances
        ]
        first = distances[0]
        real = Density("training images", first["edges"], first["data"], RED, first["medians"]["data"])
        panels[label] = [*lines, real]
    return {".png": histograms_png(panels, columns=2, x_label="distance of two images, pixels from 0 to 1")}
