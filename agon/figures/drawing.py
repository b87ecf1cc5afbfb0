"""Shared by all drawings: a white sheet, text and thin frames in one colour, and PNGs of few colours."""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from agon.errors import require

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

INK = "#24292f"
BOLD = 8.5  # font size beside panels
LETTER = 6.9  # CSS pixels of a letter beside panels, at most as words are
COLOURS = 64
ASTRAY = 0.01  # share of points outside the frame from which a panel shows it


def sheet(
    width: float, height: float, *, density: float = 1.5, constrained: bool = False
) -> "matplotlib.figure.Figure":
    """Make an empty white figure.

    Args:
        width: in CSS pixels.
        height: in CSS pixels.
        density: dots in a CSS pixel.
        constrained: whether matplotlib arranges its contents.
    """
    require("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(width / 100, height / 100),
        dpi=100 * density,
        facecolor="white",
        layout="constrained" if constrained else None,
    )
    FigureCanvasAgg(figure)
    return figure


def write(figure: "matplotlib.figure.Figure", x: float, y: float, text: str, side: str) -> None:
    """Write text at a position in CSS pixels from the lower left corner, aligned by `side`: "center" or "right"."""
    width, height = figure.get_size_inches() * 100
    figure.text(x / width, y / height, text, horizontalalignment=side, va="center", fontsize=BOLD, color=INK)


def margin(labels: Iterable[str]) -> float:
    """CSS pixels that labels on the left of panels need, their lines as they are."""
    return 16 + LETTER * max(len(line) for label in labels for line in label.split("\n"))


def outline(axes: "matplotlib.axes.Axes", astray: float) -> None:
    """Draw a thin frame, and in its corner the share of points outside, if it is 1 % or more."""
    for spine in axes.spines.values():
        spine.set(color=INK, alpha=0.3, linewidth=0.5)
    if astray >= ASTRAY:
        axes.text(0.03, 0.03, f"{astray:.0%} outside", transform=axes.transAxes, fontsize=6, color=INK)


def drawing_png(figure: "matplotlib.figure.Figure", colours: int | None = COLOURS) -> bytes:
    """Save a figure as a reproducible PNG: for drawings, not for images.

    Args:
        figure: the figure.
        colours: most colours of the PNG, at most 256; None for all, where a scale of colours is exact.
    """
    from PIL import Image

    full, small = BytesIO(), BytesIO()
    figure.savefig(full, format="png", metadata={"Software": None})
    picture = Image.open(full).convert("RGB")
    (picture if colours is None else picture.quantize(colours)).save(small, "PNG", optimize=True)
    return small.getvalue()
