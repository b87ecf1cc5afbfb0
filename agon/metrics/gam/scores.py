"""A battle's numbers as scores of a table, one by one."""

from collections.abc import Mapping

from agon.metrics.gam.outcome import Battle
from agon.metrics.gam.verdict import TIE, BattleOutcome
from agon.metrics.score import Score

POINTS: Mapping[BattleOutcome, float] = {"first": -1.0, "second": 1.0, "unfair": 0.0, "undecided": 0.0}


def battle_won(battle: Battle) -> Score:
    """1 where the second wins, -1 where the first does, 0 where the intervals allow neither: "won".

    Its error is 0: what chance could have made is no victory.

    Args:
        battle: with the intervals of both ratios.

    Source: im2016, equation 11 and table 1, with intervals.
    """
    return Score(
        name="won",
        value=POINTS[battle.verdict.outcome],
        error=0.0,
        n=battle.first.foreign.n,
        n_real=battle.first.test.n,
        protocol="1: the second wins, -1: the first wins, 0: neither; by the 95 % interval of r_sample, where that of "
        f"r_test lies within 1/{TIE} to {TIE}",
    )


def battle_ratios(battle: Battle) -> tuple[Score, Score]:
    """The battle's two ratios of error rates, each with its interval.

    * "r_test": ε(D_1(x)) / ε(D_2(x)) on real test samples.
    * "r_sample": ε(D_1(G_2(z))) / ε(D_2(G_1(z))), above 1 where the second's samples fool the first's critic more.

    Source: im2016, equation 10.
    """
    r_test, r_sample = (
        Score(
            name=name,
            value=ratio.value,
            error=ratio.error,
            interval=ratio.interval,
            n=battle.first.foreign.n,
            n_real=battle.first.test.n,
            protocol=f"ratio of error rates; {battle.first.protocol}",
        )
        for name, ratio in (("r_test", battle.test), ("r_sample", battle.sample))
    )
    return r_test, r_sample


def critic_errors(error: Score) -> tuple[Score, Score]:
    """What a critic gets wrong beside another model's samples, without intervals of their own, each 0 to 1.

    * "error-own": ε(D(G(z))), the share of its own generator's samples that it takes for real.
    * "error-test": ε(D(x)), the share of real test samples that it takes for generated.

    Args:
        error: the "error" of a one-sided battle, whose detail has both.

    Source: im2016, section 4, for table 2.
    """
    protocols = {
        "own": "share of its own generator's samples that a critic takes for real",
        "test": "share of real test images that a critic takes for generated",
    }
    own, test = (
        Score(
            name=f"error-{of}",
            value=error.detail[f"error_{of}"],
            n=error.n,
            n_real=error.n_real,
            protocol=protocol,
        )
        for of, protocol in protocols.items()
    )
    return own, test
