"""Remedies that several sicknesses share: a sentence, the options that do it, and who proposes it."""

import shlex
from collections.abc import Sequence

from agon.diagnosis.finding import Remedy
from agon.diagnosis.view import RunView
from agon.errors import AgonError
from agon.experiment import Experiment, changed

LOOK_AHEAD = '--set dynamics=\'{"type": "unrolled", "looks_ahead": {"generator": ["critic"]}, "steps": 10}\''
UNROLL = Remedy(
    "let the generator look ahead at ten of the critic's steps, so that it does not run to where the critic happens to "
    "be weak",
    LOOK_AHEAD,
    "metz2017, sections 2.2 and 3.1",
)
R1 = Remedy(
    "penalise the critic's gradient at real samples, which keeps it smooth around them",
    '--set game.penalties=\'[{"type": "r1", "weight": 1.0}]\'',
    "Mescheder et al. 2018, equation 9",
)
GENTLE_CRITIC = Remedy(
    "give the critic a smaller learning rate than the generator",
    "--set optimisers.critic.lr=1e-5",
    "Heusel et al. 2017, section 2: the two rates need not be equal",
)
NON_SATURATING = Remedy(
    "let the generator minimise -log D(G(z)), whose gradient does not vanish where the critic is sure",
    "--set game.objective=non-saturating",
    "Goodfellow et al. 2014, section 3; yamazaki2017, chapter 5",
)
MORE_CRITIC = Remedy(
    "let the critic move five times for each move of the generator",
    '--set dynamics.order=\'[["critic"], ["critic"], ["critic"], ["critic"], ["critic"], ["generator"]]\'',
    "Arjovsky et al. 2017, Algorithm 1; metz2017, section 2.3",
)
FASTER_CRITIC = Remedy(
    "give the critic a rate with which it learns in time",
    "--set optimisers.critic.lr=1e-3",
    "Heusel et al. 2017, section 2: the critic must be the faster of the two",
)
FASTER_GENERATOR = Remedy(
    "give the generator a rate with which it keeps up",
    "--set optimisers.generator.lr=1e-3",
    "Heusel et al. 2017, section 2: the two rates need not be equal",
)
EXTRAGRADIENT = Remedy(
    "extrapolate each step, which converges where plain steps orbit",
    "--set dynamics=extragradient",
    "Gidel et al. 2019, section 3.2",
)
AVERAGE = Remedy(
    "sample from averaged weights: the average of an orbit lies inside of it",
    '--set averaging=\'{"type": "averaging", "decay": 0.999}\'',
    "Yazıcı et al. 2019, section 3",
)
SLOWER = Remedy(
    "take smaller steps",
    "--set optimisers.lr=1e-4",
    "radford2015, section 4, which lowers Adam's 1e-3 to 2e-4 for stability",
    direction=-1,
)


def slower_than(view: RunView, player: str, rate: float) -> bool:
    """Whether a player's learning rate is under one that a remedy gives it."""
    present = None if view.experiment is None else view.experiment.optimiser(player).settings.get("lr")
    return isinstance(present, float) and present < rate


def applies(remedy: Remedy, view: RunView) -> bool:
    """Whether the run's experiment can take the remedy, and does not have it already."""
    if not remedy.option or view.experiment is None:
        return True
    path, _, value = shlex.split(remedy.option)[1].partition("=")
    try:
        treated = changed(view.experiment, path, value)
        if not isinstance(view.live, str):
            treated.dynamics.check(view.live.game)
    except AgonError:
        return False
    return bool(treated != view.experiment) and _goes(remedy.direction, view, treated)


def _goes(direction: int, view: RunView, treated: Experiment) -> bool:
    """Whether the batch and all rates of the treated experiment are larger (1), or smaller (-1), or the same."""
    if view.experiment is None or isinstance(view.live, str):
        return True
    players = list(view.live.game.players)
    before, after = (_sizes(experiment, players) for experiment in (view.experiment, treated))
    return all(direction * (new - old) >= 0 for old, new in zip(before, after, strict=True))


def _sizes(experiment: Experiment, players: Sequence[str]) -> list[float]:
    rates = [experiment.optimiser(player).settings.get("lr") for player in players]
    return [float(experiment.batch), *(rate if isinstance(rate, float | int) else 0.0 for rate in rates)]
