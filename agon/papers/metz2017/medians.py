"""Figure 5's vertical lines in a number: which way distances between samples are off."""

from agon.metrics import Score


def median_ratio(gap: Score) -> Score:
    """The median distance of pairs of samples by that of pairs of images: below 1 where samples are too alike.

    Args:
        gap: the "pairwise" score of the same pairs.
    """
    medians = gap.detail["distribution"]["medians"]
    return Score(
        name="median-ratio",
        value=medians["model"] / medians["data"],
        n=gap.n,
        n_real=gap.n_real,
        protocol="median distance of random pairs of samples by that of random pairs of training images",
    )
