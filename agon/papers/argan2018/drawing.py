"""Pictures of a model's samples beside its training images."""

from collections.abc import Mapping

from agon.figures.tiles import panels_png
from agon.papers.item import Renderer, TrainedRuns, first_seeds
from agon.recipes.scales import Scale
from agon.runs import last_images
from agon.runs.snapshots import real_images


def beside_data(across: int) -> Renderer:
    """Draw two square panels: samples of the run's fixed latents, and as many training images."""

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        ((label, run),) = first_seeds(runs).items()
        samples = last_images(run)[: across**2]
        real = real_images(run)[: len(samples)]
        return {".png": panels_png({label: samples, "data": real}, columns=2, across=across)}

    return draw
