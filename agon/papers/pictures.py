"""Pictures that several papers share: the last samples of trainings, side by side."""

from collections.abc import Mapping, Sequence

from agon.figures.spacing import spread
from agon.figures.tiles import TileBatch, panels_png, tiles_png
from agon.papers.item import Renderer, TrainedRuns, first_seeds
from agon.recipes.scales import Scale
from agon.runs import Run, image_snapshots, last_images


def sample_panels(
    *, across: int, count: int | None = None, columns: int | None = None, titles: Mapping[str, str] | None = None
) -> Renderer:
    """Draw one panel per training: the first seed's last images of its fixed latents.

    Args:
        across: images in a row of a panel.
        count: most images in a panel; by default all that were kept.
        columns: panels in a row; by default all of them.
        titles: label of a training -> title of its panel, in drawing order; by default the labels.
    """

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        shown = first_seeds(runs)
        order = {label: label for label in shown} if titles is None else titles
        panels = {title: last_images(shown[label])[:count] for label, title in order.items() if label in shown}
        return {".png": panels_png(panels, columns=columns or len(panels), across=across)}

    return draw


def sample_table(rows: Sequence[str], columns: Sequence[str], *, across: int, count: int) -> Renderer:
    """Draw a table of the first seed's last images; each cell shows the training labelled "row: column".

    Rows and columns of which no training is there, as in an item of some of its rows, are left out.

    Args:
        rows: sets of images.
        columns: models.
        across: images in a row of a panel.
        count: most images in a panel.
    """

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        shown = first_seeds(runs)
        drawn_rows = [row for row in rows if any(f"{row}: {column}" in shown for column in columns)]
        drawn_columns = [column for column in columns if any(f"{row}: {column}" in shown for row in rows)]
        table = {row: [_cell(shown.get(f"{row}: {column}"), count) for column in drawn_columns] for row in drawn_rows}
        return {".png": tiles_png(table, drawn_columns, across=across)}

    return draw


def _cell(run: Run | None, count: int) -> TileBatch | None:
    """The last images of a run, and nothing for a training that was left out."""
    return None if run is None else last_images(run)[:count]


def samples_over_time(*, steps: int, count: int, across: int, updates: int = 1) -> Renderer:
    """Draw a row for each training: the first seed's samples of fixed latents at some steps of the training.

    Args:
        steps: most steps, evenly spread, the first and the last among them.
        count: most images at each step.
        across: images in a row of a panel.
        updates: how many of the paper's steps one of ours is.
    """

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        rows, columns = {}, [""]
        for label, run in first_seeds(runs).items():
            images = image_snapshots(run)
            shown = spread(list(images), steps)
            columns = [f"{updates * step:,}" for step in shown]
            rows[label] = [images[step][:count] for step in shown]
        return {".png": tiles_png(rows, columns, across=across, corner="step")}

    return draw
