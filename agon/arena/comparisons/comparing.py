"""Compare two experiments by the scores that their runs have on record."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from agon.arena.budgets import unequal_budgets
from agon.arena.comparisons.conclusions import conclusion
from agon.arena.comparisons.matching import Matched, matched
from agon.arena.comparisons.result import ComparisonResult
from agon.arena.comparisons.score import ComparedScore, Ends, Scale
from agon.arena.comparisons.sentences import rank
from agon.arena.comparisons.sides import Runs, Side, paths_of, sides
from agon.errors import RunError, command
from agon.metrics.deciding import holm, seeds_needed
from agon.metrics.differences import Contrast, Measured, contrast, paired_contrast
from agon.metrics.directions import Direction, direction_of, is_ratio
from agon.metrics.intervals import LEVEL, mean_value
from agon.untrusted import listed

By = Mapping[int, Measured]


def compare(first: Runs, second: Runs, *, metrics: Sequence[str] = ()) -> ComparisonResult:
    """Compare replicates of two experiments by every score that the runs of both have on record.

    A difference is the first experiment's mean less the second's, over seeds: within pairs of one seed where the seeds
    of one side are among those of the other (the others then do not count), else Welch's. With one run of each, its
    interval covers the noise of sampling alone. Positive ratios are compared as logarithms, scores with a best value by
    their distances from it. p-values are adjusted for the number of scores (Holm).

    The latest scores of the last step count, of one n, seed of latents, extractor and protocol; nothing is measured.

    Args:
        first: a run, a folder of its seeds, or several of them; a `Run`, a path or a name.
        second: the same, of another experiment on the same data.
        metrics: names of metrics or of scores to compare; by default all.

    Returns:
        The differences, the most telling score first, with a concluding sentence, and what was left out and why.

    Raises:
        RunError: a run is on both sides or is not there, a side has no finished run, or there is no common score.
        SettingError: the runs of a side differ in more than their seed.
        DataError: the two sides have different data.
    """
    (one, two), left_out = sides(paths_of(first), paths_of(second))
    found, apart = matched(one, two, metrics)
    if not found:
        raise _nothing_in_common(one, two, metrics, apart)
    places = {each.name: str(each.path) for side in (one, two) for each in side.replicates}
    scores = compared(found, (one.run_names, two.run_names))
    names = (one.name, two.name)
    alike = one.replicates[0].settings == two.replicates[0].settings
    budgets = unequal_budgets({side.name: side.steps for side in (one, two)})
    sentence = conclusion(names, scores, alike=alike, budgets=budgets)
    return ComparisonResult(
        names=names, scores=scores, sentence=sentence, left_out={**left_out, **apart}, places=places
    )


def compared(
    found: Sequence[Matched], run_names: tuple[Mapping[int, str], Mapping[int, str]]
) -> tuple[ComparedScore, ...]:
    """Compare matched scores, the most telling first.

    Args:
        found: the scores; at least one.
        run_names: seed -> name of its run, on both sides.
    """
    scales = [_scale(each) for each in found]
    parts = [_contrast(each, scale) for each, scale in zip(found, scales, strict=True)]
    known = [place for place, (between, _) in enumerate(parts) if between.p is not None]
    adjusted = dict(zip(known, holm([parts[place][0].p or 0.0 for place in known]), strict=True))
    level = 1 - (1 - LEVEL) / max(1, len(known))
    scores = [
        _score(each, scale, between, pairs, adjusted.get(place), level, run_names)
        for place, (each, scale, (between, pairs)) in enumerate(zip(found, scales, parts, strict=True))
    ]
    return tuple(sorted(scores, key=lambda score: (score.best is None, score.interval is None, rank(score.name))))


def _scale(each: Matched) -> Scale:
    direction = direction_of(each.name)
    if direction is not None and math.isfinite(direction.best):
        return "distance"
    return "logarithm" if _as_ratio(each) else "value"


def _as_ratio(each: Matched) -> bool:
    values = [*each.first.values(), *each.second.values()]
    return is_ratio(each.name) and all(score.value > 0 for score in values)


def _contrast(each: Matched, scale: Scale) -> tuple[Contrast, int]:
    """Contrast the two sides on the scale, and return the number of pairs; 0 if the seeds are not paired."""
    change = _changed(direction_of(each.name), scale, _as_ratio(each))
    one, two = ({seed: change(score) for seed, score in side.items()} for side in (each.first, each.second))
    common = sorted(set(one) & set(two))
    if len(common) > 1 and len(common) == min(len(one), len(two)):
        return paired_contrast([one[seed] for seed in common], [two[seed] for seed in common]), len(common)
    return contrast(list(one.values()), list(two.values())), 0


def _changed(direction: Direction | None, scale: Scale, ratio: bool) -> Callable[[Measured], Measured]:
    """Return what brings a value and its standard error to the scale."""

    def logarithm(score: Measured) -> Measured:
        return Measured(math.log(score.value), None if score.error is None else score.error / score.value)

    def change(score: Measured) -> Measured:
        score = logarithm(score) if ratio else score
        if scale != "distance" or direction is None:
            return score
        best = math.log(direction.best) if ratio else direction.best
        return Measured(abs(score.value - best), score.error)

    return change


def _score(
    each: Matched,
    scale: Scale,
    between: Contrast,
    pairs: int,
    p: float | None,
    level: float,
    run_names: tuple[Mapping[int, str], Mapping[int, str]],
) -> ComparedScore:
    direction = direction_of(each.name)
    first, second = _counted(each, pairs)
    decided = p is not None and p <= 1 - LEVEL
    return ComparedScore(
        name=each.name,
        metric=each.record.metric or each.record.name,
        best=None if direction is None else direction.best,
        scale=scale,
        first={run_names[0][seed]: score.value for seed, score in first.items()},
        second={run_names[1][seed]: score.value for seed, score in second.items()},
        means=(_mean(first, _as_ratio(each)), _mean(second, _as_ratio(each))),
        difference=between.value,
        interval=_interval(between, LEVEL),
        together=_interval(between, level),
        p=p,
        p_alone=between.p,
        effect=between.value / between.spread if between.spread else None,
        pairs=pairs,
        covers=between.covers,
        needed_seeds=None if decided else seeds_needed(between, level=level),
    )


def _counted(each: Matched, pairs: int) -> tuple[By, By]:
    """The values that count: those of the pairs, or all."""
    if not pairs:
        return each.first, each.second
    common = sorted(set(each.first) & set(each.second))
    return {seed: each.first[seed] for seed in common}, {seed: each.second[seed] for seed in common}


def _mean(values: By, ratio: bool) -> float:
    if ratio:
        return math.exp(fmean(math.log(score.value) for score in values.values()))
    return mean_value([score.value for score in values.values()])


def _interval(between: Contrast, level: float) -> Ends | None:
    half = between.half(level)
    return None if half is None else (between.value - half, between.value + half)


def _nothing_in_common(one: Side, two: Side, metrics: Sequence[str], apart: Mapping[str, str]) -> RunError:
    what = f"of {', '.join(metrics)} " if metrics else ""
    others = [each.name for each in matched(one, two)[0]] if metrics else []
    reasons = "; ".join(f"{name}: {reason}" for name, reason in list(apart.items())[:3])
    measure = command("evaluate", *(place for side in (one, two) for place in side.places))
    option = f" --metrics {','.join(metrics)}" if metrics else ""
    reasons = f"of {listed(others)} only" if others else reasons
    return RunError(
        f"a comparison: expected a score {what}that {one.name} and {two.name} have in common, got none"
        f"{f' ({reasons})' if reasons else ''}; {measure}{option} measures them"
    )
