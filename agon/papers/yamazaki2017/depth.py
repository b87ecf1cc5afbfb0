"""Section 5.2's claims on depth and batch normalisation, as expectations on a score."""

from agon.papers.expectation import Expectation
from agon.recipes.yamazaki2017 import images
from agon.recipes.yamazaki2017.settings import titled


def _higher(row: str, other: str, score: str, second: str | None = None) -> Expectation:
    return Expectation(says=f"{row} scores above {other}", score=score, row=row, above=other, second=second)


def on_mnist(score: str) -> tuple[Expectation, ...]:
    """Section 5.2: depth helps up to 3 blocks; batch normalisation in the critic helps at every depth."""
    pairs = zip(images.models("mnist", True), images.models("mnist", False), strict=True)
    return (
        _higher("M3_B", "M0_B", score),
        _higher("M3_B", "M5_B", score),
        *(_higher(normalised, plain, score) for normalised, plain in pairs),
    )


def on_cifar10(score: str, second: str) -> tuple[Expectation, ...]:
    """Section 5.2: depth helps up to 2 blocks a stage, if the critic has no batch normalisation; by two judges."""
    best = titled("M2_C", False)
    others = ("M0_C", "M2_C", *(titled(f"M{depth}_C", False) for depth in (0, 1, 3)))
    pairs = (("M1_C", "M0_C"), *((best, other) for other in others))
    return tuple(_higher(row, other, score, second) for row, other in pairs)
