"""How surely ratings are known: what other seeds of each contestant would change, by a jackknife over trainings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from agon.arena.ratings.fitting import Fit, least_squares
from agon.arena.ratings.meetings import Meetings
from agon.errors import require
from agon.metrics.intervals import LEVEL, NORMAL


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Which training belongs to whom.

    Attributes:
        generators: contestant of each generator, by its number.
        critics: contestant of each critic.
        trainings: contestant -> its trainings, each the row of its generator and the column of its critic, None for
            one that it has not.
        counted: contestants whose generators' mean is 0: those that are no references.
    """

    generators: list[int]
    critics: list[int]
    trainings: Sequence[Sequence[tuple[int | None, int | None]]]
    counted: Sequence[int]

    def rated(
        self, theta: Float64[np.ndarray, " k"], without: tuple[int | None, int | None] = (None, None)
    ) -> Float64[np.ndarray, "2 m"]:
        """Ratings of each contestant's generators and critics, NaN where it has none.

        A rating is the mean over the contestant's trainings; the mean of the counted generators' ratings is 0, and
        the same shift applied to the critics keeps g - d.
        """
        rows, columns = len(self.generators), len(self.critics)
        g = _means(theta[:rows], self.generators, without[0], len(self.trainings))
        d = _means(theta[rows : rows + columns], self.critics, without[1], len(self.trainings))
        rated: Float64[np.ndarray, "2 m"] = np.stack([g, d]) - g[list(self.counted)].mean()
        return rated


def halves(fit: Fit, meetings: Meetings, roster: Roster) -> Float64[np.ndarray, "2 m"]:
    """Half the widths of the 95 % intervals of `Roster.rated`, NaN where there is no rating.

    The variance of a rating is a sum over contestants. One with S > 1 trainings adds its jackknife's,

        V_k = (S - 1) / S Σ_s (θ_(k,s) - mean_s θ_(k,s))²,

    where θ_(k,s) is the rating without training s of contestant k, its generator and its critic. A contestant with one
    training is taken as it is: it adds its samples' variance. With V = Σ_k V_k, the half width of c's rating is

        √V (t_c V_c + t_o (V - V_c)) / V,

    where t_c is Student's quantile of S_c - 1 degrees of freedom, for c's own spread, and t_o that of
    Σ_(k≠c) (S_k - 1), for the others'. No interval is narrower than the samples' noise alone makes it.

    Source: Efron and Stein 1981 (jackknife); Cochran and Cox 1957 (quantiles weighted by variances).
    """
    sampling = samples_variance(fit, meetings, roster)  # 2 m k: of the rating of m, by the samples of k
    parts, sizes = sampling.copy(), np.array([len(trainings) for trainings in roster.trainings])
    for k, size in enumerate(sizes):
        if size > 1:
            parts[:, :, k] = _jackknife(fit, meetings, roster, k)
    total, own = parts.sum(-1), parts.diagonal(axis1=1, axis2=2)
    freedom = np.maximum(sizes - 1.0, 0)
    excess = student(freedom) * own + student(freedom.sum() - freedom) * (total - own)
    with np.errstate(invalid="ignore"):
        half = np.where(total > 0, excess / np.sqrt(total), total)
    widest: Float64[np.ndarray, "2 m"] = np.maximum(half, NORMAL * np.sqrt(sampling.sum(-1)))
    return widest


def student(freedom: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """So many standard errors to either side hold 95 %; with 0 degrees of freedom, those of a normal distribution."""
    require("scipy")
    from scipy.special import stdtrit

    known = freedom > 0
    factors: Float64[np.ndarray, "*shape"] = stdtrit(np.where(known, freedom, 1.0), (1 + LEVEL) / 2)
    return np.where(known, factors, NORMAL)


def samples_variance(fit: Fit, meetings: Meetings, roster: Roster) -> Float64[np.ndarray, "2 m k"]:
    """Variance of the ratings of contestants m by the samples of contestants k alone.

    The areas of one generator share its samples, and those of one critic the real images, so that their errors may be
    fully correlated: the error of a g or d is the weighted mean of the errors of its meetings, not less.
    """
    count = len(roster.trainings)
    g, d = _own_variances(fit, meetings, roster)
    shift = np.bincount(roster.counted, minlength=count) / len(roster.counted)
    own = np.eye(count)
    of_g = (own - shift) ** 2 * np.nan_to_num(g)
    of_d = own * np.nan_to_num(d) + shift**2 * np.nan_to_num(g)
    return np.stack([of_g, of_d])


def samples_variance_between(fit: Fit, meetings: Meetings, roster: Roster, one: int, other: int) -> float:
    """Variance of the difference of two contestants' generators by their samples.

    The mean that is the zero of both ratings leaves their difference: it is not that of two ratings.
    """
    g, _ = _own_variances(fit, meetings, roster)
    return float(g[one] + g[other])


def _own_variances(
    fit: Fit, meetings: Meetings, roster: Roster
) -> tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """Variances of each contestant's g and d by its own samples, before a zero is chosen."""
    errors, count = np.nan_to_num(meetings.errors), len(roster.trainings)
    rows, columns = ((fit.weights * errors).sum(axis) / fit.weights.sum(axis) for axis in (1, 0))
    g, d = (
        _means(values**2, of, None, count) / _counts(of, count)
        for values, of in ((rows, roster.generators), (columns, roster.critics))
    )
    return g, d


def _jackknife(fit: Fit, meetings: Meetings, roster: Roster, k: int) -> Float64[np.ndarray, "2 m"]:
    """V_k of all ratings; each θ_(k,s) is one step of Newton's method from the fit with all trainings.

    A contestant's only generator, or only critic, stays.
    """
    left, (generates, judges) = [], (of.count(k) > 1 for of in (roster.generators, roster.critics))
    for training in roster.trainings[k]:
        row, column = (index if several else None for index, several in zip(training, (generates, judges), strict=True))
        weights = fit.weights.copy()
        if row is not None:
            weights[row] = 0
        if column is not None:
            weights[:, column] = 0
        theta = least_squares(fit.working, weights, meetings.at_home, meetings.guests)
        left.append(roster.rated(theta, (row, column)))
    squares: Float64[np.ndarray, "2 m"] = np.array(left).var(0)
    return (len(left) - 1) * squares


def _means(
    values: Float64[np.ndarray, " n"], of: Sequence[int], without: int | None, count: int
) -> Float64[np.ndarray, " m"]:
    """Mean of the values of each contestant, NaN where it has none."""
    kept = [index for index in range(len(values)) if index != without]
    contestants = np.array(of, dtype=int)[kept]
    with np.errstate(invalid="ignore"):
        means: Float64[np.ndarray, " m"] = np.bincount(contestants, values[kept], count) / _counts(contestants, count)
    return means


def _counts(of: Sequence[int] | Int64[np.ndarray, " n"], count: int) -> Float64[np.ndarray, " m"]:
    return np.bincount(np.array(of, dtype=int), minlength=count).astype(float)
