"""What all drawings share: a white sheet, words and thin frames in one ink, and PNGs of a few colours."""

from io import BytesIO
from typing import TYPE_CHECKING

from agon.errors import require

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

INK = "#24292f"
BOLD = 8.5  # size of letters beside panels
COLOURS = 64
ASTRAY = 0.01  # the share of points outside of a frame from which a panel says so


def sheet(
    width: float, height: float, *, density: float = 1.5, constrained: bool = False
) -> "matplotlib.figure.Figure":
    """An empty white figure.

    Args:
        width: in CSS pixels.
        height: in CSS pixels.
        density: dots in a CSS pixel.
        constrained: whether matplotlib arranges what is on it.
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
    """Text at a place in CSS pixels from the lower left corner, centred there or to its left."""
    width, height = figure.get_size_inches() * 100
    figure.text(x / width, y / height, text, horizontalalignment=side, va="center", fontsize=BOLD, color=INK)


def outline(axes: "matplotlib.axes.Axes", astray: float) -> None:
    """A thin frame, and in its corner the share of points that are outside, where it is 1 % or more."""
    for spine in axes.spines.values():
        spine.set(color=INK, alpha=0.3, linewidth=0.5)
    if astray >= ASTRAY:
        axes.text(0.03, 0.03, f"{astray:.0%} outside", transform=axes.transAxes, fontsize=6, color=INK)


def drawing_png(figure: "matplotlib.figure.Figure") -> bytes:
    """A figure in 64 colours at most, the same bytes on every day: for drawings, not for images."""
    from PIL import Image

    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()
