"""Numbers as text for pages."""

import sys

UNKNOWN = "—"


def counted(count: int, noun: str) -> str:
    """A number of things, with the noun's plural where it is due.

    >>> counted(1, "image"), counted(2_000, "image"), counted(0, "step")
    ('1 image', '2,000 images', '0 steps')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def number(value: float | None, digits: int = 4) -> str:
    """Format a number for reading: rounded, with commas between thousands; whole numbers in full.

    Args:
        value: a number, or None for an unknown one.
        digits: significant digits of a number that is not whole.

    >>> number(12345), number(0.98765), number(9999.9), number(float("nan")), number(None)
    ('12,345', '0.9877', '10,000', 'not a number', '—')
    """
    if value is None:
        return UNKNOWN
    if not -sys.float_info.max <= value <= sys.float_info.max:  # JSON has integers beyond every float
        return "∞" if value > 0 else "−∞" if value < 0 else "not a number"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.{digits}g}" if float(f"{abs(value):.{digits}g}") < 10**digits else f"{value:,.0f}"
