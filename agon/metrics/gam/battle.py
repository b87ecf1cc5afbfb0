"""Battles (GAM): each game's critic judges the other game's samples, and both judge the same real samples."""

from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from agon.arguments import TIE
from agon.errors import DataError
from agon.games import Game
from agon.latents import Latent, Normal
from agon.metrics.gam.areas import area_alone, duel
from agon.metrics.gam.critic import DEFAULT, RUNNING, Statistics, critic_of, needs_held
from agon.metrics.gam.entrants import (
    MakeSamples,
    Range,
    RealSamples,
    checked,
    entrant,
    generated_samples,
    judgement,
    rate,
    set_apart,
)
from agon.metrics.gam.outcome import Battle
from agon.metrics.gam.rates import paired_ratio, ratio
from agon.metrics.score import Score

UNIT: Range = (0.0, 1.0)  # any range serves if both games have the same


def battle(
    a: Game,
    b: Game,
    test: Float[Tensor, "n ..."],
    *,
    names: tuple[str, str] = ("first", "second"),
    latents: tuple[Latent, Latent] = (Normal(), Normal()),
    generate: tuple[MakeSamples, MakeSamples] | None = None,
    ranges: tuple[Range, Range] | None = None,
    n: int | None = None,
    seed: int = 0,
    statistics: Statistics = DEFAULT,
    calibrate: bool = False,
    held: Float[Tensor, "h ..."] | None = None,
    train: tuple[Float[Tensor, "t ..."], Float[Tensor, "u ..."]] | None = None,
    tie: float = TIE,
) -> Battle:
    """Compare two games by GAM: the critic of each judges the other's samples.

        r_test = ε(D_a(x)) / ε(D_b(x)),   r_sample = ε(D_a(G_b(z))) / ε(D_b(G_a(z))),

    where ε is the share of samples that a critic gets wrong. r_sample < 1 speaks for a: b's critic confuses a's samples
    with real ones more often than a's critic confuses b's. A critic decides at its objective's boundary
    (`Game.boundary`); without one, at a threshold calibrated on held-out samples. A sample exactly at the threshold
    counts half. Zero error rates are smoothed (`Ratio`). Both games remain unchanged. Both get the same latents if they
    share a latent distribution, so exchanging the games inverts the ratios.

    `statistics` states how batch normalisation in a critic normalises (generators always use running statistics):

    * "running": by its running statistics, a moving average over the last real and generated batches of training.
    * "reestimated": by means over held-out real samples and as many of its own, in separate batches.
    * "batch": by each batch of 100, all real or all generated, as the author's code does. Use it only to compare with
      that code: a sample's realness then depends on the rest of its batch.

    Beside the ratios stand the areas under the critics' ROC curves, which need no threshold (`AreaDuel`).

    Memory: the n samples of both games, and 256 of them in the networks.

    Args:
        a: the first game.
        b: the second, of samples of the same shape.
        test: real samples that neither was trained on, in a's range.
        names: the games' names in the result's text.
        latents: the distribution that each game generates from.
        generate: for each game, a function from latents to samples; by default the game's own, in evaluation mode.
        ranges: (least, greatest) value of a's and of b's data, if they differ: samples are then mapped from one range
            to the other before they are judged.
        n: the number of generated samples of each game, at least 1; by default as many as test samples.
        seed: chooses the latents, the held-out samples and the bootstrap's draws.
        statistics: "running", "reestimated" or "batch".
        calibrate: whether to calibrate every critic's threshold, even if its objective states a boundary.
        held: real samples for thresholds and statistics, in a's range. By default, if they are needed, a fifth of
            `test`, at most 1,000 samples, is held out and not tested. As many generated samples are held out, too.
        train: samples that a was trained on, and that b was, both in a's range. The result then has each critic's
            error on its own (r_train), and how often it finds one of them more real than a test sample: what r_test
            of a critic that knows its training samples by heart is made of.
        tie: r_test counts as 1 if |log r_test| <= log tie.

    Returns:
        Both critics' error rates, the ratios with intervals, and the verdicts.

    Raises:
        DataError: a game has no critic, shapes differ, there are too few samples, or numbers are not finite.
        SettingError: a setting is out of its range.

    Source: im2016, section 4, equations 10 and 11; the table of its figure 6.
    """
    needed = needs_held(a, statistics, calibrate) | needs_held(b, statistics, calibrate)
    real = set_apart(test, held, needed, seed)
    trained = (None, None) if train is None else (checked(train[0], test), checked(train[1], test))
    spare = 0 if real.held is None else len(real.held)
    count = len(real.tested) if n is None else n
    generators = generate or (a.generate, b.generate)
    samples = [
        generated_samples(*arguments, count, spare, seed) for arguments in zip((a, b), latents, generators, strict=True)
    ]
    bounds = ranges or (UNIT, UNIT)
    entrant_a, entrant_b = (
        entrant(name, game, real.beside(own, bounds[0], bound), checked(x, test, spare), bound, statistics, calibrate)
        for name, game, own, x, bound in zip(names, (a, b), trained, samples, bounds, strict=True)
    )
    foreign = entrant_a.scores_of(entrant_b), entrant_b.scores_of(entrant_a)
    first, second = judgement(entrant_a, foreign[0]), judgement(entrant_b, foreign[1])
    rng = np.random.default_rng(seed)
    return Battle(
        first=first,
        second=second,
        test=paired_ratio(entrant_a.wrong, entrant_b.wrong, rng),
        sample=ratio(first.foreign, second.foreign, rng),
        train=None if first.train is None or second.train is None else ratio(first.train, second.train, rng),
        areas=duel((foreign[0], entrant_a.scores), (foreign[1], entrant_b.scores)),
        tie=tie,
        protocol=f"ratio of error rates; {entrant_a.name}: {first.protocol}; {entrant_b.name}: {second.protocol}",
    )


