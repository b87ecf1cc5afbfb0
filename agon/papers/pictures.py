"""Pictures that several papers have: the last samples of their trainings, side by side."""

from collections.abc import Mapping, Sequence

from agon.figures.tiles import panels_png, tiles_png
from agon.papers.item import Draw, first_seeds
from agon.recipes.scales import Scale
from agon.runs import Run, last_images


def sample_panels(
    *, across: int, count: int | None = None, columns: int | None = None, titles: Mapping[str, str] | None = None
) -> Draw:
    """A panel a training: the first seed's last images of its fixed latents.

    Args:
        across: images in a row of a panel.
        count: images of a panel, at most; by default all that were kept.
        columns: panels in a row; by default all of them.
        titles: of the panels, by the trainings' labels, in the order in which they are drawn; by default the labels.
    """

    def draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
        shown = first_seeds(runs)
        order = {label: label for label in shown} if titles is None else titles
        panels = {title: last_images(shown[label])[:count] for label, title in order.items()}
        return {".png": panels_png(panels, columns=columns or len(panels), across=across)}

    return draw


def sample_table(rows: Sequence[str], columns: Sequence[str], *, across: int, count: int) -> Draw:
    """A table of the first seed's last images: the training "row: column" at each place.

    Args:
        rows: sets of images.
        columns: models.
        across: images in a row of a panel.
        count: images of a panel, at most.
    """

    def draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
        shown = first_seeds(runs)
        table = {row: [last_images(shown[f"{row}: {column}"])[:count] for column in columns] for row in rows}
        return {".png": tiles_png(table, list(columns), across=across)}

    return draw
