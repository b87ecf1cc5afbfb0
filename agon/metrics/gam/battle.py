"""Battles: each game's critic judges the other's samples, and both judge the same real ones."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from agon.errors import DataError
from agon.games import Game
from agon.latents import Latent, Normal
from agon.metrics.gam.contender import (
    Generate,
    Range,
    RealSamples,
    Samples,
    checked,
    contender,
    made,
    rate,
    set_apart,
    side,
)
from agon.metrics.gam.critic import DEFAULT, RUNNING, Statistics, critic_of, needs_held
from agon.metrics.gam.outcome import Battle
from agon.metrics.gam.rates import paired_ratio, ratio
from agon.metrics.gam.verdict import TIE
from agon.metrics.score import Score

UNIT: Range = (0.0, 1.0)  # any range will do where both have the same


def battle(
    a: Game,
    b: Game,
    test: Samples,
    *,
    names: tuple[str, str] = ("first", "second"),
    latents: tuple[Latent, Latent] = (Normal(), Normal()),
    generate: tuple[Generate, Generate] | None = None,
    ranges: tuple[Range, Range] | None = None,
    n: int | None = None,
    seed: int = 0,
    statistics: Statistics = DEFAULT,
    calibrate: bool = False,
    held: Float[Tensor, "h ..."] | None = None,
    train: Float[Tensor, "t ..."] | None = None,
    tie: float = TIE,
) -> Battle:
    """GAM: the critic of each of two games judges the other's samples.

        r_test = ε(D_a(x)) / ε(D_b(x)),   r_sample = ε(D_a(G_b(z))) / ε(D_b(G_a(z))),

    with ε the share of samples that are taken for the other kind. r_sample < 1 speaks for a, whose samples b's critic
    finds harder to tell than a's critic finds b's. A critic decides at its objective's boundary (`Game.boundary`), or,
    where there is none, at a threshold that is calibrated on held-out samples; a sample at exactly that place counts
    half. An error of zero is smoothed (`Ratio`). Both games are left as they are, and both get the same latents,
    where theirs are of one kind, so that exchanging the two inverts the ratios.

    What batch normalisation in a critic normalises by (`statistics`; the generators always use running ones):

    * "running": its running statistics, a moving average over the last real and generated batches of training.
    * "reestimated": the means over held-out real and own generated samples, in batches of their own, half and half.
    * "batch": those of each batch of 100, all real or all generated, as the author's code has it: for comparison
      with it, since a sample's realness then depends on what else is in the batch.

    Memory: the n samples of both, and 256 of them in the networks.

    Args:
        a: the first game.
        b: the second, of samples of the same shape.
        test: real samples that neither was trained on, in a's range.
        names: of the two, for the words.
        latents: what each generates from.
        generate: latents -> samples of each; by default the games' own, in evaluation mode.
        ranges: the (least, greatest) value of a's and of b's data where they differ: samples are mapped before the
            other judges them.
        n: generated samples of each that are judged, at least 1; by default as many as are tested.
        seed: of the latents, of what is held out, and of the bootstrap.
        statistics: "running", "reestimated" or "batch".
        calibrate: a threshold for every critic, whether its objective states a boundary or not.
        held: real samples for thresholds and statistics, in a's range; by default, where they are needed, a fifth of
            `test`, at most 1,000, is set apart and not tested. As many generated ones are held out beside them.
        train: training samples in a's range: then each critic's error on them is told, too.
        tie: r_test counts as 1 within |log r_test| <= log tie.

    Raises:
        DataError: a game without a critic, shapes that differ, too few samples, or numbers that are not finite.
        SettingError: a setting out of its range.

    Source: im2016, section 4, equations 10 and 11; the table of its figure 6.
    """
    needed = needs_held(a, statistics, calibrate) | needs_held(b, statistics, calibrate)
    real = set_apart(test, held, train, needed, seed)
    spare = 0 if real.held is None else len(real.held)
    number = len(real.tested) if n is None else n
    paint = generate or (a.generate, b.generate)
    samples = [made(*each, number, spare, seed) for each in zip((a, b), latents, paint, strict=True)]
    bounds = ranges or (UNIT, UNIT)
    one, two = (
        contender(name, game, real.mapped(bounds[0], bound), checked(x, test, spare), bound, statistics, calibrate)
        for name, game, x, bound in zip(names, (a, b), samples, bounds, strict=True)
    )
    first, second = side(one, two), side(two, one)
    rng = np.random.default_rng(seed)
    return Battle(
        first=first,
        second=second,
        test=paired_ratio(one.wrong, two.wrong, rng),
        sample=ratio(first.foreign, second.foreign, rng),
        tie=tie,
        protocol=f"ratio of error rates; {one.name}: {first.protocol}; {two.name}: {second.protocol}",
    )


def one_sided(
    judge: Game,
    samples: Samples,
    test: Float[Tensor, "t ..."] | None = None,
    *,
    latent: Latent = Normal(),  # noqa: B008 - frozen
    generate: Generate | None = None,
    seed: int = 0,
    statistics: Statistics = DEFAULT,
    calibrate: bool = False,
    held: Float[Tensor, "h ..."] | None = None,
) -> Score:
    """How many foreign samples a game's critic takes for real: GAM against a model without a critic.

    "error", 0 to 1, with Wilson's interval. A low one says that the critic tells the samples from real ones, as it also
    does if it takes nothing for real: its errors on real test samples and on its own are in the detail.

    Args:
        judge: the game whose critic is asked.
        samples: of the other model, in the range of the judge's data.
        test: real samples that the judge was not trained on, in the same range. Without them only a critic with a
            boundary and without batch normalisation, or one with running statistics, can be asked.
        latent: what the judge generates its own samples from.
        generate: latents -> them; by default the judge's own, in evaluation mode.
        seed: of its latents, and of what is held out.
        statistics: as in `battle`.
        calibrate: as in `battle`.
        held: as in `battle`.

    Raises:
        DataError: a game without a critic, shapes that differ, too few samples, or numbers that are not finite.
        SettingError: a setting out of its range.

    Source: im2016, section 4, last paragraph, and Table 2.
    """
    needed = needs_held(judge, statistics, calibrate)
    if test is None and held is None and needed:
        raise DataError(
            "a critic whose threshold or statistics must be calibrated: expected real test samples, got none; "
            f"give `test`, or {RUNNING} if it has a boundary",
            RUNNING,
        )
    real = RealSamples(None, held, None) if test is None else set_apart(test, held, None, needed, seed)
    spare = 0 if real.held is None else len(real.held)
    own = made(judge, latent, generate or judge.generate, len(samples), spare, seed)
    for x in (samples, *(each for each in real if each is not None)):
        checked(x, own)
    critic = critic_of(judge, real.held, own[len(samples) :], statistics, calibrate)
    error = rate(critic.wrong(samples, real=False))
    rates = {"own": rate(critic.wrong(own[: len(samples)], real=False))}
    if real.test is not None:
        rates["test"] = rate(critic.wrong(real.test, real=True))
    return Score(
        name="error",
        value=error.value,
        error=error.error,
        interval=error.interval,
        n=error.n,
        n_real=rates["test"].n if "test" in rates else None,
        protocol=f"share of foreign samples that a critic takes for real; {critic.protocol}",
        detail={
            **{f"error_{kind}": each.value for kind, each in rates.items()},
            "threshold": critic.threshold.value,
            "calibrated_on": critic.threshold.n,
        },
    )
