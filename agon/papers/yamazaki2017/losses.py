"""Figures 5.3 to 5.10, C.1 and C.2: losses and the critic's outputs over training."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean, pstdev
from typing import Any

from agon.errors import RunError
from agon.figures.colours import colour
from agon.figures.curves import Curve, Panel, curves_png
from agon.metrics import Score
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores
from agon.papers.yamazaki2017.figure import figure
from agon.recipes.scales import Scale
from agon.recipes.yamazaki2017 import images, points
from agon.recipes.yamazaki2017.settings import titled
from agon.runs import Run, read

CERTAIN = 0.05  # an output for generated samples below which the critic rejects them nearly surely
QUARTER = 4
BLUE, ORANGE = colour(0), colour(1)  # the paper's: the critic's loss and real data, the generator's and its samples

Records = Sequence[Mapping[str, Any]]


def outputs(records: Records, kind: str) -> list[float]:
    """The critic's output, a probability, at the mean logit of the "real" or the "fake" samples of each record."""
    return [1 / (1 + math.exp(-min(max(record[f"logit/{kind}"], -500), 500))) for record in records]


def measure(run: Run, scale: Scale) -> Scores:
    """How far the losses part, how much the generator's varies, and how often the critic is sure.

    Raises:
        RunError: the run's log is empty.
    """
    records = read(run.log)
    if not records:
        raise RunError(f"{run.log} has no record; agon resume {run.path} goes on with the training")
    length = max(1, len(records) // QUARTER)
    first, last = ([record["loss/generator"] for record in part] for part in (records[:length], records[-length:]))
    critic = fmean(record["loss/critic"] for record in records[-length:])
    told = {
        "loss-gap": (fmean(last) - critic, "generator's loss over the critic's, mean of the last quarter of records"),
        "loss-growth": (fmean(last) - fmean(first), "generator's loss, last quarter's mean less the first's"),
        "loss-deviation": (pstdev(last), "standard deviation of the generator's loss over the last quarter of records"),
        "rejected": (
            fmean(output < CERTAIN for output in outputs(records, "fake")),
            f"share of records whose mean logit of generated samples is an output below {CERTAIN}",
        ),
    }
    return [Score(name=name, value=value, n=len(records), protocol=how) for name, (value, how) in told.items()]


def panels(label: str, run: Run) -> tuple[Panel, Panel]:
    """The losses of a run, and its critic's outputs."""
    records = read(run.log)
    steps = [record["step"] for record in records]
    losses = [
        Curve("generator's loss", steps, [record["loss/generator"] for record in records], ORANGE),
        Curve("critic's loss", steps, [record["loss/critic"] for record in records], BLUE),
    ]
    judged = [
        Curve("output for generated data", steps, outputs(records, "fake"), ORANGE),
        Curve("output for training data", steps, outputs(records, "real"), BLUE),
    ]
    return (
        Panel(f"{label}: losses", losses, x_label="iteration"),
        Panel(f"{label}: outputs", judged, x_label="iteration", limits=(0.0, 1.0)),
    )


def above(runs: Mapping[str, Run], columns: int) -> bytes:
    """In rows of `columns` models, each one's losses above its outputs."""
    drawn = [panels(label, run) for label, run in runs.items()]
    lines = [drawn[start : start + columns] for start in range(0, len(drawn), columns)]
    return curves_png([pair[kind] for line in lines for kind in (0, 1) for pair in line], columns=columns)


def beside(runs: Mapping[str, Run]) -> bytes:
    """A row a model: its losses, its outputs."""
    return curves_png([panel for label, run in runs.items() for panel in panels(label, run)], columns=2)


_figure = partial(figure, measure=measure)


def _of_points(number: str, name: str, normalise: bool) -> Item:
    """The shallow and the deep pair on a set of points."""
    plain, deep = titled("M0_A", normalise), titled("M1_A", normalise)
    tail = "" if normalise else "-nobn"
    shown = {plain: points.OF[f"{name}-m0{tail}"], deep: points.OF[f"{name}-m1{tail}"]}
    set_ = points.TITLES[name]
    if normalise:
        claim = f"{set_}: shallow networks train steadily, deep ones not, as their critic rejects samples surely"
        expects = (*_drifts(plain, name), *_unsteadier(deep, plain), *_surer(deep, plain))
        return _figure(number, claim, shown, expects, draw=partial(above, columns=2))
    claim = f"{set_}: without batch normalisation the deep critic is weaker, and the training steadier"
    beyond = {"M1_A": points.OF[f"{name}-m1"]}
    expects = (*_unsteadier("M1_A", deep), *_surer("M1_A", deep))
    return _figure(number, claim, shown, expects, draw=partial(above, columns=2), beyond=beyond)


def _drifts(row: str, name: str) -> tuple[Expectation, ...]:
    if name != "swiss-roll":  # said of this set alone
        return ()
    return (Expectation(says=f"the generator loss of {row} goes on growing", score="loss-growth", row=row, above=0.0),)


def _unsteadier(row: str, other: str) -> tuple[Expectation, ...]:
    says = f"the generator loss of {row} varies more than that of {other}"
    return (Expectation(says=says, score="loss-deviation", row=row, above=other),)


def _surer(row: str, other: str) -> tuple[Expectation, ...]:
    says = f"the critic of {row} rejects samples surely more often than that of {other}"
    return (Expectation(says=says, score="rejected", row=row, above=other),)


def _wider(row: str, other: str) -> tuple[Expectation, ...]:
    says = f"the losses of {row} part further than those of {other}"
    return (Expectation(says=says, score="loss-gap", row=row, above=other),)


def _of_images(number: str, name: str, normalise: bool, columns: int) -> Item:
    """All depths of a set."""
    shown = images.models(name, normalise)
    shallow, *_, deep = shown
    title, draw = images.SETS[name].data.title, partial(above, columns=columns)
    if normalise:
        claim = f"{title}: the deeper the networks, the further their losses part, and the more they vary"
        expects = (*_wider(deep, shallow), *_unsteadier(deep, shallow))
        return _figure(number, claim, shown, expects, draw=draw, seeds=1)
    claim = f"{title}: without batch normalisation in the critic, training is steadier"
    beyond = images.models(name, True, [len(shown) - 1])
    (reference,) = beyond
    expects = (*_wider(reference, deep), *_unsteadier(reference, deep))
    return _figure(number, claim, shown, expects, draw=draw, beyond=beyond, seeds=1)


def _unbalanced(number: str, pair: str) -> Item:
    """Both sets of points, one player deep."""
    shown = {f"{title}: {pair_of(pair)}": points.OF[f"{name}-{pair}"] for name, title in points.TITLES.items()}
    if pair == "g0d1":
        claim = "against a deep critic, a shallow generator's loss grows fast, as the critic rejects its samples surely"
        expects = [each for row in shown for each in _lost(row)]
        return _figure(number, claim, shown, expects, draw=beside)
    claim = "against a shallow critic, a deep generator's losses and the outputs stay steady"
    beyond = {f"{title}: M1_A": points.OF[f"{name}-m1"] for name, title in points.TITLES.items()}
    expects = [each for row, other in zip(shown, beyond, strict=True) for each in _unsteadier(other, row)]
    return _figure(number, claim, shown, expects, draw=beside, beyond=beyond)


def _lost(row: str) -> tuple[Expectation, ...]:
    return (
        Expectation(says=f"{row}: the generator's loss grows", score="loss-growth", row=row, above=0.0),
        Expectation(says=f"{row}: samples are rejected surely most of the time", score="rejected", row=row, above=0.5),
    )


def pair_of(pair: str) -> str:
    """Appendix C's pairs as tables and pictures call them."""
    return {"g0d1": "shallow G against deep D", "g1d0": "deep G against shallow D"}[pair]


CAPACITY = (
    _of_points("5.3", "swiss-roll", True),
    _of_points("5.4", "swiss-roll", False),
    _of_points("5.5", "ring", True),
    _of_points("5.6", "ring", False),
    _of_images("5.7", "mnist", True, 3),
    _of_images("5.8", "mnist", False, 3),
    _of_images("5.9", "cifar10", True, 2),
    _of_images("5.10", "cifar10", False, 2),
)
UNBALANCED = (_unbalanced("C.1", "g0d1"), _unbalanced("C.2", "g1d0"))
