"""One colour for each run, the same everywhere on the page, legible on white and on black."""

from colorsys import hls_to_rgb

REAL = "#8a8f98"  # grey: real data belong to no run
FIRST = ("#3b7dd8", "#e0702a", "#2f9e6e", "#b0559c", "#c29a1f", "#3fa7bd", "#d1495b", "#7d6bc0")
GOLDEN = 0.618033988749895  # turns between two hues: neighbours in the list are far apart on the colour wheel


def colour(index: int) -> str:
    """The colour, #rrggbb, of the run (or the series of a single run) with this index from 0.

    >>> colour(0), len({colour(index) for index in range(40)})
    ('#3b7dd8', 40)
    """
    if index < len(FIRST):
        return FIRST[index]
    red, green, blue = hls_to_rgb(index * GOLDEN % 1, 0.5, 0.5)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
