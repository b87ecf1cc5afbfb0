"""The numbers of a battle as scores of a table."""

from collections.abc import Mapping
from dataclasses import replace

from agon.arguments import TIE
from agon.metrics.gam.outcome import Battle, Judgement
from agon.metrics.gam.verdict import BattleOutcome
from agon.metrics.score import Score

POINTS: Mapping[BattleOutcome, float] = {"first": -1.0, "second": 1.0, "unfair": 0.0, "undecided": 0.0}


def battle_won(battle: Battle) -> Score:
    """The winner: 1 for the second model, -1 for the first, 0 if the intervals allow no winner: "won".

    Its error is 0, because the intervals already account for chance.

    Args:
        battle: a battle with intervals of both ratios.

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
    * "r_sample": ε(D_1(G_2(z))) / ε(D_2(G_1(z))), above 1 if the second's samples fool the first's critic more.

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


def training_scores(battle: Battle) -> tuple[Score, ...]:
    """How a battle's critics judge what they were trained on; nothing if it had no training samples.

    * "r_train": ε(D_1(x_train)) / ε(D_2(x_train)), each critic on its own training samples. Where r_test is not 1 and
      r_train is, a critic is overfitted; where both are alike, one is merely stricter.
    * "seen-first", "seen-second": "seen" of either critic, see `judged_training`.

    Source: im2016, figure 6 and section 4: r_test "assures that none of the discriminator is overfitted more".
    """
    if battle.train is None:
        return ()
    first, second = (
        replace(judged_training(judgement)[-1], name=f"seen-{side}")
        for side, judgement in (("first", battle.first), ("second", battle.second))
    )
    r_train = Score(
        name="r_train",
        value=battle.train.value,
        error=battle.train.error,
        interval=battle.train.interval,
        n=battle.first.foreign.n,
        n_real=first.n,
        protocol=f"ratio of error rates on training samples; {battle.first.protocol}",
    )
    return r_train, first, second


def judged_training(judgement: Judgement) -> tuple[Score, Score, Score]:
    """One critic of a battle on training samples beside test samples.

    * "error-train", "error-test": ε(D(x_train)) and ε(D(x_test)), the shares that it takes for generated, 0 to 1.
    * "seen": P(D(x_train) >= D(x_test)), 0.5 for a critic that cannot tell them apart, 1 for one that knows its
      training samples by heart. It needs no threshold. A test set of another origin is not at 0.5.

    Args:
        judgement: of a battle that had training samples.

    Source: im2016, the table of figure 6.
    """
    area, errors = judgement.seen, (("train", judgement.train), ("test", judgement.test))
    assert area is not None  # the battle had training samples
    on_train, on_test = (
        Score(
            name=f"error-{samples}",
            value=rate.value,
            error=rate.error,
            interval=rate.interval,
            n=rate.n,
            protocol=f"share of real {samples} samples that a critic takes for generated; {judgement.protocol}",
        )
        for samples, rate in errors
        if rate is not None
    )
    protocol = "P(realness of a training sample >= realness of a test sample), ties half; DeLong's variance"
    seen = replace(area.score(), name="seen", protocol=protocol)
    return on_train, on_test, seen


def critic_errors(error: Score) -> tuple[Score, Score]:
    """A critic's errors on its own generator's samples and on test images, each from 0 to 1, without intervals.

    * "error-own": ε(D(G(z))), the share of its own generator's samples that it takes for real.
    * "error-test": ε(D(x)), the share of real test samples that it takes for generated.

    Args:
        error: the "error" score of a one-sided battle, which has both in its detail.

    Source: im2016, section 4, for table 2.
    """
    protocols = {
        "own": "share of its own generator's samples that a critic takes for real",
        "test": "share of real test images that a critic takes for generated",
    }
    on_own, on_test = (
        Score(
            name=f"error-{samples}",
            value=error.detail[f"error_{samples}"],
            n=error.n,
            n_real=error.n_real,
            protocol=protocol,
        )
        for samples, protocol in protocols.items()
    )
    return on_own, on_test
