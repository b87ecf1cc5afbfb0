"""Who wins a battle: by the paper's rule, and by intervals that account for the number of samples."""

import math
from typing import Literal, NamedTuple

from agon.arguments import TIE, check_tie
from agon.errors import DataError
from agon.metrics.gam.rates import Ratio

ROUNDING = 1e-12  # of a logarithm, so that 1 / 1.3 is as near to 1 as 1.3

Winner = Literal["first", "second", "tie"]
BattleOutcome = Literal["first", "second", "unfair", "undecided"]


class BattleVerdict(NamedTuple):
    """The verdict that the intervals of a battle support.

    Attributes:
        outcome: the winning side; "unfair" if one critic judges real samples better than the other; "undecided" if
            more samples could decide.
        reason: the reason in a sentence.
    """

    outcome: BattleOutcome
    reason: str


def winner(r_test: float, r_sample: float, tie: float = TIE) -> Winner:
    """The paper's verdict: if r_test is nearly 1, "first" for r_sample < 1 and "second" for r_sample > 1; else "tie".

    r_test counts as 1 if |log r_test| <= log tie, which treats both sides alike. The source names no bound; with 1.3,
    all eight verdicts of its Table 1 follow from the ratios that it prints.

    Args:
        r_test: ε(D_1(x)) / ε(D_2(x)) on real test samples, above 0.
        r_sample: ε(D_1(G_2(z))) / ε(D_2(G_1(z))), above 0: the first critic's error on the second's samples first.
        tie: the bound of the rule, at least 1.

    Raises:
        DataError: a ratio is not a finite number above 0.
        SettingError: the bound is under 1.

    Source: im2016, equation 11 and Table 1.

    >>> winner(0.79, 1.75), winner(1.0, 0.9), winner(1.4, 1.75)
    ('second', 'first', 'tie')
    """
    for name, value in (("r_test", r_test), ("r_sample", r_sample)):
        if not (math.isfinite(value) and value > 0):
            raise DataError(f"{name} of a battle: expected a finite number above 0, got {value}; smooth zero errors")
    if not fair(r_test, tie) or r_sample == 1:
        return "tie"
    return "first" if r_sample < 1 else "second"


def fair(r_test: float, tie: float) -> bool:
    """Whether r_test counts as 1."""
    check_tie(tie)
    return abs(math.log(r_test)) <= math.log(tie) + ROUNDING


def verdict(test: Ratio, sample: Ratio, names: tuple[str, str], tie: float = TIE) -> BattleVerdict:
    """The verdict by intervals: a side wins only if chance does not explain the ratio.

    A side wins if the 95 % interval of r_sample excludes 1 and the interval of r_test lies within the tie rule. The
    verdict is "unfair" if the interval of r_test lies wholly outside the rule, and "undecided" otherwise.

    Args:
        test: r_test.
        sample: r_sample.
        names: the names of the two games.
        tie: the bound of the tie rule, at least 1.

    Raises:
        SettingError: the bound is under 1.
    """
    low, high = test.interval
    bounds = f"{1 / tie:.3g} to {tie:g}"
    r_test = f"r_test {_with_interval(test)}"
    if (low > 1 or high < 1) and not fair(low, tie) and not fair(high, tie):
        worse, better = names if low > 1 else names[::-1]
        reason = f"{r_test} lies outside of {bounds}: {worse}'s critic errs more on real samples than {better}'s"
        return BattleVerdict("unfair", reason)
    if not (fair(low, tie) and fair(high, tie)):
        return BattleVerdict("undecided", f"{r_test} may lie within {bounds} or outside; more test samples could tell")
    if sample.interval[0] <= 1 <= sample.interval[1]:
        return BattleVerdict("undecided", f"r_sample {_with_interval(sample)} may be 1; more samples could tell")
    outcome: BattleOutcome = "first" if sample.interval[1] < 1 else "second"
    return BattleVerdict(outcome, f"r_sample {_with_interval(sample)} excludes 1, and {r_test} lies within {bounds}")


def _with_interval(ratio: Ratio) -> str:
    return f"{ratio.value:.4g} [{ratio.interval[0]:.4g}, {ratio.interval[1]:.4g}]"
