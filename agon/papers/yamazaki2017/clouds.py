"""Figures 5.1, 5.2, C.3 and C.4: the points of one set of latents over training, on the data."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from statistics import fmean

import torch
from torch import Tensor

from agon.data.points import Mixture
from agon.errors import require
from agon.evaluate import kept
from agon.experiment import Experiment
from agon.figures.clouds import clouds_png
from agon.metrics import Score, mode_coverage
from agon.metrics.intervals import mean_score
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores
from agon.papers.yamazaki2017.figure import figure
from agon.papers.yamazaki2017.losses import pair_of
from agon.recipes.scales import Scale
from agon.recipes.yamazaki2017 import points
from agon.recipes.yamazaki2017.settings import titled
from agon.report.embedding import spread
from agon.runs import Run
from agon.samples.reading import real_samples
from agon.training.randomness import derived

SHOWN = (100, 1_000, 2_000, 3_000, 4_000, 6_000, 8_000, 10_000, 15_000, 20_000)  # section 5.1's iterations
ACROSS = 5  # of a line: the paper's rows are two lines each
QUARTER = 4
TO_DATA, FROM_DATA = "distance-to-data", "distance-from-data"


def shown(steps: Sequence[int]) -> list[int]:
    """The paper's iterations where the run kept them all, or as many of its own."""
    return list(SHOWN) if set(SHOWN) <= set(steps) else spread(steps, len(SHOWN))


def training_points(run: Run) -> Tensor:
    """The finite set that the run was trained on, whole."""
    experiment = Experiment.from_json(run.experiment)
    return real_samples(experiment.data, points.POINTS, seed=derived(experiment.seed, "data"))


def distances(made: Tensor, real: Tensor) -> Scores:
    """Mean distances from each generated point to the nearest training point, and the other way."""
    ways = {TO_DATA: (made, real, "generated"), FROM_DATA: (real, made, "training")}
    return [
        mean_score(
            name,
            nearest(queries, others),
            f"mean over {whose} points of the distance to the nearest one of the other kind",
            n=len(made),
            n_real=len(real),
        )
        for name, (queries, others, whose) in ways.items()
    ]


def nearest(queries: Tensor, others: Tensor) -> Tensor:
    """Distances "n": a tree takes a hundredth of the time in the plane that `metrics.nearest_neighbours` does."""
    require("scipy")
    from scipy.spatial import KDTree

    return torch.from_numpy(KDTree(others.double().numpy()).query(queries.double().numpy())[0])


def movements(clouds: Sequence[Tensor]) -> Scores:
    """How far the point of a latent moves from one look to the next, and how far the middle of all points does."""
    moved = [float((after - before).norm(dim=1).mean()) for before, after in pairwise(clouds)]
    shifted = [float((after - before).mean(dim=0).norm()) for before, after in pairwise(clouds)]
    how = f"from one look to the next, mean of {len(clouds) - 1}"
    return [
        Score(name="movement", value=fmean(moved), n=len(clouds[0]), protocol=f"mean move of a latent's point {how}"),
        Score(name="shift", value=fmean(shifted), n=len(clouds[0]), protocol=f"move of the mean of all points {how}"),
    ]


def measure(run: Run, scale: Scale) -> Scores:
    """The last points against the training set, those of the first quarter of the training, and how they moved."""
    clouds, real = list(kept(run).values()), training_points(run)
    last = [*distances(clouds[-1], real), *_modes(run, clouds[-1])]
    quarter = clouds[1 : max(2, len(clouds) // QUARTER)]
    early = [score.value for cloud in quarter for score in distances(cloud, real)]
    how = f"mean of {TO_DATA} and {FROM_DATA} over the looks of the first quarter of the training"
    return [
        *last,
        Score(name="early-distance", value=fmean(early), n=len(clouds[-1]), n_real=len(real), protocol=how),
        *movements(clouds),
    ]


def history(run: Run) -> Mapping[int, Scores]:
    """The distances, and the modes where there are any, at the steps of the picture."""
    clouds, real = kept(run), training_points(run)
    return {step: [*distances(clouds[step], real), *_modes(run, clouds[step])] for step in shown(list(clouds))}


def _modes(run: Run, made: Tensor) -> Scores:
    source = Experiment.from_json(run.experiment).data
    if not isinstance(source, Mixture):
        return []
    found = mode_coverage(made, source.modes, source.std)
    return [found.modes, found.quality]


def draw(runs: Mapping[str, Run]) -> bytes:
    """Two lines a row: the points of the same latents at ten steps, on the training set."""
    rows, behind, columns = {}, {}, [""]
    for label, run in runs.items():
        clouds = kept(run)
        steps = shown(list(clouds))
        columns = [f"{step:,}" for step in steps]
        name = label.replace(" without", "\nwithout").replace(": ", ":\n").replace(" against", "\nagainst")
        rows[name] = [clouds[step].double().numpy() for step in steps]
        behind[name] = training_points(run).double().numpy()
    return clouds_png(rows, columns, real=behind, corner="iteration", across=ACROSS)


_figure = partial(figure, measure=measure, draw=draw, history=history)


def _nearer(row: str, other: str, score: str = TO_DATA, what: str = "end") -> Expectation:
    return Expectation(
        says=f"the points of {row} {what} nearer to the data than those of {other}", score=score, row=row, below=other
    )


def _steadier(row: str, other: str) -> Expectation:
    return Expectation(
        says=f"the points of {row} move less than those of {other}", score="movement", row=row, below=other
    )


def _capacity(number: str, name: str) -> Item:
    shallow, deep, weak = "M0_A", "M1_A", titled("M1_A", False)
    drawn = {shallow: points.OF[f"{name}-m0"], deep: points.OF[f"{name}-m1"], weak: points.OF[f"{name}-m1-nobn"]}
    claim = (
        f"{points.TITLES[name]}: shallow networks are steady and make points that are not in the data; deep ones come "
        "nearer but oscillate, less so and nearest without batch normalisation in the critic"
    )
    expects = (_nearer(deep, shallow), _steadier(shallow, deep), _nearer(weak, deep), _steadier(weak, deep))
    return _figure(number, claim, drawn, expects)


def _unbalanced(number: str, pair: str) -> Item:
    titles = points.TITLES
    drawn = {f"{title}: {pair_of(pair)}": points.OF[f"{name}-{pair}"] for name, title in titles.items()}
    shallow = {f"{title}: M0_A": points.OF[f"{name}-m0"] for name, title in titles.items()}
    deep = {f"{title}: M1_A": points.OF[f"{name}-m1"] for name, title in titles.items()}
    if pair == "g0d1":
        claim = "against a deep critic, the points of a shallow generator oscillate"
        expects = [_steadier(other, row) for row, other in zip(drawn, shallow, strict=True)]
        return _figure(number, claim, drawn, expects, beyond=shallow)
    claim = (
        "against a shallow critic, a deep generator is as steady as the baseline and converges faster, but does not "
        "end as near to the data as two deep networks"
    )
    expects = [
        each
        for row, plain, both in zip(drawn, shallow, deep, strict=True)
        for each in (
            _steadier(row, both),
            _nearer(row, plain, "early-distance", "come"),
            _nearer(both, row),
        )
    ]
    return _figure(number, claim, drawn, expects, beyond={**shallow, **deep}, seeds=2)  # of six trainings


CAPACITY = (_capacity("5.1", "swiss-roll"), _capacity("5.2", "ring"))
UNBALANCED = (_unbalanced("C.3", "g0d1"), _unbalanced("C.4", "g1d0"))
