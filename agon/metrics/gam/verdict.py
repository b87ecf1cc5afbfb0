"""Who wins a battle: by the paper's rule, and by what the samples can tell."""

import math
from typing import Literal, NamedTuple

from agon.errors import DataError, SettingError
from agon.metrics.gam.rates import Ratio

TIE = 1.3  # r_test counts as 1 from 1 / TIE to TIE
ROUNDING = 1e-12  # of a logarithm: 1 / 1.3 is as near to 1 as 1.3

Winner = Literal["first", "second", "tie"]
Outcome = Literal["first", "second", "unfair", "undecided"]


class Verdict(NamedTuple):
    """What the intervals of a battle allow to say.

    Attributes:
        outcome: the side that wins; "unfair" where one critic knows real samples better than the other; or
            "undecided", where more samples could tell.
        reason: in a sentence.
    """

    outcome: Outcome
    reason: str


def winner(r_test: float, r_sample: float, tie: float = TIE) -> Winner:
    """The paper's verdict: "first" if r_sample < 1, "second" if r_sample > 1, where r_test is nearly 1; else "tie".

    r_test counts as 1 within |log r_test| <= log tie, which treats both sides alike. The source names no bound; with
    1.3 all eight verdicts of its Table 1 follow from the ratios that it prints.

    Args:
        r_test: ε(D_1(x)) / ε(D_2(x)) on real test samples, above 0.
        r_sample: ε(D_1(G_2(z))) / ε(D_2(G_1(z))), above 0: the first critic's error on the second's samples first.
        tie: the rule's bound, at least 1.

    Raises:
        DataError: a ratio that is not a finite number above 0.
        SettingError: a bound under 1.

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
    if not (math.isfinite(tie) and tie >= 1):
        raise SettingError(f"tie rule of a battle: expected a bound of at least 1, got {tie}; use {TIE}")
    return abs(math.log(r_test)) <= math.log(tie) + ROUNDING


def verdict(test: Ratio, sample: Ratio, names: tuple[str, str], tie: float = TIE) -> Verdict:
    """The verdict with an interval: nobody wins by what chance could have made.

    A side wins if the 95 % interval of r_sample excludes 1 and that of r_test lies within the tie rule; "unfair" if
    that of r_test lies wholly outside; else "undecided".

    Args:
        test: r_test.
        sample: r_sample.
        names: of the two games.
        tie: the tie rule's bound, at least 1.

    Raises:
        SettingError: a bound under 1.
    """
    low, high = test.interval
    bounds = f"{1 / tie:.3g} to {tie:g}"
    told = f"r_test {_told(test)}"
    if (low > 1 or high < 1) and not fair(low, tie) and not fair(high, tie):
        worse, better = names if low > 1 else names[::-1]
        reason = f"{told} lies outside of {bounds}: {worse}'s critic errs more on real samples than {better}'s"
        return Verdict("unfair", reason)
    if not (fair(low, tie) and fair(high, tie)):
        return Verdict("undecided", f"{told} may lie within {bounds} or outside; more test samples could tell")
    if sample.interval[0] <= 1 <= sample.interval[1]:
        return Verdict("undecided", f"r_sample {_told(sample)} may be 1; more samples could tell")
    side: Outcome = "first" if sample.interval[1] < 1 else "second"
    return Verdict(side, f"r_sample {_told(sample)} excludes 1, and {told} lies within {bounds}")


def _told(found: Ratio) -> str:
    return f"{found.value:.4g} [{found.interval[0]:.4g}, {found.interval[1]:.4g}]"
