"""Colours for values from 0 to 1 around 0.5: blue below, orange above, told apart by colour-blind people too."""

from itertools import pairwise

Colour = tuple[float, float, float]  # red, green and blue, from 0 to 1

# blue and orange arms after ColorBrewer's, of even steps of lightness; on a dark page from a dark middle
LIGHT = ("#1f5fa8", "#4a93c9", "#9acae3", "#d6e8f2", "#f6f5f2", "#fde3bf", "#f9b768", "#df7f16", "#a84e04")
DARK = ("#7cc0f5", "#4a97d8", "#2f6ba3", "#274764", "#2a2e34", "#5c4327", "#93602a", "#d08431", "#ffb564")
INK, PAPER = "#14171b", "#ffffff"
ENOUGH = 4.5  # contrast of text with its background, by WCAG 2


def shade(value: float, *, dark: bool = False) -> str:
    """The colour, #rrggbb, of a value; 0.5 is the neutral middle, values outside 0 to 1 have the ends' colours.

    Args:
        value: from 0 to 1.
        dark: whether it is for a dark page.

    >>> shade(0.0), shade(0.5), shade(1.0)
    ('#1f5fa8', '#f6f5f2', '#a84e04')
    """
    stops = [_parsed(stop) for stop in (DARK if dark else LIGHT)]
    place = min(max(value, 0.0), 1.0) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    below, above = list(pairwise(stops))[index]
    return _hex(tuple(a + (place - index) * (b - a) for a, b in zip(below, above, strict=True)))


def ink_on(background: str) -> str:
    """The colour of text on a colour: dark or white, whichever has more contrast.

    >>> ink_on("#1f5fa8"), ink_on("#f6f5f2")
    ('#ffffff', '#14171b')
    """
    return max((INK, PAPER), key=lambda ink: contrast(ink, background))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2, from 1 to 21.

    >>> round(contrast("#000000", "#ffffff"), 3)
    21.0
    """
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parsed(colour)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _parsed(colour: str) -> Colour:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(parts: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
