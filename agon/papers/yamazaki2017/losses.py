"""Figures 5.3 to 5.10, C.1 and C.2: losses and the critic's outputs over training."""

import math
from functools import partial

from agon.papers.expectation import Expectation
from agon.papers.item import Item, per_training
from agon.papers.yamazaki2017.drawing import losses_above_outputs, losses_beside_outputs
from agon.papers.yamazaki2017.figure import figure
from agon.papers.yamazaki2017.measuring import loss_scores
from agon.papers.yamazaki2017.models import balanced_on_both_sets, on_both_sets
from agon.recipes.yamazaki2017 import images, points
from agon.recipes.yamazaki2017.settings import titled

TELLS = -0.9 * math.log(2)  # loss-gap; -log 2 of a critic whose outputs are 1/2

_figure = partial(figure, measure=per_training(loss_scores))


def _of_points(number: str, name: str, normalise: bool) -> Item:
    """A figure of the shallow and the deep pair on a set of points."""
    plain, deep = titled("M0_A", normalise), titled("M1_A", normalise)
    tail = "" if normalise else "-nobn"
    shown = {plain: points.OF[f"{name}-m0{tail}"], deep: points.OF[f"{name}-m1{tail}"]}
    title, draw = points.TITLES[name], losses_above_outputs(list(shown), columns=2)
    if normalise:
        claim = f"{title}: shallow networks train steadily, deep ones not, as their critic rejects samples surely"
        expects = (*_drifts(plain, name), *_unsteadier(deep, plain), *_surer(deep, plain))
        return _figure(number, claim, shown, expects, draw=draw)
    claim = f"{title}: without batch normalisation the deep critic is weaker, and the training steadier"
    beyond = {"M1_A": points.OF[f"{name}-m1"]}
    expects = (*_unsteadier("M1_A", deep), *_surer("M1_A", deep))
    return _figure(number, claim, shown, expects, draw=draw, beyond=beyond)


def _drifts(row: str, name: str) -> tuple[Expectation, ...]:
    if name != "swiss-roll":  # the paper claims it for this set alone
        return ()
    return (Expectation(says=f"the generator loss of {row} goes on growing", score="loss-growth", row=row, above=0.0),)


def _unsteadier(row: str, other: str) -> tuple[Expectation, ...]:
    says = f"the generator loss of {row} varies more than that of {other}, and not for its first weights alone"
    return (Expectation(says=says, score="loss-deviation", row=row, above=other, beyond="untrained"),)


def _surer(row: str, other: str) -> tuple[Expectation, ...]:
    says = f"the critic of {row} rejects samples surely more often than that of {other}"
    return (Expectation(says=says, score="rejected", row=row, above=other),)


def _wider(row: str, other: str) -> tuple[Expectation, ...]:
    says = f"the losses of {row} part further than those of {other}"
    return (Expectation(says=says, score="loss-gap", row=row, above=other),)


def _tells(row: str) -> tuple[Expectation, ...]:
    """Steady losses of images that are no digits are those of a critic that learns nothing; points may deserve them."""
    says = f"and those of {row} are not steady because its critic cannot tell (0.69 and 1.39)"
    return (Expectation(says=says, score="loss-gap", row=row, above=TELLS),)


def _of_images(number: str, name: str, normalise: bool, columns: int) -> Item:
    """A figure of all depths on a set of images."""
    shown = images.models(name, normalise)
    shallow, *_, deep = shown
    title, draw = images.SETS[name].data.title, losses_above_outputs(list(shown), columns)
    if normalise:
        claim = f"{title}: the deeper the networks, the further their losses part, and the more they vary"
        expects = (*_wider(deep, shallow), *_unsteadier(deep, shallow))
        return _figure(number, claim, shown, expects, draw=draw, seeds=1)
    claim = f"{title}: without batch normalisation in the critic, training is steadier"
    beyond = images.models(name, True, [len(shown) - 1])
    (reference,) = beyond
    expects = (*_wider(reference, deep), *_unsteadier(reference, deep), *_tells(deep))
    return _figure(number, claim, shown, expects, draw=draw, beyond=beyond, seeds=1)


def _unbalanced(number: str, pair: str) -> Item:
    """A figure of both sets of points, with one deep player."""
    shown, draw = on_both_sets(pair), losses_beside_outputs(list(on_both_sets(pair)))
    if pair == "g0d1":
        claim = "against a deep critic, a shallow generator's loss grows fast, as the critic rejects its samples surely"
        expects = [expectation for row in shown for expectation in _lost(row)]
        return _figure(number, claim, shown, expects, draw=draw)
    claim = "against a shallow critic, a deep generator's losses and the outputs stay steady"
    beyond = balanced_on_both_sets("m1")
    pairs = zip(shown, beyond, strict=True)
    expects = [expectation for row, other in pairs for expectation in _unsteadier(other, row)]
    return _figure(number, claim, shown, expects, draw=draw, beyond=beyond)


def _lost(row: str) -> tuple[Expectation, ...]:
    return (
        Expectation(says=f"{row}: the generator's loss grows", score="loss-growth", row=row, above=0.0),
        Expectation(says=f"{row}: samples are rejected surely most of the time", score="rejected", row=row, above=0.5),
    )


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