def one_sided(
    judge: Game,
    samples: Float[Tensor, "n ..."],
    test: Float[Tensor, "t ..."] | None = None,
    *,
    latent: Latent = Normal(),  # noqa: B008 - frozen
    generate: MakeSamples | None = None,
    seed: int = 0,
    statistics: Statistics = DEFAULT,
    calibrate: bool = False,
    held: Float[Tensor, "h ..."] | None = None,
) -> Score:
    """The share of another model's samples that a game's critic takes for real: GAM for a model without a critic.

    A low value means that the critic recognises the samples as generated. A critic that takes nothing for real gets 0,
    too, so the detail has its error rates on real test samples and on its own generator's samples.

    Args:
        judge: the game whose critic judges.
        samples: the other model's samples, in the range of the judge's data.
        test: real samples that the judge was not trained on, in the same range. They may be omitted only if the critic
            has a boundary, and has no batch normalisation or uses running statistics.
        latent: the distribution that the judge generates its own samples from.
        generate: a function from latents to the judge's samples; by default its own, in evaluation mode.
        seed: chooses the judge's latents and the held-out samples.
        statistics: as in `battle`.
        calibrate: as in `battle`.
        held: as in `battle`.

    Returns:
        "error", 0 to 1, with Wilson's interval. With test samples, its detail has the area under the critic's ROC
        curve, which needs no threshold.

    Raises:
        DataError: the game has no critic, shapes differ, there are too few samples, or numbers are not finite.
        SettingError: a setting is out of its range.

    Source: im2016, section 4, last paragraph, and Table 2.
    """
    needed = needs_held(judge, statistics, calibrate)
    if test is None and held is None and needed:
        raise DataError(
            "a critic whose threshold or statistics must be calibrated: expected real test samples, got none; "
            f"give `test`, or {RUNNING} if it has a boundary",
            RUNNING,
        )
    real = RealSamples(None, held) if test is None else set_apart(test, held, needed, seed)
    spare = 0 if real.held is None else len(real.held)
    own_samples = generated_samples(judge, latent, generate or judge.generate, len(samples), spare, seed)
    for x in (samples, *(x for x in real if x is not None)):
        checked(x, own_samples)
    critic = critic_of(judge, real.held, own_samples[len(samples) :], statistics, calibrate)
    realness = critic.realness(samples)
    foreign = rate(critic.wrong(realness, real=False))
    rates = {"own": rate(critic.wrong(critic.realness(own_samples[: len(samples)]), real=False))}
    area: dict[str, Any] = {}
    if real.test is not None:
        of_real = critic.realness(real.test)
        rates["test"] = rate(critic.wrong(of_real, real=True))
        area = area_alone(realness, of_real)
    return Score(
        name="error",
        value=foreign.value,
        error=foreign.error,
        interval=foreign.interval,
        n=foreign.n,
        n_real=rates["test"].n if "test" in rates else None,
        protocol=f"share of foreign samples that a critic takes for real; {critic.protocol}",
        detail={
            **{f"error_{kind}": rate.value for kind, rate in rates.items()},
            "threshold": critic.threshold.value,
            "calibrated_on": critic.threshold.n,
            **area,
        },
    )
