"""Which steps of a training stay as light checkpoints: evenly spaced in the logarithm of the steps."""


def steps_of_history(steps: int, count: int) -> list[int]:
    """Return `count` different steps from 1 to the last, evenly spaced in their logarithm.

    Where that would ask for one step twice, at the beginning, they follow each other, and the others are spaced evenly
    over the rest: t_1 = 1, t_{k+1} = max(t_k + 1, [t_k (T / t_k)^(1 / (count - k))]).

    Args:
        steps: T, the last step; at least 1.
        count: how many; 1 is the last step alone, and of fewer steps than that all are returned.

    >>> steps_of_history(1_000, 10)
    [1, 2, 4, 9, 20, 44, 96, 210, 458, 1000]
    >>> steps_of_history(3, 10), steps_of_history(500, 1), steps_of_history(500, 0)
    ([1, 2, 3], [500], [])
    """
    if count < 2:
        return [steps][:count]
    chosen = [1]
    while len(chosen) < min(count, steps):
        last = chosen[-1]
        even = round(last * (steps / last) ** (1 / (count - len(chosen))))
        chosen.append(max(last + 1, even))
    return chosen
