"""A model's samples beside the images that it was trained on."""

from collections.abc import Mapping, Sequence

from agon.figures.tiles import panels_png
from agon.papers.item import Draw, first_seeds
from agon.recipes.scales import Scale
from agon.runs import Run, last_images
from agon.runs.snapshots import real_images


def beside_data(across: int) -> Draw:
    """Two square panels: samples of the run's fixed latents, and as many training images."""

    def draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
        ((label, run),) = first_seeds(runs).items()
        samples = last_images(run)[: across**2]
        real = real_images(run)[: len(samples)]
        return {".png": panels_png({label: samples, "data": real}, columns=2, across=across)}

    return draw
