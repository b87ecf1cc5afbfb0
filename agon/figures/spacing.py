"""Pick as many steps as a picture or a table has room for."""

from collections.abc import Sequence


def spread(steps: Sequence[int], most: int) -> list[int]:
    """Pick at most `most` of the steps, evenly spaced by index, with the first and the last.

    >>> spread(range(100), 5), spread([3, 8], 5)
    ([0, 25, 50, 74, 99], [3, 8])
    """
    if len(steps) <= most:
        return list(steps)
    return [steps[round(index * (len(steps) - 1) / (most - 1))] for index in range(most)]
